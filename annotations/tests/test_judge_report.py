"""What the report says of a judge: sealed as ratings are, in every format, in both languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils.translation import override

from annotations.judges.files import read_scores
from annotations.judges.judges import About, import_scores
from annotations.judges.tests.cast import score_rows, write_scores
from annotations.models import AnalysisPlan, Enrolment, Judge, Rating, Study
from annotations.plan.plan import lock_plan, plan_document
from annotations.plan.simulation import Effects, simulate_ratings
from annotations.results.document import report_document
from annotations.results.report import study_report
from annotations.results.report_formats import export
from annotations.tests.cast import build_study
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
