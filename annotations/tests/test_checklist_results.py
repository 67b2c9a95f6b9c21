"""What comes of checklists: scores, the report in all formats, files, and the rehearsal."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils.translation import override

from annotations.models import AnswerChange, ChecklistAnswer, Enrolment, Study
from annotations.plan.rehearsal import rehearse
from annotations.plan.simulation import Effects, simulate_ratings
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.withdrawal import withdraw
from annotations.results.archive import study_archive
from annotations.results.checklists.rows import COLUMNS, checklist_rows
from annotations.results.rating_table import rating_table, verdicts_on
from annotations.results.report import study_report
from annotations.results.report_formats import FORMATS, export
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import build_checklist_study, build_user
from stats.reports.archive import differing, numbers_of


def say(enrolment: Enrolment, page: int, position: int, **answers: int) -> None:
    """Let an evaluator answer items of a page (`study_1`) about the text in a position."""
    placement = enrolment.placements.get(page__number=page, position=position)
    for key, answer in answers.items():
        of, number = key.split("_")
        item = enrolment.study.checklist_items.get(
            number=number, page=placement.page if of == "prompt" else None
        )
        ChecklistAnswer.objects.create(
            enrolment=enrolment, candidate=placement.candidate, item=item, answer=answer
        )


def closed_study(evaluators: int = 10) -> Study:
    study = build_checklist_study(prompts=12)
    simulate_ratings(study, evaluators=evaluators, seed=4, effects=Effects(step=1.5))
    close_study(study)
    return study


def test_the_score_of_a_text_is_the_weighted_share_of_yes_among_what_applies(db: None, alice: User) -> None:
    study = build_checklist_study()
    enrolment = enrol(study, alice)
    # The item of the prompt counts double.
    say(enrolment, 1, 0, study_1=1, study_2=2, prompt_1=1)
    say(enrolment, 1, 1, study_1=3, study_2=2, prompt_1=1)
    say(enrolment, 1, 2, study_1=2, study_2=2, prompt_1=3)
    # Not all items of the page are answered.
    say(enrolment, 1, 3, study_1=1, study_2=1)
    table = rating_table(study)
    assert table.position is not None
    by_position = dict(zip(table.position.tolist(), table.score.tolist(), strict=True))
    assert by_position == {0: 75, 1: pytest.approx(200 / 3), 2: 0}
    (criterion,) = table.criteria
    assert (criterion.minimum, criterion.maximum, criterion.lower_is_better) == (0, 100, False)


def test_an_evaluator_who_finds_that_nothing_applies_has_finished(db: None, alice: User, bob: User) -> None:
    study = build_checklist_study()
    study.checklist_items.update(may_not_apply=True)
    one, other = enrol(study, alice), enrol(study, bob)
    for page in (1, 2):
        for position in range(4):
            answer = 3 if (page, position) == (1, 0) else 1
            say(one, page, position, study_1=answer, study_2=answer, prompt_1=answer)
    say(other, 1, 0, study_1=1)
    verdicts = verdicts_on(study, rating_table(study))
    assert [(verdict.pages_answered, verdict.is_valid) for verdict in verdicts] == [(2, True), (0, False)]
    assert len(rating_table(study)) == 7


def test_the_report_compares_methods_by_their_shares_in_every_format(db: None) -> None:
    study = closed_study()
    report = study_report(study)
    assert report.participants.valid == 10
    assert report.analysis is not None
    means = {mean.method: mean.crossed.estimate for mean in report.analysis.means}
    assert 0 <= (means["method-0"] or -1) < (means["method-3"] or -1) <= 100
    first = next(one for one in report.analysis.comparisons if (one.a, one.b) == ("method-0", "method-3"))
    assert first.crossed.ci is not None
    assert first.crossed.ci[0] > 0
    assert (report.ordinal, report.severity) == (None, None)
    found = report.checklist
    assert found is not None
    assert len(found.items) == 14
    split = [one.disagreement or 0 for one in found.items]
    assert split == sorted(split, reverse=True)
    assert found.consensus is not None
    assert found.consensus.shares["method-0"] < found.consensus.shares["method-3"]  # type: ignore[operator]
    plain = json.loads(export(report, "json"))["checklist"]
    assert plain["items"][0].keys() >= {"key", "page", "text", "answers", "yes", "disagreement", "alpha"}
    for language, word in (("en", "Items by how they split evaluators"), ("zh-hans", "分歧")):
        with override(language):
            for file_format in FORMATS:
                body = export(study_report(study), file_format)
                assert body
                if file_format == "html":
                    assert word in body.decode()
                    assert "Pages judged" not in body.decode()


def test_a_sealed_report_has_nothing_of_the_checklist(db: None, alice: User) -> None:
    study = build_checklist_study()
    say(enrol(study, alice), 1, 0, study_1=1, study_2=1, prompt_1=1)
    assert study_report(study).checklist is None


def test_a_rehearsal_goes_the_way_of_a_browser_with_the_items_of_the_study(db: None) -> None:
    study = build_checklist_study(prompts=3, methods=2)
    copy = rehearse(study, evaluators=3, effects=Effects(), seed=1)
    assert copy.checklist_items.count() == 5
    assert not set(copy.checklist_items.values_list("page", flat=True)) & set(
        study.checklist_items.exclude(page=None).values_list("page", flat=True)
    )
    assert ChecklistAnswer.objects.filter(enrolment__study=copy).count() == 3 * 3 * 2 * 3
    assert AnswerChange.objects.filter(enrolment__study=copy, item__isnull=False).count() == 3 * 3 * 2 * 3
    assert study_report(copy).participants.finished == 3


def test_the_archive_makes_the_numbers_again_and_holds_answers_and_items(db: None) -> None:
    study = closed_study(evaluators=6)
    with zipfile.ZipFile(io.BytesIO(study_archive(study))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert list(differing(numbers_of(files), json.loads(files["results.json"]))) == []
    assert files["checklist.jsonl"].count(b"\n") == 6 * 12 * 4 * 3
    material = [json.loads(line) for line in files["material.jsonl"].splitlines()]
    assert material[0]["checklist"] == [
        {"text": {"en": "It names the rain."}, "weight": 2, "may_not_apply": True}
    ]


def test_each_answer_is_exported_with_its_item(
    db: None, alice: User, carol: User, client: Client, tmp_path: Path
) -> None:
    study = build_checklist_study()
    enrolment = enrol(study, alice)
    say(enrolment, 1, 1, study_1=3, study_2=2, prompt_1=1)
    client.force_login(carol)
    assert client.get("/studies/poems/checklist.csv").headers["Location"] == "/studies/poems/results/"
    assert client.get("/api/v1/studies/poems/checklist-answers/").status_code == 403
    close_study(study)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in checklist_rows(study)]
    assert [
        (row["item"], row["item_text"], row["weight"], row["answer"], row["position"]) for row in rows
    ] == [
        ("study-1", "It rhymes.", 1, "does not apply", 2),
        ("study-2", "It has four lines.", 1, "no", 2),
        ("prompt-1", "It names the rain.", 2, "yes", 2),
    ]
    path = tmp_path / "checklist.csv"
    call_command("export_checklist", "poems", format="csv", output=path)
    read = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert [row["answer"] for row in read] == ["does not apply", "no", "yes"]
    assert b"".join(client.get("/studies/poems/checklist.jsonl")).count(b"\n") == 3
    listed = client.get("/api/v1/studies/poems/checklist-answers/").json()
    assert (listed["count"], listed["results"][2]["item"]) == (3, "prompt-1")
    assert client.get("/studies/poems/checklist.exe").status_code == 404
    assert "/studies/poems/checklist.csv" in client.get("/studies/poems/results/").content.decode()


def test_who_withdraws_takes_the_answers_along(db: None) -> None:
    enrolment = enrol(build_checklist_study(), build_user("alice"))
    say(enrolment, 1, 0, study_1=1, study_2=1)
    assert withdraw(enrolment) == 2
    assert not ChecklistAnswer.objects.exists()
