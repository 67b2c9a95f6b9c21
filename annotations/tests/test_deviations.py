"""In what a study was not carried out as its locked plan said: every deviation is named."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from annotations.models import AnalysisPlan, Criterion, Enrolment, Study
from annotations.plan.plan import Conduct, deviations, lock_plan
from annotations.recruiting.enrolment import enrol
from annotations.results.document import report_document
from annotations.results.report import study_report
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import answer_everything, build_user
from generation.models import Method, Prompt
from stats.reports.document import Paragraph, Table

AS_PLANNED = Conduct(
    recruited=30,
    prompts=2,
    off_scale="kept",
    compared=(("method-0", "method-1"),),
    method_labels={f"method-{number}": f"Method {number}" for number in range(4)},
)


@pytest.fixture
def overall(study: Study) -> Criterion:
    return study.criteria.get(key="overall")


@pytest.fixture
def locked(study: Study, overall: Criterion) -> AnalysisPlan:
    """A plan with 30 evaluators and one comparison, on a study that is open."""
    return lock_plan(
        study,
        staff=None,
        primary_criterion=overall,
        comparisons=[("method-0", "method-1")],
        planned_evaluators=30,
    )


@pytest.fixture
def planned(study: Study, locked: AnalysisPlan) -> AnalysisPlan:
    """The plan of a study that has since been closed."""
    close_study(study)
    return locked


def test_a_study_carried_out_as_planned_has_no_deviation(study: Study, planned: AnalysisPlan) -> None:
    assert deviations(study, planned, AS_PLANNED) == ()


@pytest.mark.parametrize(
    ("conduct", "sentence"),
    [
        ({"recruited": 28}, "30 evaluators were planned and 28 recruited."),
        ({"recruited": 31}, "30 evaluators were planned and 31 recruited."),
        ({"prompts": 1}, "2 prompts were planned and 1 shown."),
        (
            {"off_scale": "missing"},
            "Scores off their scale were taken as missing; it was planned to keep them.",
        ),
        (
            {"compared": (("method-0", "method-1"), ("method-2", "method-0"))},
            "These comparisons were not planned and are exploratory: Method 2 – Method 0.",
        ),
    ],
)
def test_each_deviation_in_the_conduct_is_named(
    study: Study, planned: AnalysisPlan, conduct: dict[str, Any], sentence: str
) -> None:
    assert deviations(study, planned, replace(AS_PLANNED, **conduct)) == (sentence,)


def test_evaluators_are_not_too_few_while_they_may_still_come(study: Study, overall: Criterion) -> None:
    plan = lock_plan(study, staff=None, primary_criterion=overall, planned_evaluators=30)
    conduct = replace(AS_PLANNED, compared=())
    assert deviations(study, plan, replace(conduct, recruited=3)) == ()
    assert len(deviations(study, plan, replace(conduct, recruited=31))) == 1


def test_another_rule_of_exclusion_is_named(study: Study, planned: AnalysisPlan) -> None:
    study.inconsistency_threshold = Decimal("0.35")
    assert deviations(study, planned, AS_PLANNED) == (
        "Evaluators were left out above 35\N{NO-BREAK SPACE}% inconsistent pages instead of the planned"
        " 20\N{NO-BREAK SPACE}%.",
    )


def test_a_change_of_the_methods_is_named(study: Study, planned: AnalysisPlan) -> None:
    Method.objects.filter(key="method-2").update(key="method-2b")
    assert deviations(study, planned, AS_PLANNED) == ("The methods are not those of the plan.",)


def test_a_change_of_a_scale_is_named(study: Study, planned: AnalysisPlan) -> None:
    Criterion.objects.filter(key="format").update(maximum=7)
    assert deviations(study, planned, AS_PLANNED) == (
        "The criteria or their scales are not those of the plan.",
    )


def test_another_prompt_is_named(study: Study, planned: AnalysisPlan) -> None:
    Prompt.objects.filter(text="poems 古题 2").update(text="poems 新题")
    assert deviations(study, planned, AS_PLANNED) == ("The prompts are not those of the plan.",)


def test_a_new_address_is_named(study: Study, planned: AnalysisPlan) -> None:
    study.slug = "renamed"
    assert deviations(study, planned, AS_PLANNED) == (
        "The study has another name in its address than when the plan was locked.",
    )


def test_a_plan_changed_behind_the_triggers_no_longer_matches_its_digest(
    study: Study, planned: AnalysisPlan
) -> None:
    planned.notes = "as it turned out"
    assert deviations(study, planned, AS_PLANNED) == (
        "The stored plan no longer matches its digest: it was changed after it was locked.",
    )


def test_a_study_without_a_plan_says_so(study: Study, enrolment: Enrolment) -> None:
    assert deviations(study, None, AS_PLANNED) == ("No plan is locked yet.",)
    answer_everything(enrolment)
    assert deviations(study, None, AS_PLANNED) == ("No plan was locked before the first answer.",)


def test_an_imported_study_was_not_planned_here(study: Study) -> None:
    close_study(study)
    assert deviations(study, None, AS_PLANNED) == ("No plan was locked before the first answer.",)


def test_the_report_names_plan_and_deviations(study: Study, locked: AnalysisPlan) -> None:
    for number in range(2):
        answer_everything(enrol(study, build_user(f"evaluator-{number}")))
    close_study(study)
    report = study_report(study)
    assert report.plan is not None
    assert report.plan.digest == locked.digest
    assert report.deviations_from_plan == (
        "30 evaluators were planned and 2 recruited.",
        "These comparisons were not planned and are exploratory: Method 0 – Method 2, Method 0 – Method 3,"
        " Method 1 – Method 2, Method 1 – Method 3, Method 2 – Method 3.",
    )


def test_the_report_of_a_study_whose_methods_were_renamed_prints_the_plan_as_it_was(
    study: Study, planned: AnalysisPlan
) -> None:
    for key in ("method-0", "method-1"):
        Method.objects.filter(key=key).update(key=f"{key}-renamed")
    (plan,) = [section for section in report_document(study_report(study)).sections if section.key == "plan"]
    (table,) = [block for block in plan.blocks if isinstance(block, Table)]
    assert ("Comparisons", "method-1 − method-0") in table.rows
    assert ("Notes", "–") in table.rows
    assert Paragraph("The methods are not those of the plan.", is_notice=True) in plan.blocks
