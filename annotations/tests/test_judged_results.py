"""What comes of judgements of pages: scores, the report in all formats, files, and the rehearsal."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils.translation import override

from annotations.models import AnswerChange, Judgement, Study
from annotations.plan.plan import lock_plan
from annotations.plan.rehearsal import rehearse
from annotations.plan.simulation import Effects, simulate_ratings
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.withdrawal import withdraw
from annotations.results.archive import study_archive
from annotations.results.judgements.rows import COLUMNS, judgement_rows
from annotations.results.rating_table import rating_table
from annotations.results.report import study_report
from annotations.results.report_formats import FORMATS, export
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import build_study, build_user
from stats.reports.archive import differing, numbers_of


def build_judged(
    protocol: str, size: int | None, *, prompts: int = 12, methods: int = 4, **fields: Any
) -> Study:
    """Create a study whose pages are judged as a whole."""
    study = build_study(prompts=prompts, methods=methods)
    fields |= {"protocol": protocol, "candidates_per_page": size, "has_best_picks": False}
    Study.objects.filter(pk=study.pk).update(**fields)
    study.refresh_from_db()
    return study


def judge(study: Study, name: str, **answer: Any) -> Judgement:
    """Let a new evaluator answer the first page on the overall criterion."""
    enrolment = enrol(study, build_user(name))
    page = enrolment.placements.earliest("page__number").page
    return Judgement.objects.create(
        enrolment=enrolment, page=page, criterion=study.criteria.get(key="overall"), **answer
    )


@pytest.mark.parametrize(
    ("protocol", "size", "answer", "by_position"),
    [
        ("pairwise", 2, {"preference": 1}, [0, 1]),
        ("pairwise", 2, {"preference": 0, "both_bad": True}, [0.5, 0.5]),
        ("ranking", 3, {"places": [2, 0, 1]}, [0.5, 0, 1]),
        ("ranking", 3, {"places": [2, 0]}, []),
        ("best_worst", 4, {"places": [1, 3]}, [0.5, 1, 0.5, 0]),
        ("best_worst", 4, {"places": [1]}, []),
    ],
)
def test_a_whole_judgement_gives_each_text_of_its_page_a_score(
    db: None, protocol: str, size: int, answer: dict[str, Any], by_position: list[float]
) -> None:
    study = build_judged(protocol, size, prompts=2)
    judge(study, "alice", **answer)
    table = rating_table(study)
    assert table.position is not None
    order = np.argsort(table.position)
    assert table.score[order].tolist() == by_position
    assert {(one.minimum, one.maximum) for one in table.criteria} == {(0, 1)}


@pytest.mark.parametrize(("protocol", "size"), [("pairwise", 2), ("ranking", None), ("best_worst", 3)])
def test_a_judged_study_has_a_report_in_all_formats_and_both_languages(
    db: None, protocol: str, size: int | None
) -> None:
    study = build_judged(protocol, size)
    simulate_ratings(study, evaluators=12, seed=1, effects=Effects(step=1.5))
    close_study(study)
    report = study_report(study)
    assert (report.participants.finished, report.participants.valid) == (12, 12)
    assert (report.scores_collected, report.ordinal) == (12 * 12, None)
    assert report.analysis is not None
    assert {choice.kind for choice in report.analysis.choices} == {"page differences"}
    means = {one.method: one.crossed.estimate for one in report.analysis.means if one.criterion == "overall"}
    assert sorted(means, key=lambda key: means[key] or 0) == [f"method-{number}" for number in range(4)]
    assert report.preferences is not None
    assert [one.method for one in report.preferences.strengths] == [
        f"method-{number}" for number in (3, 2, 1, 0)
    ]
    assert {one.name for one in report.preferences.effects} <= {"first", "length", "marks"}
    assert report.preferences.left_out == ("length", "marks")
    assert (report.preferences.ties > 0) == (protocol == "pairwise")
    assert all((one.luce is not None) == (protocol == "ranking") for one in report.preferences.strengths)
    assert len(report.preferences.best_worst) == (4 if protocol == "best_worst" else 0)
    assert json.loads(export(report, "json"))["preferences"]["judgements_to_flip"]["first"] == "method-3"
    for language, word in (("en", "Ranking from comparisons"), ("zh-hans", "由比较得出的排名")):
        with override(language):
            for file_format in FORMATS:
                body = export(report, file_format)
                assert body
                if file_format == "html":
                    assert word in body.decode()


def test_a_study_whose_evaluators_always_put_the_last_text_first_has_a_report(db: None) -> None:
    study = build_judged("ranking", None, prompts=4)
    for name in ("alice", "bob"):
        enrolment = enrol(study, build_user(name))
        for page in {placement.page for placement in enrolment.placements.select_related("page")}:
            for criterion in study.criteria.all():
                Judgement.objects.create(
                    enrolment=enrolment, page=page, criterion=criterion, places=[3, 2, 1, 0]
                )
    close_study(study)
    found = study_report(study).preferences
    assert found is not None
    assert (found.effects, "first" in found.left_out) == ((), True)
    assert len(found.strengths) == 4


def test_a_rehearsal_of_a_pairwise_study_goes_the_way_of_a_browser(db: None) -> None:
    copy = rehearse(build_judged("pairwise", 2, prompts=3), evaluators=3, effects=Effects(), seed=1)
    assert Judgement.objects.filter(enrolment__study=copy).count() == 3 * 3 * 2
    assert AnswerChange.objects.filter(enrolment__study=copy).count() == 3 * 3 * 2
    assert study_report(copy).participants.finished == 3


@pytest.mark.parametrize("protocol", ["ranking", "best_worst"])
def test_a_rehearsal_of_orders_saves_them_whole(db: None, protocol: str) -> None:
    copy = rehearse(build_judged(protocol, 3, prompts=2), evaluators=2, effects=Effects(), seed=1)
    assert study_report(copy).participants.finished == 2


def test_the_archive_of_a_judged_study_makes_its_numbers_again(db: None) -> None:
    study = build_judged("pairwise", 2)
    simulate_ratings(study, evaluators=8, seed=2)
    close_study(study)
    with zipfile.ZipFile(io.BytesIO(study_archive(study))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert list(differing(numbers_of(files), json.loads(files["results.json"]))) == []
    assert files["judgements.jsonl"].count(b"\n") == 8 * 12 * 2 * 2


def test_each_judgement_is_exported_with_a_row_for_each_text(db: None, tmp_path: Any) -> None:
    study = build_judged("best_worst", 3, prompts=2)
    judge(study, "alice", places=[2, 0])
    close_study(study)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in judgement_rows(study)]
    assert [(row["position"], row["chosen"], row["preference"]) for row in rows] == [
        (1, 2, None),
        (2, None, None),
        (3, 1, None),
    ]
    assert {(row["evaluator"], row["subtask"], row["page"], row["criterion"]) for row in rows} == {
        ("E001", 1, 1, "overall")
    }
    path = tmp_path / "judgements.csv"
    call_command("export_judgements", "poems", format="csv", output=path)
    read = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    assert [row["chosen"] for row in read] == ["2", "", "1"]


def test_files_and_api_have_the_judgements_once_the_seal_is_off(client: Client, db: None) -> None:
    study = build_judged("pairwise", 2, prompts=2)
    judge(study, "alice", preference=-1)
    client.force_login(build_user("olga", is_staff=True))
    assert client.get("/studies/poems/judgements.csv").headers["Location"] == "/studies/poems/results/"
    assert client.get("/api/v1/studies/poems/judgements/").status_code == 403
    close_study(study)
    body = b"".join(client.get("/studies/poems/judgements.jsonl"))
    assert [json.loads(line)["preference"] for line in body.splitlines()] == [-1, -1]
    listed = client.get("/api/v1/studies/poems/judgements/").json()
    assert (listed["count"], [row["method"] for row in listed["results"]]) == (
        1,
        [json.loads(line)["method"] for line in body.splitlines()],
    )
    assert client.get("/studies/poems/judgements.exe").status_code == 404
    assert "/studies/poems/judgements.csv" in client.get("/studies/poems/results/").content.decode()


def test_who_withdraws_takes_the_judgements_along(db: None) -> None:
    study = build_judged("pairwise", 2, prompts=2)
    judgement = judge(study, "alice", preference=1)
    assert withdraw(judgement.enrolment) == 1
    assert not Judgement.objects.exists()


def test_a_plan_is_too_late_after_the_first_judgement_and_names_other_pages(db: None, alice: User) -> None:
    study = build_judged("pairwise", 2, prompts=2)
    plan = lock_plan(study, staff=None, primary_criterion=study.criteria.get(key="overall"))
    assert plan.design["pages"] == {
        "protocol": "pairwise",
        "candidates_per_page": 2,
        "preference_scale": "choice",
    }
    judge(study, "bob", preference=1)
    Study.objects.update(protocol="best_worst", candidates_per_page=3)
    close_study(study)
    study.refresh_from_db()
    assert (
        "The protocol or the size of the pages is not that of the plan."
        in study_report(study).deviations_from_plan
    )
