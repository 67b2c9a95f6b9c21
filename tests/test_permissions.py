"""Who may ask for what: every address of the site, by every kind of visitor, against a table that is checked in.

`permissions.csv` has a row for each address and each of GET and POST (with an empty body), and a column for each
visitor. An address without a row fails: whoever adds one says in the table whom it answers, and how.

- `ok`: an answer; `moved`: a redirect to another page; `bad`: refused for what was sent (nothing, here);
- `login`: sent to the log-in, or told to say who they are; `denied`: known, and without the right;
- `missing`: told that there is nothing; `method`: the address does not take this method; `busy`: to come back later.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import DjangoDbBlocker

from annotations.models import Enrolment, Invitation, OpenLink, Payment, Placement, Rating, StudyRole
from evalsite import dashboard, health
from tests.permission_world import (
    CHAIN,
    CHAT,
    COMPOSITION,
    DONE_JOB,
    FILE,
    GAME,
    INVITATION,
    JOB,
    JUDGE_RUN,
    LINK,
    OTHER_INVITATION,
    OTHER_LINK,
    OTHER_RUN,
    PEOPLE_FILE,
    PROMPTS_FILE,
    ROOM,
    RUN,
    TOKEN,
    VISITORS,
    World,
    build_world,
)

TABLE = Path(__file__).with_name("permissions.csv")
METHODS = ("GET", "POST")
# What fills the places in addresses; where a route needs another value it stands under its name.
ARGUMENTS: dict[str, Any] = {
    "slug": "poems",
    "subtask": 1,
    "page": 1,
    "number": 1,
    "run": RUN,
    "composition": COMPOSITION,
    "chain": CHAIN,
    "game": GAME,
    "room": ROOM,
    "chat": CHAT,
    "invitation": INVITATION,
    "link": LINK,
    "file": FILE,
    "annotations:confirm_prompts file": PROMPTS_FILE,
    "annotations:confirm_people file": PEOPLE_FILE,
    "job": JOB,
    "annotations:job_file job": DONE_JOB,
    "api:job_file job": DONE_JOB,
    "token": TOKEN,
    "key": "method-0",
    "judge": "metric",
    "judge_run": JUDGE_RUN,
    # A letter that was never sent.
    "uidb64": "MQ",
    "password_reset_confirm token": "none-sent",
    "source": "picks",
    # Nobody uploaded it.
    "upload": "00000000-0000-4000-8000-000000000000",
    "rows": "rounds",
    "file_format": "json",
    "name": "poem",
    # Nobody of this name is a researcher.
    "username": "nobody",
    "documentation name": "privacy",
    "documentation_picture name": "rating-page.png",
    "annotations:example_file file_format": "csv",
    "annotations:checklist_file file_format": "csv",
    "annotations:judgements_file file_format": "csv",
    "annotations:turns_file file_format": "csv",
    "annotations:written_file file_format": "csv",
    "annotations:ratings_file file_format": "csv",
    "annotations:spans_file file_format": "csv",
    "annotations:preferences_file file_format": "jsonl",
    "turing:rows_file file_format": "csv",
}
CLASSES = {
    400: "bad",
    401: "login",
    403: "denied",
    404: "missing",
    405: "method",
    409: "bad",
    410: "missing",
    415: "bad",
    429: "busy",
}


@dataclass(frozen=True)
class Route:
    """An address by its full name, and the template of its path."""

    name: str
    template: str

    def path(self) -> str:
        """Return the path with something real in every place."""
        places = re.findall(r"<(?:\w+:)?(\w+)>", self.template)
        path = f"/{self.template}"
        for place in places:
            key = f"{self.name} {place}"
            assert key in ARGUMENTS or place in ARGUMENTS, (
                f"say in ARGUMENTS what stands for <{place}> of {self.name}"
            )
            path = re.sub(rf"<(?:\w+:)?{place}>", str(ARGUMENTS.get(key, ARGUMENTS.get(place))), path)
        return path


def routes(patterns: list[Any], template: str = "", namespace: str = "") -> Iterator[Route]:
    """Yield every route but those of Django's admin, which has rules of its own."""
    for pattern in patterns:
        longer = template + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
                yield from routes(pattern.url_patterns, longer, inner)
        elif isinstance(pattern, URLPattern):
            yield Route(namespace + (pattern.name or longer), longer)


ROUTES = {route.name: route for route in routes(get_resolver().url_patterns)}


def table() -> dict[tuple[str, str], dict[str, str]]:
    """Return the checked-in table: by name and method, what each visitor gets."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {(row.pop("route"), row.pop("method")): row for row in csv.DictReader(file)}


def kind(response: Any) -> str:
    """Return which kind of answer it is."""
    if 200 <= response.status_code < 300:
        return "ok"
    if 300 <= response.status_code < 400:
        return "login" if response.headers["Location"].startswith("/accounts/login/") else "moved"
    return CLASSES.get(response.status_code, str(response.status_code))


def answer(client: Client, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Return the answer to a request of which nothing stays."""
    cookies = deepcopy(client.cookies)
    try:
        with transaction.atomic():
            response = client.generic(method, path) if body is None else client.post(path, body)
            transaction.set_rollback(True)
    finally:
        client.cookies = cookies
    return response


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Everything there is to ask for, built once: no request of these tests changes it."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch, transaction.atomic():
        for module in (health, dashboard):
            patch.setattr(module, "broker_trouble", lambda: "")
        yield build_world()
        transaction.set_rollback(True)


# Marked so that there are tables where these tests run alone, too: `world` asks for them by no mark.
@pytest.mark.django_db
def test_every_address_has_a_row_in_the_table() -> None:
    wanted = {(name, method) for name in ROUTES for method in METHODS}
    rows = table()
    missing = sorted(wanted - rows.keys())
    assert missing == [], "say in tests/permissions.csv who may ask for these"
    assert sorted(rows.keys() - wanted) == [], "tests/permissions.csv has rows for addresses that are gone"
    assert all(set(row) == set(VISITORS) for row in rows.values())


@pytest.mark.parametrize("visitor", VISITORS)
def test_every_address_answers_as_the_table_says(world: World, visitor: str) -> None:
    wrong = []
    for (name, method), row in table().items():
        if name not in ROUTES:
            continue
        got = kind(answer(world.clients[visitor], method, ROUTES[name].path()))
        if got != row[visitor]:
            wrong.append(f"{method} {name}: {got} instead of {row[visitor]}")
    assert wrong == []


@pytest.mark.parametrize("visitor", [one for one in VISITORS if one not in ("anonymous", "player")])
def test_the_admin_is_for_administrators_with_its_permissions(world: World, visitor: str) -> None:
    got = answer(world.clients[visitor], "GET", "/admin/")
    assert (got.status_code == 200) == (visitor == "administrator")


# Addresses and bodies with an id of another study, sent by whoever has every right in this one.

PEOPLE = "/manage/studies/poems/people/"
FOREIGN: list[tuple[str, str, dict[str, Any], int]] = [
    ("owner", f"/manage/studies/poems/runs/{OTHER_RUN}/add/", {}, 404),
    ("owner", f"{PEOPLE}invitations/{OTHER_INVITATION}/revoke/", {}, 404),
    ("owner", f"{PEOPLE}links/{OTHER_LINK}/close/", {}, 404),
    ("owner", f"{PEOPLE}evaluators/7/deadline/", {"days": "3"}, 404),
    ("owner", f"{PEOPLE}evaluators/7/withdraw/", {"confirmed": "on"}, 404),
    ("owner", "/manage/studies/poems/payments/approve/", {"evaluator": "OTHER"}, 400),
    ("owner", "/manage/studies/poems/payments/paid/", {"evaluator": "OTHER"}, 400),
    ("owner", "/manage/studies/poems/payments/revoke/", {"evaluator": "OTHER"}, 400),
    ("other_evaluator", f"/turing/games/{GAME}/rounds/1/", {"side": "left"}, 404),
    ("administrator", f"/turing/games/{GAME}/rounds/1/", {"side": "left"}, 404),
]


@pytest.mark.parametrize(("visitor", "path", "body", "status"), FOREIGN)
def test_an_id_of_another_study_is_refused(
    world: World, visitor: str, path: str, body: dict[str, Any], status: int
) -> None:
    Enrolment.objects.filter(study=world.other, number=1).update(pseudonym="OTHER", number=7)
    assert answer(world.clients[visitor], "POST", path, body).status_code == status
    assert Invitation.objects.get(uuid=OTHER_INVITATION).revoked_at is None
    assert OpenLink.objects.get(uuid=OTHER_LINK).closed_at is None
    assert not Payment.objects.filter(enrolment__study__in=[world.study, world.other]).exists()


def test_a_group_of_another_study_is_refused(world: World) -> None:
    foreign = world.other.groups.get()
    client = world.clients["owner"]
    for path, body in (
        ("invitations/", {"email": "a@example.org", "days": "7", "days_valid": "7"}),
        ("links/", {"limit": "3"}),
        ("evaluators/", {"username": "third"}),
    ):
        for group in (foreign.pk, foreign.key):
            assert answer(client, "POST", PEOPLE + path, body | {"group": group}).status_code == 400


def test_a_role_in_another_study_is_neither_taken_nor_changed(world: World) -> None:
    client = world.clients["owner"]
    body = {"username": "other_owner"}
    with transaction.atomic():
        client.post("/manage/studies/poems/roles/take/", body)
        client.post("/manage/studies/poems/roles/give/", body | {"role": "observer"})
        assert StudyRole.objects.get(study=world.other, user__username="other_owner").role == "owner"
        transaction.set_rollback(True)


@pytest.mark.parametrize("owner", ["second", "other_evaluator"])
def test_a_token_of_another_evaluator_saves_nothing(world: World, owner: str) -> None:
    token = Placement.objects.filter(enrolment__evaluator__username=owner)[0].token
    client = world.clients["evaluator"]
    address = "/studies/poems/subtasks/1/pages/1/"
    with transaction.atomic():
        json = {"token": token, "criterion": "overall", "score": 3, "order": 1, "seconds": 1.0}
        response = client.post(f"{address}answers/", json, content_type="application/json")
        assert response.status_code == 401
        client.post(address, {f"{token}-overall": "3", "best": token})
        assert not Rating.objects.filter(enrolment__study__in=[world.study, world.other]).exists()
        transaction.set_rollback(True)
