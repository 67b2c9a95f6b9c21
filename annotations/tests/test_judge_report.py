"""What the report says of a judge: sealed as ratings are, in every format, in both languages."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from django.core.management import call_command
from django.test import Client
from django.utils.translation import override

from annotations.judges.files import read_scores
from annotations.judges.judges import About, import_scores
from annotations.judges.metrics import compute_metric
from annotations.judges.prompt_draw import draw_prompts
from annotations.judges.tests.cast import score_rows, write_scores
from annotations.models import AnalysisPlan, Enrolment, Judge, Rating, Study
from annotations.plan.plan import lock_plan, plan_document
from annotations.plan.simulation import Effects, simulate_ratings
from annotations.results.document import report_document
from annotations.results.report import study_report
from annotations.results.report_formats import export
from annotations.tests.cast import build_study, build_user, shown
from generation.models import Candidate, Prompt
from generation.refusals import Refused
from stats.reports.document import Paragraph, Section, Table

PROMPTS, METHODS = 20, 3


@pytest.fixture
def study(db: None) -> Study:
    return build_study(prompts=PROMPTS, methods=METHODS)


def rated(study: Study) -> Study:
    """Have eight simulated evaluators rate the study, with little noise."""
    simulate_ratings(study, evaluators=8, seed=1, effects=Effects(slip=0, noise=0.5))
    return Study.objects.get(pk=study.pk)


def means_of_texts(study: Study) -> dict[tuple[str, str], float]:
    """Return the mean overall rating of every text, by its prompt and method."""
    found: dict[tuple[str, str], list[float]] = {}
    rows = Rating.objects.filter(enrolment__study=study, criterion__key="overall").values_list(
        "candidate__prompt__text", "candidate__run__method__key", "score"
    )
    for prompt, method, score in rows:
        found.setdefault((prompt, method), []).append(score)
    return {text: float(np.mean(scores)) for text, scores in found.items()}


def judge_of(study: Study, tmp_path: Path, rows: list[dict[str, Any]], **about: Any) -> Judge:
    about = {"key": "llm", "saw_answers": "no", "version": "v1", **about}
    path = write_scores(tmp_path / "scores.csv", rows)
    others = about.get("sampling", "all") != "all"
    file = read_scores(
        path, study, has_own_scale=about.get("has_own_scale", False), takes_other_prompts=others
    )
    return import_scores(study, file, About(**about), by=None)[0]


def good_rows(study: Study) -> list[dict[str, Any]]:
    means = means_of_texts(study)
    return [
        {**row, "score": round(means[row["prompt"], row["method"]])}
        for row in score_rows(study, prompts=PROMPTS, methods=METHODS)
    ]


def with_others(study: Study, rows: list[dict[str, Any]], others: int = 60) -> list[dict[str, Any]]:
    """Add prompts that nobody rates, with scores like those of the study's."""
    draw = np.random.default_rng(5).integers(0, PROMPTS, others)
    extra = [
        {**rows[place * METHODS + method], "prompt": f"other {number}"}
        for number, place in enumerate(draw)
        for method in range(METHODS)
    ]
    return [*rows, *extra]


def section(study: Study, key: str) -> Section | None:
    document = report_document(study_report(study))
    return next((one for one in document.sections if one.key == key), None)


def words(found: Section | None) -> str:
    assert found is not None
    return "\n".join(block.text for block in found.blocks if isinstance(block, Paragraph)).replace(
        "\xa0", " "
    )


def test_a_study_without_judges_has_no_word_of_them(study: Study) -> None:
    rated(study)
    assert section(study, "judge") is None and section(study, "with-judge") is None


def test_a_judge_like_the_evaluators_may_stand_in_for_one(study: Study, tmp_path: Path) -> None:
    study = rated(study)
    judge_of(study, tmp_path, good_rows(study), label="Good judge")
    found = section(study, "judge")
    said = words(found)
    assert "Good judge (v1): 60 scores. People's answers were not in sight when they were made." in said
    assert "It was not planned." in said
    assert "On Overall, Good judge may stand in for an evaluator." in said
    assert found is not None
    (table,) = (block for block in found.blocks if isinstance(block, Table))
    checks = [row[0] for row in table.rows]
    assert "Alternative annotator test, as published" in checks and "Weighted κ among evaluators" in checks


def test_without_prompts_that_nobody_rated_there_is_no_combined_estimate_and_the_reason(
    study: Study, tmp_path: Path
) -> None:
    study = rated(study)
    judge_of(study, tmp_path, good_rows(study))
    assert (
        "There is no combined estimate with llm on Overall:"
        " it needs 10 prompts that nobody rated, there are 0." in words(section(study, "with-judge"))
    )


def test_prompts_that_were_drawn_at_random_have_a_combined_estimate_and_its_sentence(
    study: Study, tmp_path: Path
) -> None:
    study = rated(study)
    judge_of(study, tmp_path, with_others(study, good_rows(study)), sampling="random")
    said = words(section(study, "with-judge"))
    assert "A judge can stand in for prompts that nobody rated, never for evaluators" in said
    assert "Method 1 − Method 0: the judge narrows the interval by" in said
    assert "It cannot replace evaluators: their spread makes" in said
    (pair, *_) = study_report(study).judges[0].with_judge()
    assert pair["prompts_rated"] == 20 and pair["prompts_unrated"] == 60
    assert pair["combined"]["ci"] is not None and 0 < pair["lambda"] <= 1


def test_chosen_prompts_say_so_and_have_none(study: Study, tmp_path: Path) -> None:
    study = rated(study)
    judge_of(study, tmp_path, with_others(study, good_rows(study)), sampling="chosen")
    assert "the prompts that people rated were chosen, not drawn." in words(section(study, "with-judge"))


def test_a_metric_is_compared_with_every_criterion(study: Study, tmp_path: Path) -> None:
    study = rated(study)
    rows = [
        {"prompt": row["prompt"], "method": row["method"], "score": row["score"] / 100}
        for row in good_rows(study)
    ]
    judge_of(study, tmp_path, rows, has_own_scale=True)
    (found,) = study_report(study).judges
    assert [one.criterion for one in found.checks] == ["overall", "format"]
    value = found.checks[0].correlations["texts"].value
    assert value is not None and value > 0.9
    assert found.checks[0].verdict == "may narrow intervals"
    part = section(study, "judge")
    assert part is not None
    (table,) = (block for block in part.blocks if isinstance(block, Table))
    assert [row[0] for row in table.rows] == ["Overall", "Format"]
    assert table.rows[0][-1] == "may narrow intervals"
    assert "It ranks the methods on Overall with a soft pairwise accuracy of" in words(part)


def test_every_format_has_the_judge(study: Study, tmp_path: Path) -> None:
    study = rated(study)
    judge_of(study, tmp_path, with_others(study, good_rows(study)), sampling="random", label="Goodjudge")
    report = study_report(study)
    for file_format in ("html", "tex", "csv"):
        assert b"judge" in export(report, file_format), file_format
    plain = json.loads(export(report, "json"))
    (judge,) = plain["judge_checks"]
    assert judge["key"] == "llm" and judge["checks"][0]["verdict"] == "may stand in"
    assert {row["judge"] for row in plain["with_judge"]} == {"llm"}
    assert len(export(report, "pdf")) > 10_000 and len(export(report, "xlsx")) > 5_000
    with override("zh-hans"):
        chinese = export(report, "html").decode()
    assert "评审程序" in chinese and "never for evaluators" not in chinese


def test_numbers_of_judges_are_sealed_as_ratings_are(study: Study, tmp_path: Path, client: Client) -> None:
    study = rated(study)
    judge_of(study, tmp_path, good_rows(study))
    Enrolment.objects.update(source="questionnaire")
    report = study_report(Study.objects.get(pk=study.pk))
    assert report.sealed and report.judges == ()
    assert json.loads(export(report, "json"))["judge_checks"] == []


def test_the_plan_names_judge_version_and_use_before_the_first_answer(study: Study, tmp_path: Path) -> None:
    overall = study.criteria.get(key="overall")
    plan = lock_plan(
        study,
        staff=None,
        primary_criterion=overall,
        judge="llm",
        judge_version="v1",
        judge_use=AnalysisPlan.JudgeUse.COMBINED,
    )
    assert plan_document(plan)["plan"]["judge_use"] == "combined"
    study = rated(study)
    judge_of(study, tmp_path, good_rows(study))
    assert "The plan names it, and its combined estimate as secondary." in words(section(study, "judge"))
    Judge.objects.update(version="v2")
    assert "The plan names another version of it." in words(section(study, "judge"))
    document = report_document(study_report(study))
    (table,) = (
        block
        for one in document.sections
        if one.key == "plan"
        for block in one.blocks
        if isinstance(block, Table)
    )
    assert ("Judge", "llm; v1; the combined estimate is secondary") in table.rows


def test_a_plan_that_names_a_judge_without_its_use_is_refused(study: Study) -> None:
    with pytest.raises(Refused, match="Name the judge and what its scores are for"):
        lock_plan(study, staff=None, primary_criterion=study.criteria.get(key="overall"), judge="llm")
    plain = lock_plan(study, staff=None, primary_criterion=study.criteria.get(key="overall"))
    assert "judge" not in plan_document(plain)["plan"]


def test_prompts_set_aside_in_the_plan_count_in_none_of_the_checks(study: Study, tmp_path: Path) -> None:
    overall = study.criteria.get(key="overall")
    aside = ["poems 古题 3", "poems 古题 7", " poems 古题 7 "]
    plan = lock_plan(
        study,
        staff=None,
        primary_criterion=overall,
        judge="llm",
        judge_use=AnalysisPlan.JudgeUse.CHECKS,
        judge_set_aside=aside,
    )
    names = ["poems 古题 3", "poems 古题 7"]
    assert plan_document(plan)["plan"]["judge_set_aside"] == names
    study = rated(study)
    rows = good_rows(study)
    # There the judge is wrong, as far as it can be: nobody sees it.
    wrong = [{**row, "score": 11 - row["score"]} if row["prompt"] in names else row for row in rows]
    judge_of(study, tmp_path, rows)
    judge_of(study, tmp_path, wrong, key="another")
    another, llm = study_report(study).judges
    assert (llm.set_aside, another.set_aside) == (2, 0)
    assert (llm.checks[0].texts, another.checks[0].texts) == (54, 60)
    judge_of(study, tmp_path, with_others(study, wrong), key="other", sampling="random")
    Judge.objects.filter(key="llm").delete()
    Judge.objects.filter(key="other").update(key="llm")
    (judge,) = (one for one in study_report(study).judges if one.key == "llm")
    kappa, found = judge.checks[0].kappa, judge.checks[0].combined[0].mean
    assert kappa == llm.checks[0].kappa
    assert (found.rated, found.unrated, found.without_score, found.people.prompts) == (18, 60, 0, 18)
    said = words(section(study, "judge"))
    assert "2 prompts by which its own prompt was written were set aside before the first answer" in said
    document = report_document(study_report(study))
    cells = str([one.blocks for one in document.sections if one.key == "plan"])
    assert "it is checked against the evaluators, no more; set aside: poems 古题 3, poems 古题 7" in cells


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        (
            {"judge": "llm", "judge_use": "checks", "judge_set_aside": ["nowhere"]},
            "nowhere: no prompt of this study",
        ),
        ({"judge_set_aside": ["poems 古题 3"]}, "Name the judge and what its scores are for"),
        (
            {
                "judge": "llm",
                "judge_use": "checks",
                "judge_set_aside": [f"poems 古题 {number}" for number in range(1, PROMPTS + 1)],
            },
            "none left to check the judge by",
        ),
    ],
)
def test_what_cannot_be_set_aside_is_refused(study: Study, said: dict[str, Any], refusal: str) -> None:
    with pytest.raises(Refused, match=refusal):
        lock_plan(study, staff=None, primary_criterion=study.criteria.get(key="overall"), **said)


def test_page_api_and_command_set_prompts_aside(study: Study, admin_client: Client) -> None:
    more = {"judge": "llm", "judge_use": "checks"}
    other, third = build_study(slug="other"), build_study(slug="third")
    page: dict[str, Any] = {
        **more,
        "primary_criterion": "overall",
        "comparisons": ["method-0:method-1"],
        "is_meant": "on",
    }
    page |= {"off_scale": "kept", "planned_prompts": 2, "judge_set_aside": "\n other 古题 2 \n"}
    admin_client.post("/studies/other/plan/", page)
    assert "<dd>other 古题 2</dd>" in shown(admin_client, "/studies/other/plan/")
    body = {**more, "primary_criterion": "overall", "judge_set_aside": ["poems 古题 1"]}
    made = admin_client.post("/api/v1/studies/poems/plan/", body, content_type="application/json")
    assert made.json()["judge_set_aside"] == ["poems 古题 1"]
    call_command(
        "lock_plan", "third", "--primary", "overall", "--judge", "llm", "--judge-use", "checks",
        "--judge-set-aside", "third 古题 1",
    )  # fmt: skip
    found = dict(AnalysisPlan.objects.values_list("study__slug", "judge_set_aside"))
    assert found == {"other": ["other 古题 2"], "poems": ["poems 古题 1"], "third": ["third 古题 1"]}
    assert other.pk != third.pk


@pytest.mark.parametrize(("by", "tag"), [("uniform", ""), ("uniform", "domain"), ("variance", "")])
def test_every_format_has_the_draw_with_seed_who_and_chances(study: Study, by: str, tag: str) -> None:
    for number, prompt in enumerate(Prompt.objects.order_by("pk")):
        Prompt.objects.filter(pk=prompt.pk).update(tags={"domain": "newsy" if number < 5 else "verse"})
    compute_metric(study, "length", by=None)
    Candidate.objects.filter(pk__lt=study.pk + 10).update(text="好" * 30)
    Study.objects.filter(pk=study.pk).update(state="draft")
    olga = build_user("olga")
    draw_prompts(Study.objects.get(pk=study.pk), by=by, tag=tag, count=8, seed=4711, staff=olga)
    Study.objects.filter(pk=study.pk).update(state="open")
    rated(Study.objects.get(pk=study.pk))
    report = study_report(Study.objects.get(pk=study.pk))
    facts = json.loads(export(report, "json"))["prompt_draw"]
    assert (facts["seed"], facts["who"], facts["by"], facts["strata"]) == (4711, "olga", by, tag)
    assert sum(one["chance"] for one in facts["chances"]) == pytest.approx(8)
    assert sum(one["drawn"] for one in facts["chances"]) == 8 and len(facts["chances"]) == PROMPTS
    chance = f"{min(one['chance'] for one in facts['chances']):.2f}"[1:]
    for file_format in ("html", "tex", "xlsx", "pdf"):
        text = plain_text(export(report, file_format), file_format)
        assert "seed 4711" in text and "olga" in text, file_format
        assert "Least chance" in text and chance in text, file_format
        assert ("Only the section With the judge weighs" in text) == (by != "uniform"), file_format
        assert not tag or "newsy" in text, file_format
    rows = {
        row["table"]: row["value"]
        for row in csv.DictReader(io.StringIO(export(report, "csv").decode("utf-8-sig")))
    }
    assert rows[f"prompt_draw.by={by}.who=olga.seed"] == "4711"
    chances = [
        float(value) for name, value in rows.items() if name.startswith("prompt_draw.") and ".chance." in name
    ]
    assert chances == pytest.approx([one["chance"] for one in facts["chances"]])


def plain_text(body: bytes, file_format: str) -> str:
    """Return the words of a report in a format, with single blanks."""
    if file_format == "pdf":
        body = subprocess.run(["pdftotext", "-", "-"], input=body, capture_output=True, check=True).stdout
    if file_format == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(body))
        body = "\n".join(
            str(value)
            for sheet in book
            for row in sheet.iter_rows(values_only=True)
            for value in row
            if value is not None
        ).encode()
    return " ".join(body.decode().replace("\xa0", " ").replace("~", " ").split())
