"""Whatever is killed while people rate: each acknowledged answer is stored, once, and the rest can be sent again.

A real web server with real servers behind it and real requests to it. Four evaluators send fifty answers each and, as
the page does, send again what nobody has acknowledged. In the middle the web server, PostgreSQL, Valkey and the worker
are killed, one after the other. What is waited for are answers, never a time.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoDbBlocker

from annotations.models import AnswerChange, Enrolment, Rating, Study
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import CRITERIA, build_study, build_user
from evalsite.tests.cast import wait_for
from generation.models import Candidate, RunPrompt
from generation.runs.runs import queue_run
from tests.worker_site import Crew, WebServer, kill_server, own_site, titles, wait_until_ended

pytestmark = pytest.mark.fault

EVALUATORS = 4
# Each evaluator may send so many answers before the next thing is killed.
ANSWERS_IN_A_ROW = 10
KILLED = ("web server", "PostgreSQL", "Valkey", "worker")
ANSWERS = ANSWERS_IN_A_ROW * (len(KILLED) + 1)
CSRF = "c" * 32
PATIENCE = 300


@dataclass(frozen=True)
class Answer:
    """One answer: where it is sent, and what."""

    path: str
    token: str
    criterion: str
    score: int


class Evaluator:
    """Somebody who rates: sends each answer until it is acknowledged, and then the next one."""

    def __init__(self, port: int, user: User, answers: list[Answer]) -> None:
        client = Client()
        client.force_login(user)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.headers = {
            "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={CSRF}",
            "X-CSRFToken": CSRF,
            "Content-Type": "application/json",
        }
        self.port = port
        self.answers = answers
        self.acknowledged: list[Answer] = []
        self.unacknowledged = 0
        self.may_send = 2 * ANSWERS_IN_A_ROW

    def rate(self) -> None:
        for number, answer in enumerate(self.answers):
            wait_for(lambda: number < self.may_send, PATIENCE)  # noqa: B023 - waited for here
            order = time.time_ns() // 1_000_000
            wait_for(lambda: self.send(answer, order), PATIENCE)  # noqa: B023 - waited for here
            self.acknowledged.append(answer)
            # The next answer is given later, by the clock of the device.
            wait_for(lambda: time.time_ns() // 1_000_000 > order)  # noqa: B023 - waited for here

    def send(self, answer: Answer, order: int) -> bool:
        """Send an answer and return whether it was acknowledged."""
        body = {"token": answer.token, "criterion": answer.criterion, "score": answer.score, "order": order}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        status = None
        with suppress(OSError, http.client.HTTPException):
            connection.request("POST", answer.path, json.dumps(body | {"seconds": 1.0}), self.headers)
            status = connection.getresponse().status
        connection.close()
        # Nothing but an outage is answered with anything else.
        assert status in (None, 200) or status >= 500, status
        self.unacknowledged += status != 200
        return status == 200


@pytest.fixture(scope="module")
def site(django_db_blocker: DjangoDbBlocker, own_home: Path) -> Iterator[tuple[WebServer, Crew]]:
    with (
        pytest.MonkeyPatch.context() as patch,
        django_db_blocker.unblock(),
        own_site(patch, own_home) as home,
    ):
        web, crew = WebServer(home / "web.log"), Crew(home)
        web.start()
        yield web, crew
        crew.end()
        web.kill()


def answers_of(enrolment: Enrolment, count: int) -> list[Answer]:
    """Return the answers of one evaluator: every place in turn, again and again, with another score each time."""
    places = enrolment.placements.select_related("page__subtask").order_by("page", "position")
    asked = [
        (
            f"/studies/{enrolment.study.slug}/subtasks/{place.page.subtask.number}"
            f"/pages/{place.page.number}/answers/",
            place.token,
            str(criterion["key"]),
        )
        for place in places
        for criterion in CRITERIA
    ]
    scores = cycle([1, 2, 3, 4, 5])
    return [Answer(*place, next(scores)) for place in islice(cycle(asked), count)]


def stored_scores(study: Study) -> dict[tuple[str, str], float]:
    """Return what the database holds, by token and criterion."""
    ratings = Rating.objects.filter(enrolment__study=study).values_list(
        "enrolment", "candidate", "criterion__key", "score"
    )
    tokens = {
        (enrolment, candidate): token
        for enrolment, candidate, token in study.enrolments.values_list(
            "pk", "placements__candidate", "placements__token"
        )
    }
    return {
        (tokens[enrolment, candidate], criterion): score for enrolment, candidate, criterion, score in ratings
    }


def test_every_acknowledged_answer_is_stored_once_whatever_is_killed(site: tuple[WebServer, Crew]) -> None:
    web, crew = site
    study = build_study(prompts=2)
    users = [build_user(f"evaluator{number}") for number in range(EVALUATORS)]
    evaluators = [Evaluator(web.port, user, answers_of(enrol(study, user), ANSWERS)) for user in users]
    crew.only("one")
    run = queue_run("inverse_prompting", titles("一", "二", "三", "四"), seed=7)

    def acknowledged() -> int:
        return sum(len(one.acknowledged) for one in evaluators)

    def more_sent(counted: Callable[[], int]) -> None:
        """Let everybody send more answers and wait until that has moved a count."""
        before = counted()
        for one in evaluators:
            one.may_send += ANSWERS_IN_A_ROW
        wait_for(lambda: counted() > before or has_ended(), PATIENCE)

    def has_ended() -> bool:
        """Whether somebody rates no more; raise what went wrong with them."""
        return any(one.done() and one.result() is None for one in rating)

    def not_acknowledged() -> int:
        return sum(one.unacknowledged for one in evaluators)

    with ThreadPoolExecutor(EVALUATORS) as threads:
        rating = [threads.submit(one.rate) for one in evaluators]
        for number, killed in enumerate(KILLED, start=1):
            due = number * EVALUATORS * ANSWERS_IN_A_ROW
            wait_for(lambda: acknowledged() >= due or has_ended(), PATIENCE)  # noqa: B023
            if killed == "web server":
                web.kill()
                more_sent(not_acknowledged)
                web.start()
            elif killed == "worker":
                crew.workers.pop("one").end()
                more_sent(acknowledged)
            else:
                # Answers need the database and nothing of the broker.
                counted = not_acknowledged if killed == "PostgreSQL" else acknowledged
                kill_server(killed, while_away=lambda: more_sent(counted))  # noqa: B023 - called here
        for future in rating:
            future.result()
    crew.only("heir")
    wait_until_ended(run)

    assert [len(one.acknowledged) for one in evaluators] == [ANSWERS] * EVALUATORS
    last = {(answer.token, answer.criterion): answer.score for one in evaluators for answer in one.answers}
    assert stored_scores(study) == last
    # What was stored and not acknowledged, and so was sent again, is in the history once, too.
    history = AnswerChange.objects.filter(enrolment__study=study)
    assert history.count() == EVALUATORS * ANSWERS
    for rater, user in zip(evaluators, users, strict=True):
        told = history.filter(enrolment__evaluator=user).order_by("client_order")
        assert list(told.values_list("score", flat=True)) == [answer.score for answer in rater.answers]
    assert set(run.run_prompts.values_list("state", flat=True)) == {RunPrompt.State.DONE}
    assert Candidate.objects.filter(run=run).count() == 4
