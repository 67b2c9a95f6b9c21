"""Groups of evaluators and covariates in a plan: by page, API and command, and planned or exploratory in the report."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from annotations.models import AnalysisPlan, Enrolment, EvaluatorGroup, Study
from annotations.plan.plan import deviations, lock_plan, locked_plan
from annotations.plan.simulation import Effects, simulate_ratings
from annotations.results.report import study_report
from annotations.results.report_formats import export
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import build_study
from generation.refusals import Refused
from stats.significance import holm

URL = "/studies/poems/plan/"
QUESTION = {
    "key": "field", "kind": "choice", "label": {"en": "Field"}, "choices": ["letters", "law"], "is_required": True,
}  # fmt: skip
PAIR = ["groups", "experts", "students"]


@pytest.fixture
def grouped(db: None) -> Study:
    """A study of three groups and a question with two answers."""
    study = build_study(prompts=12, methods=3)
    for key in ("experts", "students", "readers"):
        EvaluatorGroup.objects.create(study=study, key=key, name={"en": key.title()})
    study.questions = [QUESTION]
    study.save()
    return study


def answered(study: Study) -> Study:
    """Let five evaluators of each of two groups answer, and nobody of the third."""
    simulate_ratings(study, evaluators=10, seed=2, effects=Effects(step=1))
    groups = list(study.groups.order_by("pk"))
    for number, one in enumerate(Enrolment.objects.order_by("number")):
        Enrolment.objects.filter(pk=one.pk).update(
            group=groups[number % 2], form_answers={"field": ["letters", "law"][number // 5]}
        )
    close_study(study)
    return Study.objects.get(pk=study.pk)


def lock(study: Study, **said: Any) -> AnalysisPlan:
    overall = study.criteria.get(key="overall")
    return lock_plan(study, staff=None, primary_criterion=overall, **said)


def test_the_page_offers_every_two_groups_and_locks_those_that_are_ticked(
    grouped: Study, client: Client, carol: User
) -> None:
    client.force_login(carol)
    page = client.get(URL).content.decode()
    for words in ("Experts / Students (Group of evaluators)", "letters / law (Field)"):
        assert words in page
    assert "What comparisons are adjusted for" not in page
    fields = {
        "primary_criterion": "overall", "comparisons": ["method-0:method-1"], "off_scale": "kept",
        "planned_prompts": "12", "is_meant": "on", "group_comparisons": [json.dumps(PAIR)],
    }  # fmt: skip
    page = client.post(URL, fields, follow=True).content.decode()
    assert AnalysisPlan.objects.get().group_comparisons == [PAIR]
    assert "Experts / Students (Group of evaluators)" in page
    assert "letters / law" not in page
    bad = fields | {"group_comparisons": ['["groups", "experts", "nobody"]']}
    assert client.post(URL, bad).status_code == 400


def test_what_the_plan_names_is_planned_and_all_else_exploratory(grouped: Study) -> None:
    lock(
        grouped, comparisons=[("method-0", "method-2")], group_comparisons=[["groups", "students", "experts"]]
    )
    report = study_report(answered(grouped))
    of_groups, of_field = report.groups
    planned = [one for one in of_groups.differences if one.is_planned]
    assert [(one.a, one.b) for one in planned] == [("method-0", "method-2")]
    # One planned comparison needs no correction, and the exploratory ones get none.
    assert planned[0].p_holm == planned[0].crossed.p
    assert {one.p_holm for one in of_groups.differences if not one.is_planned} == {None}
    assert (of_groups.is_exploratory, of_field.is_exploratory) == (False, True)
    assert [one.p_holm for one in of_field.differences] == holm(
        [one.crossed.p for one in of_field.differences]
    )
    html = export(report, "html").decode()
    assert "The plan names the comparisons that are marked as planned; all others are exploratory." in html
    assert html.count("<td>planned</td>") == 1
    assert "Experts / Students (Group of evaluators)" in html
    found = json.loads(export(report, "json"))
    assert [one["exploratory"] for one in found["groups"]] == [False, True]
    assert "group_difference.Group of evaluators.Experts.Students.planned" in export(report, "csv").decode()
    assert deviations_of(grouped) == ()


def deviations_of(study: Study) -> tuple[str, ...]:
    from annotations.plan.plan import Conduct

    plan = locked_plan(study)
    conduct = Conduct(recruited=10, prompts=12, off_scale="kept", compared=(), method_labels={})
    return deviations(Study.objects.get(pk=study.pk), plan, conduct)


def test_planned_groups_that_cannot_be_compared_are_named(grouped: Study) -> None:
    lock(grouped, group_comparisons=[["groups", "students", "readers"]])
    html = export(study_report(answered(grouped)), "html").decode()
    assert (
        "Planned, but not to be compared, as each group needs three evaluators who count: Students / Readers"
        in html
    )
    assert "Exploratory: no plan names these groups." in html


@pytest.mark.parametrize(
    "pair",
    [
        ["groups", "experts", "nobody"],
        ["groups", "experts", "experts"],
        ["field", "letters", "law"],
        ["groups"],
    ],
)
def test_groups_that_there_are_not_are_refused(grouped: Study, pair: list[str]) -> None:
    with pytest.raises(Refused, match=r"are no two groups of this study\. There are groups:experts:students"):
        lock(grouped, group_comparisons=[pair])
    assert not AnalysisPlan.objects.exists()


def test_command_and_api_take_groups_and_the_digest_covers_them(
    grouped: Study, client: Client, carol: User
) -> None:
    with pytest.raises(CommandError, match="are no two groups"):
        call_command("lock_plan", "poems", "--primary", "overall", "--groups", "groups:experts:nobody")
    client.force_login(carol)
    body = {"primary_criterion": "overall", "group_comparisons": [["question.field", "law", "letters"], PAIR]}
    url = "/api/v1/studies/poems/plan/"
    sent = client.post(url, json.dumps(body), content_type="application/json")
    assert sent.status_code == 201
    assert sent.json()["group_comparisons"] == [PAIR, ["question.field", "letters", "law"]]
    assert sent.json()["document"]["plan"]["group_comparisons"] == sent.json()["group_comparisons"]
    assert sent.json()["covariates"] is None
    assert "covariates" not in sent.json()["document"]["plan"]


def test_the_command_locks_groups(grouped: Study) -> None:
    call_command(
        "lock_plan",
        "poems",
        "--primary",
        "overall",
        "--groups",
        "groups:experts:students",
        "question.field:law:letters",
    )
    assert AnalysisPlan.objects.get().group_comparisons == [PAIR, ["question.field", "letters", "law"]]


@pytest.fixture
def pairwise(db: None) -> Study:
    study = build_study(prompts=12, methods=3)
    Study.objects.filter(pk=study.pk).update(protocol="pairwise", candidates_per_page=2, has_best_picks=False)
    return Study.objects.get(pk=study.pk)


def test_what_comparisons_are_adjusted_for_is_ticked_in_the_plan(
    pairwise: Study, client: Client, carol: User
) -> None:
    client.force_login(carol)
    page = client.get(URL).content.decode()
    for name in ("first", "length", "marks"):
        assert f'name="covariates" value="{name}"' in page
    fields = {
        "primary_criterion": "overall", "comparisons": ["method-0:method-1"], "off_scale": "kept",
        "planned_prompts": "12", "is_meant": "on", "covariates": ["first"],
    }  # fmt: skip
    page = client.post(URL, fields, follow=True).content.decode()
    assert "which text was shown first" in page
    assert AnalysisPlan.objects.get().covariates == ["first"]
    simulate_ratings(pairwise, evaluators=10, seed=1, effects=Effects(step=1.5))
    close_study(pairwise)
    report = study_report(Study.objects.get(pk=pairwise.pk))
    assert report.preferences is not None
    assert report.preferences.adjusted_for == ("first",)
    assert [one.name for one in report.preferences.effects] == ["first"]
    assert (
        "They stand without and with what is known of the texts: shown first."
        in export(report, "html").decode()
    )


def test_a_plan_may_adjust_for_nothing_and_without_one_it_is_for_all(pairwise: Study) -> None:
    simulated = study_report(pairwise)
    assert simulated.plan is None
    with pytest.raises(Refused, match="x is none of first"):
        lock(pairwise, covariates=["x"])
    lock(pairwise, covariates=[])
    simulate_ratings(pairwise, evaluators=10, seed=1, effects=Effects(step=1.5))
    close_study(pairwise)
    report = study_report(Study.objects.get(pk=pairwise.pk))
    assert report.preferences is not None
    assert (report.preferences.adjusted_for, report.preferences.effects) == ((), ())
    assert all(one.strength == one.strength_adjusted for one in report.preferences.strengths)
    html = export(report, "html").decode()
    assert "By the plan they are adjusted for nothing." in html
    assert "Adjusted, the order" not in html


def test_covariates_of_a_study_of_ratings_are_refused(grouped: Study) -> None:
    with pytest.raises(Refused, match="Only comparisons of texts are adjusted"):
        lock(grouped, covariates=["first"])


def test_a_grouping_without_a_plan_is_corrected_over_all(grouped: Study) -> None:
    report = study_report(answered(grouped))
    assert all(one.is_exploratory for one in report.groups)
