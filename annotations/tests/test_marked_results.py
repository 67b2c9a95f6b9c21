"""What comes of errors marked in texts: penalties, the report in all formats, pictures, files, and the rehearsal."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils.translation import override

from annotations.models import ErrorCategory, ErrorSeverity, Marking, Rating, Span, Study
from annotations.plan.rehearsal import rehearse
from annotations.plan.simulation import Effects, simulate_ratings
from annotations.questionnaire.marking.marks import Mark
from annotations.questionnaire.marking.saving import SentMarking, save_marking
from annotations.questionnaire.saving import PageAddress
from annotations.recruiting.enrolment import enrol
from annotations.results.archive import study_archive
from annotations.results.rating_table import rating_table
from annotations.results.report import study_report
from annotations.results.report_formats import FORMATS, export
from annotations.results.spans.heat import heat_map
from annotations.results.spans.rows import COLUMNS, span_rows
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import build_user, placements
from annotations.tests.marking_cast import build_marked_study
from stats.reports.archive import differing, numbers_of

TEXT = "The cat sat on teh mat."


def mark(study: Study, user: User, text: str, *marks: Mark) -> None:
    """Let somebody mark all errors of a text on the first page."""
    token = next(one.token for one in placements(study, user) if one.candidate.text == text)
    save_marking(user, PageAddress(study.slug, 1, 1), SentMarking(token, 1, marks, is_done=True))


@pytest.fixture
def marked(db: None, alice: User, bob: User) -> Study:
    """A closed study in which alice and bob marked the first text, each in their way."""
    study = build_marked_study(TEXT, "Fine.", is_rated=False)
    for user in (alice, bob):
        enrol(study, user)
        for one in study.enrolments.get(evaluator=user).placements.exclude(candidate__text=TEXT):
            Marking.objects.create(enrolment=one.enrolment, candidate=one.candidate, is_done=True)
    mark(study, alice, TEXT, Mark("accuracy", "major", 15, 18, "the"), Mark("punctuation", "minor", 22, 23))
    mark(study, bob, TEXT, Mark("accuracy", "minor", 12, 18), Mark("omission", "major"))
    close_study(study)
    return study


def test_the_penalty_of_a_text_is_the_sum_over_its_errors(marked: Study) -> None:
    table = rating_table(marked)
    scores = {
        (table.evaluators[e], table.prompts[p], table.methods[m]): score
        for e, p, m, score in zip(table.evaluator, table.prompt, table.method, table.score, strict=True)
    }
    assert scores[table.evaluators[0], "1/1", "method-0"] == pytest.approx(5.1)
    assert scores[table.evaluators[1], "1/1", "method-0"] == 6
    assert sum(scores.values()) == pytest.approx(11.1)
    assert len(scores) == 2 * 2 * 2
    assert table.criteria[0].lower_is_better


def test_a_text_whose_errors_are_not_all_marked_has_no_penalty(marked: Study) -> None:
    Marking.objects.filter(enrolment__evaluator__username="alice", candidate__text=TEXT).update(is_done=False)
    assert len(rating_table(marked)) == 7
    report = study_report(marked)
    assert (report.participants.finished, report.participants.recruited) == (1, 2)


def test_penalties_per_100_characters_are_divided_by_the_length_as_written(marked: Study) -> None:
    marked.criteria.update(derived="penalty_per_100")
    assert rating_table(marked).score.max() == pytest.approx(6 * 100 / len(TEXT))


def test_penalties_are_the_sums_of_published_mqm_scores(db: None, reference: Path) -> None:
    """Every score of the TED talks of WMT is a sum of MQM's weights, and comes back from the marks that make it up."""
    with gzip.open(reference / "foreign" / "mqm_ted_zh_en.csv.gz", "rt") as file:
        published = [float(row["score"]) for row in csv.DictReader(file)][:400]
    study = build_marked_study("x" * 400, is_rated=False, prompts=len(published) // 2, methods=2)
    severities = {one.key: one for one in study.severities.all()}
    gone = ErrorCategory.objects.create(
        study=study, number=9, key="non-translation", label={"en": "None"}, penalties={"major": 25}
    )
    kinds = [
        (25.0, gone, severities["major"]),
        (5.0, study.error_categories.get(key="accuracy"), severities["major"]),
        (1.0, study.error_categories.get(key="accuracy"), severities["minor"]),
        (0.1, study.error_categories.get(key="punctuation"), severities["minor"]),
    ]
    enrolment = enrol(study, build_user("alice"))
    texts = list(enrolment.placements.order_by("page", "position").values_list("candidate", flat=True))
    Marking.objects.bulk_create(
        Marking(enrolment=enrolment, candidate_id=text, is_done=True) for text in texts
    )
    spans = []
    for text, score in zip(texts, published, strict=True):
        rest, number = round(score, 1), 0
        for weight, category, severity in kinds:
            while rest > weight - 0.05:
                spans.append(
                    Span(
                        enrolment=enrolment, candidate_id=text, number=number, start=0, end=1,
                        category=category, severity=severity,
                    )
                )  # fmt: skip
                rest, number = round(rest - weight, 1), number + 1
        assert rest == 0
    Span.objects.bulk_create(spans)
    assert sorted(rating_table(study).score.round(1)) == sorted(published)


def test_a_study_of_errors_has_a_report_in_all_formats_and_both_languages(db: None) -> None:
    study = build_marked_study(prompts=12, methods=3)
    simulate_ratings(study, evaluators=8, seed=1, effects=Effects(step=1.5))
    close_study(study)
    report = study_report(study)
    assert (report.participants.finished, report.participants.valid) == (8, 8)
    assert report.spans is not None
    per_text = [one.per_text for one in report.spans.methods]
    assert per_text == sorted(per_text, reverse=True)
    assert report.spans.markings == 8 * 12 * 3
    assert report.analysis is not None
    means = {one.method: one.crossed for one in report.analysis.means if one.criterion == "penalty"}
    assert all(one.ci is not None for one in means.values())
    assert report.off_scale.count == 0
    assert json.loads(export(report, "json"))["spans"]["agreement"]["texts"] == 36
    for language, word in (("en", "Errors marked in the texts"), ("zh-hans", "文本中标出的错误")):
        with override(language):
            for file_format in FORMATS:
                body = export(report, file_format)
                assert body
                if file_format == "html":
                    assert word in body.decode()


def test_a_report_by_penalties_alone_compares_methods_by_them(db: None) -> None:
    study = build_marked_study(is_rated=False, prompts=12, methods=2)
    simulate_ratings(study, evaluators=8, seed=2, effects=Effects(step=3))
    close_study(study)
    report = study_report(study)
    assert report.analysis is not None
    assert report.analysis.primary == "penalty"
    found = report.analysis.comparisons[0].crossed
    assert found.estimate is not None
    assert found.estimate < 0
    assert not Rating.objects.exists()


def test_a_rehearsal_marks_errors_through_the_real_save_path(db: None) -> None:
    study = build_marked_study(prompts=2)
    copy = rehearse(study, evaluators=2, effects=Effects(), seed=1)
    assert Marking.objects.filter(enrolment__study=copy, is_done=True).count() == 2 * 2 * 2
    assert Rating.objects.filter(enrolment__study=copy).count() == 2 * 2 * 2
    assert list(copy.error_categories.values_list("key", flat=True)) == [
        "accuracy",
        "punctuation",
        "omission",
    ]
    assert study_report(copy).participants.valid == 2


def test_marks_are_exported_as_offsets_and_as_tags(marked: Study, tmp_path: Path) -> None:
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in span_rows(marked)]
    assert len(rows) == 4 + 6
    first, second, third, nowhere = (row for row in rows if row["mark"] is not None)
    assert (first["start"], first["end"], first["words"], first["note"]) == (15, 18, "teh", "the")
    assert first["tagged"] == "The cat sat on <v>teh</v> mat."
    assert (second["penalty"], third["penalty"], nowhere["penalty"]) == (0.1, 1, 5)
    assert (nowhere["start"], nowhere["words"], nowhere["tagged"]) == (None, None, TEXT)
    assert all(row["is_done"] for row in rows)
    file = tmp_path / "spans.csv"
    call_command("export_spans", "marked", "--output", str(file))
    written = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    assert len(written) == 10


def test_the_files_and_the_list_of_marks_are_sealed_until_the_study_closes(
    marked: Study, client: Client, carol: User, django_assert_max_num_queries: Any
) -> None:
    client.force_login(carol)
    for file_format in ("csv", "jsonl", "parquet", "xlsx"):
        body = b"".join(client.get(f"/studies/marked/spans.{file_format}").streaming_content)  # type: ignore[attr-defined]
        assert body
    listed = client.get("/api/v1/studies/marked/spans/").json()
    assert (listed["count"], len(listed["results"])) == (8, 10)
    with django_assert_max_num_queries(46):
        page = client.get("/studies/marked/results/").content.decode()
    assert "/studies/marked/spans.csv" in page
    Study.objects.update(state="open")
    assert client.get("/studies/marked/spans.csv").status_code == 302
    assert client.get("/api/v1/studies/marked/spans/").status_code == 403


def test_a_case_shows_where_evaluators_marked_errors_and_says_so_in_words(
    marked: Study, client: Client, carol: User
) -> None:
    client.force_login(carol)
    page = " ".join(client.get("/studies/marked/results/prompts/1/1/").content.decode().split())
    assert '<span class="heat heat-5">teh</span>' in page
    assert '<span class="heat heat-3">on </span>' in page
    assert "<bdi>“teh”</bdi>: 50 % – Accuracy, Major (1); <q><bdi>the</bdi></q>" in page.replace(
        "\u00a0", " "
    ).replace("50%", "50 %")
    assert "somewhere in the text" in page
    assert "Nobody marked an error." in page


def test_a_picture_holds_text_that_looks_like_html(db: None) -> None:
    found = heat_map("<b>x</b>", [(1, Mark("kind", "", 0, 3))], 1)
    assert (
        found.html
        == '<div class="written"><span class="heat heat-5">&lt;b&gt;</span><span class="">x&lt;/b&gt;</span></div>'
    )


def test_the_archive_has_the_marks_and_makes_the_numbers_again(db: None) -> None:
    study = build_marked_study(prompts=10, methods=2)
    simulate_ratings(study, evaluators=4, seed=3)
    close_study(study)
    archive = zipfile.ZipFile(io.BytesIO(study_archive(study)))
    assert len(archive.read("spans.jsonl").splitlines()) >= 4 * 10 * 2
    again = numbers_of({name: archive.read(name) for name in archive.namelist()})
    assert list(differing(again, json.loads(archive.read("results.json")))) == []
    assert ErrorSeverity.objects.exists()
    assert np.isfinite(rating_table(study).score).all()
