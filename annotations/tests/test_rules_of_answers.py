"""What holds of answers by every protocol alike: they are sealed, fix the study, keep a sub-task, and come whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from annotations.access.fixed import has_answers
from annotations.models import AnswerChange, Assignment, Enrolment, EvaluatorGroup, Study
from annotations.models.protocols import ANSWERS
from annotations.questionnaire.judging import SentJudgement, save_judgements
from annotations.questionnaire.saving import Answer, OffScale, PageAddress, UnknownPlace, save_page
from annotations.questionnaire.written.saving import BadText, SentText, save_texts
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.sharing_out import abandoned
from annotations.results.answer_rows import answers
from annotations.results.checklists.rows import checklist_rows
from annotations.results.judgements.rows import judgement_rows
from annotations.results.preferences.layouts import layout_rows
from annotations.results.preferences.pairs import preferences
from annotations.results.quality.groupings import groupings
from annotations.results.seal import Sealed
from annotations.results.spans.rows import span_rows
from annotations.results.turns.rows import turn_rows
from annotations.results.written.rows import written_rows
from annotations.setup.study import change_study
from annotations.tests.cast import build_study, build_user
from annotations.tests.hostile import stored
from annotations.tests.test_hostile_answers import CASES, addresses
from generation.refusals import Refused

ROWS: list[Callable[[Study], Any]] = [
    answers,
    judgement_rows,
    checklist_rows,
    turn_rows,
    span_rows,
    written_rows,
    lambda study: layout_rows(study, "pairs"),
    lambda study: preferences(study, "ratings"),
]


@pytest.fixture
def as_alice(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def test_rows_of_any_answers_are_sealed_while_people_answer(alice: User) -> None:
    study = build_study()
    enrol(study, alice)
    for rows in ROWS:
        with pytest.raises(Sealed):
            rows(study)


@pytest.mark.parametrize("protocol", CASES)
def test_an_answer_of_any_kind_is_one_even_without_its_history(
    alice: User, as_alice: Client, protocol: str
) -> None:
    case = CASES[protocol](alice)
    Study.objects.filter(pk=case.study.pk).update(
        evaluators_per_subtask=3, subtasks_per_evaluator=1, hours_to_give_back=1
    )
    Assignment.objects.update(created_at=timezone.now() - timedelta(hours=5))
    assert not has_answers(case.study)
    assert abandoned(Study.objects.get(pk=case.study.pk)).count() == 1
    assert as_alice.post(addresses(case)[0], case.on_page, content_type="application/json").status_code == 200
    AnswerChange.objects.all().delete()
    assert sum(model._default_manager.count() for model in ANSWERS) >= 1
    assert has_answers(case.study)
    assert not abandoned(Study.objects.get(pk=case.study.pk)).exists()


def test_answers_that_were_taken_back_came_before_a_plan_all_the_same(alice: User) -> None:
    study = build_study()
    enrolment = enrol(study, alice)
    assert not has_answers(study)
    Enrolment.objects.filter(pk=enrolment.pk).update(withdrawn_at=timezone.now(), answers_removed=2)
    assert has_answers(study)


@pytest.mark.parametrize("protocol", CASES)
def test_nothing_is_stored_before_an_evaluator_agrees(alice: User, as_alice: Client, protocol: str) -> None:
    case = CASES[protocol](alice)
    Study.objects.filter(pk=case.study.pk).update(consent={"en": "Agree?"})
    for path, body in zip(addresses(case), (case.on_page, case.by_api), strict=True):
        refused = as_alice.post(path, body, content_type="application/json")
        assert 400 <= refused.status_code < 500
        assert "Agree to take part first" in refused.content.decode()
    assert not any(stored())


def test_answers_that_are_sent_together_are_stored_together_or_not_at_all(alice: User) -> None:
    pairs, reasons = CASES["pairwise"](alice), CASES["reasons"](alice)
    first = SentJudgement(pairs.on_page["token"], "overall", 1, number=1)
    address = PageAddress(pairs.study.slug, 1, 1)
    with pytest.raises(UnknownPlace):
        save_judgements(alice, address, [first, SentJudgement("nobody", "overall", 1, number=1)])
    token, address = reasons.on_page["token"], PageAddress("reasons", 1, 1)
    with pytest.raises(BadText):
        save_texts(alice, address, [SentText(token, "reason", "One.", 1), SentText(token, "reason", "\0", 2)])
    with pytest.raises(OffScale):
        save_page(alice, address, [Answer(token, 1, "overall", 3), Answer(token, 2, "overall", 99)])
    assert not any(stored())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("protocol", "pairwise"),
        ("preference_scale", "steps"),
        ("candidates_per_page", 2),
        ("reasons", "page"),
        ("has_corrections", True),
    ],
)
def test_what_a_page_asks_is_fixed_with_the_first_evaluator(alice: User, name: str, value: Any) -> None:
    study = build_study()
    Study.objects.update(state="draft", launched_at=None)
    study.refresh_from_db()
    enrol_quietly(study, alice)
    with pytest.raises(Refused, match="Evaluators are enrolled already"):
        change_study(study, by=None, **{name: value})
    assert getattr(Study.objects.get(), name) == getattr(study, name) != value


def enrol_quietly(study: Study, evaluator: User) -> None:
    """Enrol somebody in a draft, as only a study from before this rule can have it."""
    Enrolment.objects.create(
        study=study, evaluator=evaluator, number=0, pseudonym="E001", deadline=timezone.now()
    )


def test_groups_are_those_of_the_site_and_of_questions_with_choices_without_whoever_has_withdrawn(
    db: None,
) -> None:
    study = build_study()
    Study.objects.update(
        questions=[
            {"key": "age", "label": {"en": "Age"}, "kind": "number", "choices": [], "is_required": False},
            {
                "key": "job", "label": {"en": "Job"}, "kind": "choice", "choices": ["poet", "cook"],
                "is_required": False,
            },
        ]
    )  # fmt: skip
    study.refresh_from_db()
    experts = EvaluatorGroup.objects.create(study=study, key="experts", name={"en": "Experts"})
    for number, (group, job) in enumerate([(experts, "poet"), (None, "cook"), (experts, "poet")]):
        enrolment = enrol(study, build_user(f"evaluator-{number}"))
        Enrolment.objects.filter(pk=enrolment.pk).update(group=group, form_answers={"job": job, "age": 30})
    Enrolment.objects.filter(number=2).update(withdrawn_at=timezone.now(), answers_removed=0, form_answers={})
    found = groupings(study)
    assert [dict(one.group_of) for one in found] == [
        {"E001": "Experts"},
        {"E001": "poet", "E002": "cook"},
    ]
    assert found[1].name == "Job"
