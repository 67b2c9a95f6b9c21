"""Nothing that an evaluator or a visitor can receive tells which method wrote a text.

Every method, run and file bears a marker, primary keys of what is behind the blinding start at a conspicuous
number, and every address of the site is asked for; neither may come back in any form.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles.finders import get_finders
from django.db import connection, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from annotations.models import (
    ChecklistAnswer,
    ChecklistItem,
    Invitation,
    Judge,
    Judgement,
    JudgeRating,
    PageCandidate,
    Study,
)
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.tokens import token_digest
from annotations.setup.runs import start_run
from annotations.tests.cast import answer_everything, build_study, build_user, placements
from generation.models import Candidate, GenerationRun, Method, Prompt
from generation.tests.sizes import LONG
from turing.models import Chat, Game, Persona, Player
from turing.tests.cast import begin_game, build_pairs, play_round
from turing.tests.live_cast import begun_by

CANARY = "ZZCANARY"
# Nothing else on a page counts this high: not scores, sizes, years or milliseconds.
FIRST_KEY = 730_000_001
HIDDEN_TABLES = [
    "generation_method",
    "generation_generationrun",
    "generation_candidate",
    "generation_runprompt",
    "annotations_studymethod",
    "annotations_pagecandidate",
    "annotations_placement",
    "annotations_checklistanswer",
    "annotations_checklistitem",
    "annotations_turnrating",
    "annotations_writtenanswer",
    "annotations_marking",
    "annotations_span",
    "annotations_errorcategory",
    "annotations_errorseverity",
    "annotations_judge",
    "annotations_judgement",
    "annotations_judgerating",
    "turing_sourcetext",
    "turing_poempair",
    "turing_player",
    "turing_game",
    "turing_round",
    "turing_persona",
    "turing_seat",
    "turing_chat",
    "turing_turn",
]

# The address of a run for alice's study, which has a text by each word of it.
RUN = "5eed5eed-5eed-4eed-8eed-5eed5eed5eed"
# A game that alice has begun, and one that she has played to its end.
OPEN_GAME = "0feeed00-feed-4eed-8eed-5eed5eed5eed"
PLAYED_GAME = "0feeed01-feed-4eed-8eed-5eed5eed5eed"
# A live conversation that alice is in.
OPEN_CHAT = "0feeed02-feed-4eed-8eed-5eed5eed5eed"
# A program that rated the texts of the study.
JUDGE = "some-metric"
# The token of an invitation that nobody has used.
INVITATION = "feed-feed-feed-feed-fe"
# What fills the places in addresses. An address with a place that is not named here fails the crawl.
ARGUMENTS: dict[str, list[Any]] = {
    "slug": ["poems", "no-such-study"],
    "subtask": [1, 9],
    "page": [1, 2, 9],
    "file_format": ["json", "html", "csv", "tex", "pdf", "xlsx", "jsonl", "parquet", "exe"],
    "run": [RUN, "00000000-0000-4000-8000-000000000000"],
    "chain": ["00000000-0000-4000-8000-000000000000"],
    # The run of a study, which must not be shown as a visitor's.
    "composition": [RUN, "00000000-0000-4000-8000-000000000000"],
    "number": [1, 2, 9],
    "username": ["alice", "no-such-user"],
    "room": ["00000000-0000-4000-8000-000000000000"],
    "game": [OPEN_GAME, PLAYED_GAME, "00000000-0000-4000-8000-000000000000"],
    "chat": [OPEN_CHAT, "00000000-0000-4000-8000-000000000000"],
    "source": ["ratings", "picks", "votes"],
    "rows": ["rounds", "pairs", "votes"],
    "invitation": ["00000000-0000-4000-8000-000000000000"],
    "link": ["00000000-0000-4000-8000-000000000000"],
    "token": [INVITATION, "x" * 22],
    "uidb64": ["MQ", "no-such-user"],
    "upload": ["00000000-0000-4000-8000-000000000000"],
    "file": ["00000000-0000-4000-8000-000000000000"],
    "job": ["00000000-0000-4000-8000-000000000000"],
    "name": ["candidates", "no-such-example"],
    "key": ["jiuge", "no-such-method"],
    "judge_run": ["00000000-0000-4000-8000-000000000000"],
    "judge": [JUDGE, "no-such-judge"],
}


@dataclass(frozen=True)
class Route:
    """An address as the resolver knows it: its name, its template and its places."""

    name: str
    template: str
    places: tuple[str, ...]


def routes(patterns: list[Any], prefix: str = "") -> Iterator[Route]:
    for pattern in patterns:
        template = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                yield from routes(pattern.url_patterns, template)
        elif isinstance(pattern, URLPattern):
            yield Route(pattern.name or template, template, tuple(re.findall(r"<(?:\w+:)?(\w+)>", template)))


def addresses(route: Route) -> Iterator[str]:
    """Yield the route's addresses, its places filled in: each with all there is, or in every combination if long."""
    for place in route.places:
        assert place in ARGUMENTS, f"say in ARGUMENTS what stands for <{place}> of {route.name}"
    first = {place: ARGUMENTS[place][0] for place in route.places}
    alone = [first | {place: value} for place in route.places for value in ARGUMENTS[place][1:]]
    together = product(*(ARGUMENTS[place] for place in route.places))
    combinations = [dict(zip(route.places, values, strict=True)) for values in together]
    template = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", f"/{route.template}")
    yield from (template.format(**filled) for filled in (combinations if LONG else [first, *alone]))


ROUTES = list(routes(get_resolver().url_patterns))


@pytest.fixture
def marked(db: None) -> Study:
    """A study that alice rates, with a marker on everything that names a method."""
    with connection.cursor() as cursor:
        for table in HIDDEN_TABLES:
            cursor.execute(f"ALTER SEQUENCE {table}_id_seq RESTART WITH {FIRST_KEY}")
    study = build_study()
    run = start_run(study, "inverse_prompting").run
    GenerationRun.objects.filter(pk=run.pk).update(uuid=RUN)
    alice = build_user("alice")
    build_games(alice)
    Persona.objects.create(name=CANARY, instructions=CANARY)
    Chat.objects.filter(pk=begun_by(alice).pk).update(uuid=OPEN_CHAT)
    for method in Method.objects.all():
        Method.objects.filter(pk=method.pk).update(
            key=f"{CANARY}-{method.key}".lower(), label=f"{CANARY} {method.label}"
        )
    GenerationRun.objects.update(source={"import": f"{CANARY}.jsonl", "checkpoint": CANARY})
    answer_everything(enrol(study, alice))
    judge_texts(study)
    Invitation.objects.create(
        study=study, token_hash=token_digest(INVITATION), expires_at=timezone.now() + timedelta(days=1)
    )
    return study


def judge_texts(study: Study) -> None:
    """Have a program rate every text of the study with the same conspicuous score."""
    judge = Judge.objects.create(study=study, key=JUDGE, label=CANARY, kind="imported", saw_answers="no")
    JudgeRating.objects.bulk_create(
        JudgeRating(judge=judge, page_candidate=one, study_method_id=one.study_method_id, score=FIRST_KEY)
        for one in PageCandidate.objects.filter(page__subtask__study=study)
    )


def build_games(user: User) -> None:
    """Let a user play a game of the Turing game to its end and begin another one."""
    build_pairs()
    client, player = Client(), Player.objects.create(token_hash="0" * 64, user=user)
    client.force_login(user)
    for address, rounds in ((PLAYED_GAME, 5), (OPEN_GAME, 1)):
        game = begin_game(client)
        Game.objects.filter(player=player, pk=game.pk).update(uuid=address)
        for number in range(1, rounds + 1):
            play_round(client, Game.objects.get(pk=game.pk), number)


def disguises(text: str) -> set[str]:
    """Return a text in the forms in which it could be carried without being seen."""
    found = set()
    for form in (text, text.lower(), text.upper()):
        raw = form.encode()
        found |= {form, quote(form), raw.hex(), base64.b64encode(raw).decode().rstrip("=")}
        found |= {
            hashlib.new(name, raw, usedforsecurity=False).hexdigest() for name in ("md5", "sha1", "sha256")
        }
    return found


def secrets_of(study: Study) -> set[str]:
    """Return all that would tell a method, plainly or disguised."""
    names = {CANARY, str(study.order_seed)}
    for method in Method.objects.all():
        names |= {method.key, method.label}
    return set().union(*(disguises(name) for name in names))


def received(response: Any) -> str:
    """Return everything a browser receives: status, headers, cookies and body."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return f"{response.status_code}\n{response.headers}\n{response.cookies}\n{body.decode(errors='replace')}"


def leaks(text: str, secrets: set[str]) -> list[str]:
    keys = re.findall(r"7300000\d\d", text)
    text = text.lower()
    return keys + [secret for secret in secrets if secret.lower() in text]


def requests(client: Client, address: str) -> Iterator[Any]:
    """Ask for an address in every way a browser could, right and wrong."""
    for method in (client.get, client.head, client.options):
        yield method(address)
    yield client.post(address, {"unexpected": "1"})
    yield client.post(address, "{not json", content_type="application/json")
    yield client.get(address, headers={"accept": "application/json", "accept-language": "zh-hans"})


@pytest.mark.parametrize("visitor", ["evaluator", "anonymous"])
def test_no_response_names_a_method(marked: Study, visitor: str) -> None:
    secrets, alice = secrets_of(marked), User.objects.get(username="alice")
    found = []
    for route in ROUTES:
        if route.name == "logout" and visitor == "evaluator":
            continue
        # What the requests of one route change, those of the next one do not see.
        with transaction.atomic():
            client = Client(raise_request_exception=False)
            if visitor == "evaluator":
                client.force_login(alice)
            for address in addresses(route):
                found += [
                    f"{response.request['REQUEST_METHOD']} {address}: {leak}"
                    for response in requests(client, address)
                    for leak in leaks(received(response), secrets)
                ]
            transaction.set_rollback(True)
    assert found == []


@pytest.mark.parametrize("rendering", Study.Rendering.values)
@pytest.mark.parametrize("rule", Study.Normalisation.values)
def test_pages_of_texts_name_no_method_under_any_rule_and_rendering(
    marked: Study, client: Client, rule: str, rendering: str
) -> None:
    Study.objects.filter(pk=marked.pk).update(normalisation=rule, rendering=rendering)
    # What else is known of prompts and candidates is for those who run the study.
    Prompt.objects.update(
        external_id=CANARY,
        tags={"maker": CANARY},
        parts=[{"name": "source", "text": "# 春\n\n| a |\n|---|\n| b |"}],
        turns=[{"role": "user", "text": "**夏**"}],
    )
    Candidate.objects.update(notes={"model": CANARY})
    client.force_login(User.objects.get(username="alice"))
    secrets = secrets_of(marked)
    seen = ""
    for route in ROUTES:
        if "subtask" not in route.places:
            continue
        for address in addresses(route):
            for response in requests(client, address):
                seen += (text := received(response))
                assert leaks(text, secrets) == [], f"{response.request['REQUEST_METHOD']} {address}"
    assert "春" in seen and "夏" in seen


@pytest.mark.parametrize("protocol", ["pairwise", "ranking", "best_worst"])
def test_pages_that_are_judged_as_a_whole_name_no_method(
    marked: Study, client: Client, protocol: str
) -> None:
    size = 2 if protocol == "pairwise" else 3
    Study.objects.filter(pk=marked.pk).update(
        protocol=protocol, candidates_per_page=size, has_best_picks=False
    )
    marked.refresh_from_db()
    bob = build_user("bob")
    enrol(marked, bob)
    client.force_login(bob)
    secrets = secrets_of(marked)
    tokens = [placement.token for placement in placements(marked, bob)]
    body: dict[str, Any] = {"token": tokens[0], "criterion": "overall", "seconds": 1.5, "score": None}
    answers: list[dict[str, Any]] = [{"score": 1}, {"score": 9}, {"places": tokens[:2]}, {"places": tokens}]
    for order, answer in enumerate(answers, start=1):
        sent = json.dumps(body | {"order": order} | answer)
        address = "/studies/poems/subtasks/1/pages/1/judgements/"
        assert leaks(received(client.post(address, sent, content_type="application/json")), secrets) == []
    assert Judgement.objects.filter(enrolment__evaluator=bob).exists()
    for route in ROUTES:
        if "subtask" not in route.places:
            continue
        for address in addresses(route):
            for response in requests(client, address):
                assert leaks(received(response), secrets) == [], (
                    f"{response.request['REQUEST_METHOD']} {address}"
                )


def test_pages_of_a_checklist_name_no_method(marked: Study, client: Client) -> None:
    Study.objects.filter(pk=marked.pk).update(protocol="checklist", has_best_picks=False)
    ChecklistItem.objects.create(study=marked, number=1, text={"en": "It rhymes."}, weight=7.25)
    alice = User.objects.get(username="alice")
    client.force_login(alice)
    secrets = secrets_of(marked)
    body = {"token": placements(marked, alice)[0].token, "criterion": "study-1", "seconds": 1.5}
    for order, score in enumerate((1, 9), start=1):
        sent = json.dumps(body | {"order": order, "score": score})
        reply = client.post(
            "/studies/poems/subtasks/1/pages/1/checklist/", sent, content_type="application/json"
        )
        assert leaks(received(reply), secrets) == []
    assert ChecklistAnswer.objects.exists()
    for path in ("", "api/v1/my/"):
        page = client.get(f"/{path}studies/poems/subtasks/1/pages/1/")
        assert "It rhymes." in page.content.decode()
        assert "7.25" not in page.content.decode()
        assert leaks(received(page), secrets) == []


def test_saving_an_answer_names_no_method(marked: Study, client: Client) -> None:
    alice = User.objects.get(username="alice")
    client.force_login(alice)
    secrets = secrets_of(marked)
    address = "/studies/poems/subtasks/1/pages/1/answers/"
    for placement in placements(marked, alice):
        for order, score in ((1, 3), (10, 4), (10, 4), (11, 99)):
            body = {
                "token": placement.token,
                "criterion": "format",
                "score": score,
                "order": order,
                "seconds": 1.5,
            }
            response = client.post(address, json.dumps(body), content_type="application/json")
            assert leaks(received(response), secrets) == []


def test_static_files_name_no_method(marked: Study) -> None:
    secrets = secrets_of(marked) | set(Method.objects.values_list("key", flat=True))
    for finder in get_finders():
        for name, storage in finder.list([]):
            if name.startswith(("admin/", "rest_framework/", "drf_spectacular_sidecar/")):
                continue
            text = Path(storage.path(name)).read_text(errors="replace")
            assert leaks(name + text, secrets) == [], name


@pytest.mark.parametrize("planted", [CANARY, CANARY.encode().hex(), str(FIRST_KEY)])
def test_the_crawl_finds_what_is_planted(marked: Study, client: Client, planted: str) -> None:
    """The crawl reads the pages: a marker in a text that evaluators do see is found."""
    Candidate.objects.update(text=f"明月几时有 {planted}")
    client.force_login(User.objects.get(username="alice"))
    (page,) = (route for route in ROUTES if route.name == "page")
    found = [
        leak
        for address in addresses(page)
        for response in requests(client, address)
        for leak in leaks(received(response), secrets_of(marked))
    ]
    assert found


def test_the_page_of_another_evaluator_has_other_tokens(marked: Study, client: Client, db: None) -> None:
    """Two evaluators who compare what they received find nothing in common but the texts."""
    alice, bob = User.objects.get(username="alice"), build_user("bob")
    enrol(marked, bob)
    tokens = {user: {one.token for one in placements(marked, user)} for user in (alice, bob)}
    assert tokens[alice].isdisjoint(tokens[bob])
    client.force_login(bob)
    body = client.get("/studies/poems/subtasks/1/pages/1/").content.decode()
    assert all(token in body for token in tokens[bob])
    assert not any(token in body for token in tokens[alice])
