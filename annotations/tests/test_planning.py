"""The plan of an analysis: locked once, before the first answer, and named wherever it was not followed."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import translation

from annotations.models import AnalysisPlan, AnswerChange, BestChoice, Criterion, Enrolment, Rating, Study
from annotations.plan.facts import plan_facts
from annotations.plan.plan import lock_plan, locked_plan
from annotations.recruiting.enrolment import enrol
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import build_study, build_user, placements
from generation.refusals import Refused

EVERY_PAIR = [[f"method-{a}", f"method-{b}"] for a in range(4) for b in range(a + 1, 4)]


@pytest.fixture
def overall(study: Study) -> Criterion:
    return study.criteria.get(key="overall")


@pytest.fixture
def plan(study: Study, overall: Criterion) -> AnalysisPlan:
    return lock_plan(study, staff=None, primary_criterion=overall)


def rate(enrolment: Enrolment) -> None:
    """Give one rating on the overall criterion."""
    placement = placements(enrolment.study, enrolment.evaluator)[0]
    criterion = enrolment.study.criteria.get(key="overall")
    Rating.objects.create(enrolment=enrolment, candidate=placement.candidate, criterion=criterion, score=3)


def assert_refused(write: Callable[[], Any], match: str) -> None:
    """Deferred triggers run at the end of the transaction, so they are called in before it."""
    with pytest.raises(IntegrityError, match=match), transaction.atomic():
        write()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_plan_compares_every_pair_unless_told_otherwise(plan: AnalysisPlan, study: Study) -> None:
    assert plan.comparisons == EVERY_PAIR
    assert plan.planned_prompts == 2
    assert plan.inconsistency_threshold == Decimal("0.2")
    assert locked_plan(study) == plan


def test_chosen_pairs_are_kept_once_and_in_the_order_of_the_study(study: Study, overall: Criterion) -> None:
    chosen = [("method-3", "method-0"), ("method-1", "method-0"), ("method-0", "method-1")]
    plan = lock_plan(study, staff=None, primary_criterion=overall, comparisons=chosen)
    assert plan.comparisons == [["method-0", "method-1"], ["method-0", "method-3"]]


def test_the_digest_is_that_of_the_whole_plan_written_by_hand(
    study: Study, overall: Criterion, carol: User
) -> None:
    plan = lock_plan(
        study,
        staff=carol,
        primary_criterion=overall,
        comparisons=[("method-0", "method-3")],
        equivalence_margin=Decimal("0.5"),
        planned_evaluators=30,
        notes="先定后评。",
    )
    prompts = sorted(
        hashlib.sha256(
            f'{{"description":"","genre":"poem","text":"poems 古题 {number}"}}'.encode()
        ).hexdigest()
        for number in (1, 2)
    )
    text = (
        '{"design":{"criteria":['
        '{"is_overall":false,"key":"format","maximum":5,"minimum":1},'
        '{"is_overall":true,"key":"overall","maximum":10,"minimum":1}],'
        '"methods":["method-0","method-1","method-2","method-3"],'
        f'"prompts":["{prompts[0]}","{prompts[1]}"],"study":"poems"}},'
        '"plan":{"comparisons":[["method-0","method-3"]],"equivalence_margin":"0.500",'
        '"inconsistency_threshold":"0.200","notes":"先定后评。","off_scale":"kept","planned_evaluators":30,'
        '"planned_prompts":2,"primary_criterion":"overall"}}'
    )
    expected = hashlib.sha256(text.encode()).hexdigest()
    assert plan.digest == expected
    stored = locked_plan(study)
    assert stored is not None
    facts = plan_facts(stored)
    assert (facts.digest, facts.document) == (expected, json.loads(text))
    assert (facts.locked_by, facts.equivalence_margin, facts.planned_evaluators) == ("carol", 0.5, 30)


def test_a_second_plan_is_refused(plan: AnalysisPlan, study: Study, overall: Criterion) -> None:
    with pytest.raises(Refused, match="locked already"):
        lock_plan(study, staff=None, primary_criterion=overall)
    assert AnalysisPlan.objects.get() == plan


def test_a_plan_after_the_first_answer_is_refused(
    study: Study, enrolment: Enrolment, overall: Criterion
) -> None:
    rate(enrolment)
    with pytest.raises(Refused, match="first answer has been given"):
        lock_plan(study, staff=None, primary_criterion=overall)


def test_a_pick_is_an_answer(study: Study, enrolment: Enrolment, overall: Criterion) -> None:
    first = placements(study, enrolment.evaluator)[0]
    BestChoice.objects.create(enrolment=enrolment, page=first.page, candidate=first.candidate)
    with pytest.raises(Refused, match="first answer has been given"):
        lock_plan(study, staff=None, primary_criterion=overall)


def test_an_answer_that_was_taken_back_is_still_the_first(
    study: Study, enrolment: Enrolment, overall: Criterion
) -> None:
    first = placements(study, enrolment.evaluator)[0]
    AnswerChange.objects.create(
        enrolment=enrolment, page=first.page, candidate=first.candidate, client_order=1
    )
    with pytest.raises(Refused, match="first answer has been given"):
        lock_plan(study, staff=None, primary_criterion=overall)


def test_simulated_answers_are_no_first_answer(
    study: Study, enrolment: Enrolment, overall: Criterion
) -> None:
    Enrolment.objects.update(source=Enrolment.Source.SIMULATED)
    rate(enrolment)
    lock_plan(study, staff=None, primary_criterion=overall)
    assert AnalysisPlan.objects.exists()


def test_a_closed_study_has_nothing_left_to_plan(study: Study, overall: Criterion) -> None:
    close_study(study)
    with pytest.raises(Refused, match="closed"):
        lock_plan(study, staff=None, primary_criterion=overall)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"comparisons": [("method-0", "lost")]},
            "lost is no method of this study. Its methods are method-0",
        ),
        ({"comparisons": [("method-1", "method-1")]}, "method-1 cannot be compared with itself"),
        ({"comparisons": []}, "at least one pair"),
        ({"equivalence_margin": Decimal(0)}, "more than 0 and less than the 9 points"),
        ({"equivalence_margin": Decimal(9)}, "more than 0 and less than the 9 points"),
    ],
)
def test_a_plan_that_nobody_could_carry_out_is_refused(
    study: Study, overall: Criterion, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(Refused, match=message):
        lock_plan(study, staff=None, primary_criterion=overall, **fields)
    assert not AnalysisPlan.objects.exists()


def test_a_criterion_of_another_study_cannot_be_primary(study: Study) -> None:
    other = build_study(slug="other").criteria.get(key="overall")
    with pytest.raises(Refused, match="one of this study"):
        lock_plan(study, staff=None, primary_criterion=other)


def unlocked(study: Study, **fields: Any) -> AnalysisPlan:
    """Return a plan that only the database judges."""
    sound = {
        "primary_criterion": study.criteria.get(key="overall"),
        "comparisons": [["method-0", "method-1"]],
        "inconsistency_threshold": Decimal("0.2"),
        "planned_prompts": 2,
        "design": {},
        "digest": "0" * 64,
    }
    return AnalysisPlan(study=study, **sound | fields)


def test_the_database_refuses_a_plan_after_the_first_answer(study: Study, enrolment: Enrolment) -> None:
    rate(enrolment)
    assert_refused(unlocked(study).save, "its plan can no longer be locked")


def test_the_database_refuses_a_criterion_of_another_study(study: Study) -> None:
    other = build_study(slug="other").criteria.get(key="overall")
    assert_refused(unlocked(study, primary_criterion=other).save, "is not of the study of the plan")


@pytest.mark.parametrize(
    "comparisons",
    [
        [],
        {"a": "method-0"},
        [["method-0"]],
        [["method-0", "method-0"]],
        [["method-0", "lost"]],
        [["method-0", "method-1", "method-2"]],
        ["method-0"],
    ],
)
def test_the_database_refuses_what_is_no_pair_of_methods(study: Study, comparisons: Any) -> None:
    assert_refused(unlocked(study, comparisons=comparisons).save, "a plan compares|a comparison of the plan")


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"equivalence_margin": 0}, "plan_margin_positive"),
        ({"planned_evaluators": 0}, "plan_evaluators_positive"),
        ({"planned_prompts": 0}, "plan_prompts_positive"),
        ({"off_scale": "lost"}, "plan_off_scale_known"),
        ({"digest": "0" * 63}, "plan_digest_is_sha256"),
    ],
)
def test_the_database_refuses_a_value_outside_its_range(
    study: Study, fields: dict[str, Any], name: str
) -> None:
    assert_refused(unlocked(study, **fields).save, name)


def test_a_locked_plan_cannot_be_changed(plan: AnalysisPlan) -> None:
    plan.notes = "as it turned out"
    assert_refused(plan.save, "a row of annotations_analysisplan cannot be changed")


def test_a_locked_plan_cannot_be_deleted(plan: AnalysisPlan) -> None:
    assert_refused(plan.delete, "cannot be deleted without its study")


def test_a_plan_goes_with_its_study(plan: AnalysisPlan, study: Study) -> None:
    study.delete()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert not AnalysisPlan.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_locking_waits_for_an_answer_that_is_being_saved() -> None:
    study = build_study()
    enrolment = enrol(study, build_user("alice"))
    overall = study.criteria.get(key="overall")
    refusals: list[str] = []

    def lock_elsewhere() -> None:
        try:
            lock_plan(study, staff=None, primary_criterion=overall)
        except Refused as refused:
            refusals.append(str(refused))
        finally:
            connection.close()

    with transaction.atomic():
        rate(enrolment)
        with connection.cursor() as cursor:
            # As the end of the transaction does: from here on the answer holds its enrolment.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        thread = Thread(target=lock_elsewhere)
        thread.start()
        thread.join(timeout=0.5)
        assert thread.is_alive()
    thread.join(timeout=10)
    assert len(refusals) == 1
    assert not AnalysisPlan.objects.exists()


def locked_by_command(*arguments: str) -> str:
    output = io.StringIO()
    call_command("lock_plan", *arguments, stdout=output)
    return output.getvalue()


def test_the_command_locks_a_plan(study: Study) -> None:
    said = locked_by_command(
        "poems", "--primary", "overall", "--margin", "0.5", "--evaluators", "30",
        "--compare", "method-0:method-3", "method-1:method-3", "--notes", "先定后评。",
    )  # fmt: skip
    plan = AnalysisPlan.objects.get()
    assert said == f"poems: the plan is locked, digest {plan.digest}\n"
    assert plan.comparisons == [["method-0", "method-3"], ["method-1", "method-3"]]
    assert (plan.equivalence_margin, plan.planned_evaluators) == (Decimal("0.5"), 30)
    assert (plan.notes, plan.locked_by) == ("先定后评。", None)
    assert plan_facts(plan).locked_by == "command line"
    with translation.override("zh-hans"):
        assert plan_facts(plan).digest == plan.digest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lost", "--primary", "overall"], "lost: no such study"),
        (["poems", "--primary", "lost"], "--primary lost: no such criterion; there are format, overall"),
        (
            ["poems", "--primary", "overall", "--compare", "method-0"],
            "'method-0' is not of the form METHOD:METHOD",
        ),
        (["poems", "--primary", "overall", "--margin", "wide"], "'wide' is not a number with at most three"),
        (["poems", "--primary", "overall", "--margin", "nan"], "'nan' is not a number with at most three"),
        (["poems", "--primary", "overall", "--margin", "0.0001"], "at most three decimals"),
        (["poems", "--primary", "overall", "--margin", "9"], "poems: The margin must be more than 0"),
        (["poems", "--primary", "overall", "--compare", "method-0:lost"], "poems: lost is no method"),
    ],
)
def test_the_command_says_in_one_line_what_is_wrong(study: Study, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        locked_by_command(*arguments)
    assert not AnalysisPlan.objects.exists()


def test_planned_effect_and_analysis_are_part_of_the_plan_and_of_its_digest(
    study: Study, overall: Criterion
) -> None:
    plan = lock_plan(
        study,
        staff=None,
        primary_criterion=overall,
        planned_effect=Decimal("0.75"),
        analysis=AnalysisPlan.Analysis.RATINGS_MODEL,
    )
    facts = plan_facts(plan)
    assert (facts.planned_effect, facts.analysis) == (0.75, "ratings model")
    assert facts.document["plan"]["planned_effect"] == "0.750"
    assert facts.document["plan"]["analysis"] == "ratings model"


@pytest.mark.parametrize("effect", [Decimal("0"), Decimal("-1"), Decimal("40")])
def test_effect_that_the_scale_does_not_have_is_refused(
    study: Study, overall: Criterion, effect: Decimal
) -> None:
    with pytest.raises(Refused, match="The planned effect must be more than 0"):
        lock_plan(study, staff=None, primary_criterion=overall, planned_effect=effect)
    assert locked_plan(study) is None
