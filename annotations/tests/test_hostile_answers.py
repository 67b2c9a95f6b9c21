"""Whatever is sent to the pages of any protocol, by page or API, is refused in words or stored whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from annotations.models import Enrolment, PageCandidate, Placement, Study
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_checklist_study, build_study, build_user, placements
from annotations.tests.hostile import hostile_bodies, is_taken, stored
from annotations.tests.marking_cast import build_marked_study

DIALOGUE = json.dumps([{"role": "user", "text": "Why?"}, {"role": "assistant", "text": "Because."}])


@dataclass
class Case:
    """A study of a protocol with alice, where its answers are sent, and what a good one is by page and by API."""

    study: Study
    to_page: str
    on_page: dict[str, Any]
    to_api: str
    by_api: dict[str, Any]


def judged(protocol: str, size: int) -> Study:
    study = build_study(slug=protocol.replace("_", "-"), prompts=3, methods=4)
    Study.objects.filter(pk=study.pk).update(
        protocol=protocol, candidates_per_page=size, has_best_picks=False
    )
    study.refresh_from_db()
    return study


def enrolled(study: Study, alice: User) -> tuple[Study, list[str]]:
    enrol(study, alice)
    return study, [placement.token for placement in placements(study, alice)]


def pairwise(alice: User) -> Case:
    study, tokens = enrolled(judged("pairwise", 2), alice)
    common = {"token": tokens[0], "criterion": "overall", "order": 5}
    return Case(
        study, "judgements", {**common, "score": 2, "seconds": 1.5},
        "judgements", {**common, "number": 2, "seconds": 1.5},
    )  # fmt: skip


def ordered(protocol: str, alice: User) -> Case:
    study, tokens = enrolled(judged(protocol, 4), alice)
    places = tokens if protocol == "ranking" else tokens[:2]
    common = {"token": tokens[0], "criterion": "overall", "order": 5, "places": places, "seconds": None}
    return Case(study, "judgements", {**common, "score": None}, "judgements", common)


def checklist(alice: User) -> Case:
    study, tokens = enrolled(build_checklist_study(), alice)
    common = {"token": tokens[0], "order": 5, "seconds": None}
    return Case(
        study, "checklist", {**common, "criterion": "prompt-1", "score": 1},
        "checklist", {**common, "item": "prompt-1", "answer": 1},
    )  # fmt: skip


def spans(alice: User) -> Case:
    study, _tokens = enrolled(build_marked_study("The cat sat on teh mat."), alice)
    enrolment = Enrolment.objects.get(study=study, evaluator=alice)
    placement = Placement.objects.get(enrolment=enrolment, candidate__text__startswith="The cat")
    digest = next(
        card.marking.text.digest
        for card in rating_page(alice, study).cards
        if card.marking and card.token == placement.token
    )
    marks = [{"category": "accuracy", "severity": "minor", "start": 15, "end": 18, "note": "the"}]
    common = {"token": placement.token, "marks": marks, "order": 5, "seconds": None}
    return Case(
        study, "markings", {**common, "done": True, "digest": digest},
        "markings", {**common, "is_done": True},
    )  # fmt: skip


def rating_page(alice: User, study: Study) -> Any:
    client = Client()
    client.force_login(alice)
    return client.get(f"/studies/{study.slug}/subtasks/1/pages/1/").context["rating_page"]


def dialogue(alice: User) -> Case:
    study = build_study(slug="talks", prompts=2, methods=2)
    for shown in PageCandidate.objects.filter(page__subtask__study=study).select_related("candidate"):
        shown.candidate.text = DIALOGUE
        shown.candidate.save(update_fields=["text"])
    PageCandidate.objects.filter(page__subtask__study=study).update(turns=1)
    study.criteria.filter(key="overall").update(rates_turns=True)
    _study, tokens = enrolled(study, alice)
    common = {"token": tokens[0], "order": 5, "seconds": None}
    return Case(
        study, "answers", {**common, "criterion": "overall:1", "score": 3},
        "ratings", {**common, "criterion": "overall", "turn": 1, "score": 3},
    )  # fmt: skip


def reasons(alice: User) -> Case:
    study = build_study(slug="reasons")
    Study.objects.filter(pk=study.pk).update(reasons="candidate", has_corrections=True)
    _study, tokens = enrolled(study, alice)
    body = {"token": tokens[0], "kind": "reason", "text": "It scans.", "order": 5}
    return Case(study, "written", body, "written", body)


CASES: dict[str, Callable[[User], Case]] = {
    "pairwise": pairwise,
    "ranking": lambda alice: ordered("ranking", alice),
    "best_worst": lambda alice: ordered("best_worst", alice),
    "checklist": checklist,
    "spans": spans,
    "dialogue": dialogue,
    "reasons": reasons,
}


@pytest.fixture
def as_alice(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def addresses(case: Case) -> tuple[str, str]:
    page = f"/studies/{case.study.slug}/subtasks/1/pages/1/"
    return f"{page}{case.to_page}/", f"/api/v1/my{page}{case.to_api}/"


@pytest.mark.parametrize("protocol", CASES)
def test_a_body_that_is_no_answer_is_refused_and_stores_nothing(
    alice: User, as_alice: Client, protocol: str
) -> None:
    case = CASES[protocol](alice)
    for path, body in zip(addresses(case), (case.on_page, case.by_api), strict=True):
        for bodies in hostile_bodies(body):
            before = stored()
            taken = [is_taken(as_alice, path, raw) for raw in bodies]
            if not any(taken):
                assert stored() == before
        assert is_taken(as_alice, path, json.dumps(body))


@pytest.mark.parametrize("protocol", CASES)
def test_texts_of_others_other_pages_and_other_studies_are_not_answered(
    alice: User, as_alice: Client, protocol: str
) -> None:
    case = CASES[protocol](alice)
    bob = build_user("robert")
    enrol(case.study, bob)
    other_study, other_tokens = enrolled(build_study(slug="elsewhere"), alice)
    foreign = [
        placements(case.study, bob)[0].token,
        placements(case.study, alice, page=2)[0].token,
        other_tokens[0],
        "A" * 22,
    ]
    empty = stored()
    for path, body in zip(addresses(case), (case.on_page, case.by_api), strict=True):
        for token in foreign:
            assert not is_taken(as_alice, path, json.dumps(body | {"token": token}))
            if "places" in body:
                mixed = body | {"places": [token, *body["places"][1:]]}
                assert not is_taken(as_alice, path, json.dumps(mixed))
        for wrong in (
            path.replace("pages/1", "pages/2"),
            path.replace("pages/1", "pages/0"),
            path.replace("subtasks/1", "subtasks/7"),
            path.replace("pages/1", f"pages/{10**30}"),
            path.replace(f"/{case.study.slug}/", f"/{other_study.slug}/"),
            path.replace(f"/{case.study.slug}/", "/nowhere/"),
        ):
            assert not is_taken(as_alice, wrong, json.dumps(body))
    assert stored() == empty


@pytest.mark.parametrize("protocol", CASES)
def test_an_answer_replayed_after_the_end_changes_nothing(
    alice: User, as_alice: Client, protocol: str
) -> None:
    case = CASES[protocol](alice)
    path, api = addresses(case)
    for _ in range(3):
        assert is_taken(as_alice, path, json.dumps(case.on_page))
        assert is_taken(as_alice, api, json.dumps(case.by_api))
    once = stored()
    assert sum(len(rows) for rows in once) == (1 if protocol == "reasons" else 2)
    Study.objects.filter(pk=case.study.pk).update(state="paused")
    assert not is_taken(as_alice, path, json.dumps(case.on_page | {"order": 9}))
    Study.objects.filter(pk=case.study.pk).update(state="closed", closed_at=timezone.now())
    assert not is_taken(as_alice, api, json.dumps(case.by_api | {"order": 9}))
    Study.objects.filter(pk=case.study.pk).update(state="open", closed_at=None)
    Enrolment.objects.update(deadline=timezone.now() - timedelta(hours=1))
    assert not is_taken(as_alice, path, json.dumps(case.on_page | {"order": 9}))
    assert stored() == once
