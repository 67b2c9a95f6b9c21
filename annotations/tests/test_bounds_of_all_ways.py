"""Each bound of an act holds whichever way it is asked: by the act itself, its page, the API and its command."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.forms import BaseForm
from django.test import Client

from annotations.access.accounts import create_account
from annotations.access.roles import user_named
from annotations.models import AnalysisPlan, EvaluatorGroup, Invitation, OpenLink, Study
from annotations.payments.ledger import mark_paid
from annotations.recruiting.consent import check_questions, parse_answers
from annotations.recruiting.invitations import Invitee, group_of, invite, make_open_link, put_group
from annotations.setup.rubrics import load_rubric
from annotations.setup.runs import start_run
from annotations.setup.study import change_study, create_study
from annotations.tests.cast import build_study
from generation.compose.composing import compose
from generation.orders import Order
from generation.refusals import Refused
from generation.self_training.chain import start_self_training
from generation.self_training.titles import draw_titles

LONG, NUL, HALF = "x" * 30_000, "a\x00b", "a\ud800b"
TEXTS = (LONG, NUL, HALF)
NUMBERS = (10**30, -1)


def group(study: Study, **fields: Any) -> EvaluatorGroup:
    plain: dict[str, Any] = {"key": "experts", "name": {"en": "Experts"}, "payment": None}
    return put_group(study, by=None, **(plain | fields))


def question(label: str = "Age?", choices: tuple[str, ...] = ()) -> Any:
    kind = "choice" if choices else "text"
    fields = {"key": "age", "kind": kind, "label": {"en": label}, "choices": list(choices)}
    return check_questions([{**fields, "is_required": True}])


def ask(order: Order) -> Any:
    return compose(order, visitor="v", address="192.0.2.7")


def train(study: Study, **fields: Any) -> Any:
    return start_self_training("new", [["春夜"]], base_model="verse", **fields)


ACTS: dict[str, tuple[Callable[[Study, Any], Any], tuple[Any, ...]]] = {
    "group key": (lambda study, value: group(study, key=value), (*TEXTS, "")),
    "group name": (lambda study, value: group(study, name={"en": value}), (*TEXTS, "")),
    "group payment": (
        lambda study, value: group(study, payment=Decimal(value)),
        (*NUMBERS, "NaN", "Infinity", "0.001"),
    ),
    "group of": (lambda study, value: group_of(study, value), TEXTS),
    "invited name": (lambda study, value: invite(study, [Invitee(name=value)], by=None), TEXTS),
    "invited address": (lambda study, value: invite(study, [Invitee(f"{value}@x.org")], by=None), TEXTS),
    "invited": (lambda study, value: invite(study, [Invitee()] * value, by=None), (0, 1_001)),
    "link code": (
        lambda study, value: make_open_link(study, limit=1, by=None, completion_code=value),
        TEXTS,
    ),
    "link address": (
        lambda study, value: make_open_link(study, limit=1, by=None, completion_url=f"https://x.org/{value}"),
        TEXTS,
    ),
    "payment reference": (lambda study, value: mark_paid(study, [], by=None, reference=value), TEXTS),
    "role": (lambda study, value: user_named(value), (*TEXTS, "")),
    "account": (lambda study, value: create_account(value), (*TEXTS, "")),
    "study slug": (
        lambda study, value: create_study(slug=value, rubric=load_rubric("poem"), by=None),
        (*TEXTS, ""),
    ),
    "study title": (lambda study, value: change_study(study, by=None, title={"en": value}), TEXTS),
    "consent": (lambda study, value: change_study(study, by=None, consent={"zh-hans": value}), TEXTS),
    "instructions": (lambda study, value: change_study(study, by=None, instructions={"en": value}), TEXTS),
    "payment": (
        lambda study, value: change_study(study, by=None, payment=value),
        (*NUMBERS, "NaN", "Infinity", ""),
    ),
    "threshold": (
        lambda study, value: change_study(study, by=None, inconsistency_threshold=value),
        (2, -1, "NaN"),
    ),
    "days to rate": (
        lambda study, value: change_study(study, by=None, days_to_rate=value),
        (*NUMBERS, 0, ""),
    ),
    "question": (lambda study, value: question(value), (*TEXTS, "")),
    "choice": (lambda study, value: question(choices=("yes", value)), (*TEXTS, "")),
    "answer": (lambda study, value: parse_answers(question(), {"age": value}), (*TEXTS, "")),
    "run seed": (lambda study, value: start_run(study, "inverse_prompting", seed=value), NUMBERS),
    "run model": (lambda study, value: start_run(study, "inverse_prompting", model=value), TEXTS),
    "composed title": (
        lambda study, value: ask(Order("inverse_prompting", "poem", value)),
        (*TEXTS, "", " "),
    ),
    "composed seed": (
        lambda study, value: ask(Order("inverse_prompting", "poem", "春夜", seed=value)),
        NUMBERS,
    ),
    "composed author": (
        lambda study, value: ask(Order("inverse_prompting", "poem", "春夜", author=value)),
        TEXTS,
    ),
    "training name": (
        lambda study, value: start_self_training(value, [["春夜"]], base_model="verse"),
        (*TEXTS, ""),
    ),
    "training cycles": (lambda study, value: train(study, cycles=value), (*NUMBERS, 0)),
    "training steps": (lambda study, value: train(study, steps=value), (*NUMBERS, 0)),
    "training seed": (lambda study, value: train(study, seed=value), NUMBERS),
    "training share": (lambda study, value: train(study, keep_share=value), (2.0, 0.0, -1.0, float("nan"))),
    "training titles": (
        lambda study, value: draw_titles(value, cycles=1, seed=0, model="verse"),
        (*NUMBERS, 0),
    ),
}
CASES = [(act, value) for act, (_, values) in ACTS.items() for value in values]


@pytest.fixture
def study(db: None) -> Study:
    study = build_study()
    Study.objects.filter(pk=study.pk).update(state=Study.State.DRAFT)
    study.refresh_from_db()
    return study


def rows() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Study, EvaluatorGroup, Invitation, OpenLink, User))


@pytest.mark.parametrize(("act", "value"), CASES, ids=lambda value: ascii(value)[:20])
def test_an_act_refuses_what_is_out_of_bounds_and_changes_nothing(study: Study, act: str, value: Any) -> None:
    before = rows(), Study.objects.values().get()
    with pytest.raises((Refused, ValidationError)) as refused:
        ACTS[act][0](study, value)
    assert "onstraint" not in str(refused.value)
    assert (rows(), Study.objects.values().get()) == before


@dataclass(frozen=True)
class Way:
    """One act as page, API and command take it, with a place for the value."""

    page: str
    form: dict[str, str]
    method: str
    call: str
    body: dict[str, Any]
    command: tuple[str, ...]


VALUE = "VALUE"
WAYS = {
    "group": Way(
        "/manage/studies/poems/people/groups/",
        {"key": "experts", "name_en": VALUE},
        "put",
        "/api/v1/studies/poems/groups/",
        {"key": "experts", "name_en": VALUE},
        ("evaluator_group", "poems", "experts", "--name", VALUE),
    ),
    "role": Way(
        "/manage/studies/poems/roles/give/",
        {"username": VALUE, "role": "owner"},
        "post",
        "/api/v1/studies/poems/roles/",
        {"username": VALUE, "role": "owner"},
        ("give_role", "poems", VALUE, "owner"),
    ),
    "link": Way(
        "/manage/studies/poems/people/links/",
        {"limit": "3", "completion_code": VALUE},
        "post",
        "/api/v1/studies/poems/links/",
        {"limit": 3, "completion_code": VALUE},
        ("open_link", "poems", "--limit", "3", "--completion-code", VALUE),
    ),
    "study": Way(
        "/manage/studies/new/",
        {"slug": VALUE, "title_en": "New", "rubric": "poem"},
        "post",
        "/api/v1/studies/",
        {"slug": VALUE},
        ("create_study", VALUE, "--rubric", "poem"),
    ),
    "consent": Way(
        "/manage/studies/poems/consent/",
        {"consent_en": VALUE, "form-TOTAL_FORMS": "0", "form-INITIAL_FORMS": "0"},
        "patch",
        "/api/v1/studies/poems/",
        {"consent_en": VALUE},
        ("change_study", "poems", "--consent-en", VALUE),
    ),
}


def put(what: Any, value: str) -> Any:
    """Return what is sent with the value in its place."""
    if isinstance(what, dict):
        return {name: value if one == VALUE else one for name, one in what.items()}
    return [value if one == VALUE else one for one in what]


@pytest.mark.parametrize("value", [LONG, NUL, HALF], ids=["long", "nul", "half"])
@pytest.mark.parametrize("way", WAYS)
def test_page_api_and_command_refuse_the_same_in_one_line(study: Study, way: str, value: str) -> None:
    asked = WAYS[way]
    page = Client()
    page.force_login(User.objects.create_superuser("root"))
    before = rows(), Study.objects.values().get()
    if value != HALF:
        # Bytes of a form that are no UTF-8 become the mark for them before any form is read.
        assert page.post(asked.page, put(asked.form, value)).status_code in (200, 400)
    body = json.dumps(put(asked.body, value))
    response = page.generic(asked.method.upper(), asked.call, body, content_type="application/json")
    assert response.status_code in (400, 409)
    assert response.json()["detail"]
    with pytest.raises(CommandError) as refused:
        call_command(*put(asked.command, value))
    assert "\n" not in str(refused.value)
    assert (rows(), Study.objects.values().get()) == before


def setting(name: str) -> Way:
    """One of the numbers of a study."""
    option = f"--{name.replace('_', '-')}"
    page, call = "/manage/studies/poems/settings/", "/api/v1/studies/poems/"
    return Way(page, {name: VALUE}, "patch", call, {name: VALUE}, ("change_study", "poems", option, VALUE))


NUMBERS_OF_WAYS = {
    "days_to_rate": setting("days_to_rate"),
    "prompts_per_subtask": setting("prompts_per_subtask"),
    "hours_to_give_back": setting("hours_to_give_back"),
    "evaluators_per_subtask": setting("evaluators_per_subtask"),
    "subtasks_per_evaluator": setting("subtasks_per_evaluator"),
    "inconsistency_threshold": setting("inconsistency_threshold"),
    "payment": setting("payment"),
    "payment of a group": Way(
        "/manage/studies/poems/people/groups/",
        {"key": "experts", "name_en": "Experts", "payment": VALUE},
        "put",
        "/api/v1/studies/poems/groups/",
        {"key": "experts", "name_en": "Experts", "payment": VALUE},
        ("evaluator_group", "poems", "experts", "--name", "Experts", "--payment", VALUE),
    ),
    "limit": Way(
        "/manage/studies/poems/people/links/",
        {"limit": VALUE},
        "post",
        "/api/v1/studies/poems/links/",
        {"limit": VALUE},
        ("open_link", "poems", "--limit", VALUE),
    ),
    "planned_evaluators": Way(
        "/studies/poems/plan/",
        {"planned_evaluators": VALUE},
        "post",
        "/api/v1/studies/poems/plan/",
        {"primary_criterion": "overall", "planned_evaluators": VALUE},
        ("lock_plan", "poems", "--primary", "overall", "--evaluators", VALUE),
    ),
    "planned_prompts": Way(
        "/studies/poems/plan/",
        {"planned_prompts": VALUE},
        "post",
        "/api/v1/studies/poems/plan/",
        {"primary_criterion": "overall", "planned_prompts": VALUE},
        ("lock_plan", "poems", "--primary", "overall", "--prompts", VALUE),
    ),
}


@pytest.mark.parametrize("value", ["-1", "99999999"])
@pytest.mark.parametrize("way", NUMBERS_OF_WAYS)
def test_page_api_and_command_refuse_the_same_number_by_its_name(study: Study, way: str, value: str) -> None:
    asked, name = NUMBERS_OF_WAYS[way], way.split()[0]
    page = Client()
    page.force_login(User.objects.create_superuser("root"))
    before = rows(), Study.objects.values().get()
    context: Any = page.post(asked.page, put(asked.form, value)).context
    shown = context.keys()
    forms = [context[key] for key in shown if isinstance(context[key], BaseForm)]
    assert any(name in form.errors for form in forms)
    body = json.dumps(put(asked.body, value))
    response = page.generic(asked.method.upper(), asked.call, body, content_type="application/json")
    assert response.status_code == 400
    assert list(response.json()["fields"]) == [name]
    with pytest.raises(CommandError, match=f"--{name.replace('_', '-')}: ") as refused:
        call_command(*put(asked.command, value))
    assert "\n" not in str(refused.value)
    assert (rows(), Study.objects.values().get()) == before
    assert not AnalysisPlan.objects.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["create_study", b"a\xed\xa0\x80b", "--rubric", "poem"],
        ["enrol", "poems", b"\xff\xfe"],
        ["invite", "poems", b"a\xff@x.org"],
        ["compose", "--title", b"\xff"],
        ["start_self_training", b"\xff"],
        ["upload_material", "poems", b"\xff.csv"],
        ["api_token", b"\xff"],
    ],
    ids=lambda arguments: str(arguments[0]),
)
def test_bytes_that_are_no_text_are_refused_in_one_line_by_every_command(
    study: Study, arguments: list[str | bytes]
) -> None:
    with pytest.raises(CommandError, match=r"This text has a character that is none\.") as refused:
        call_command(*map(os.fsdecode, arguments))
    # What cannot be written to a terminal is shown by its code.
    assert str(refused.value).isprintable()
