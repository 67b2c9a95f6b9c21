"""A served judge is asked page by page: whole, once, within its budget, whatever becomes of server and workers."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from decimal import Decimal
from http import HTTPStatus
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.test import Client
from pytest_django import Settings

from annotations.access.roles import give_role
from annotations.judges import asking
from annotations.judges.asking import ask_next, poll
from annotations.judges.prompt import AskedCriterion, read_answer
from annotations.judges.runs import Asking, runs_of, start_run, stop_run, take_up
from annotations.judges.tests.judge_server import JudgeServer, judging
from annotations.models import Judge, JudgeRating, JudgeRun, JudgeUnit, Study, StudyRole
from annotations.tests.cast import build_study, build_user, shown
from generation.engines import asking as http
from generation.engines.servers import parse_servers
from generation.refusals import Refused

pytestmark = pytest.mark.django_db(transaction=True)
PLENTY = 1_000_000


@pytest.fixture
def judge(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeServer]:
    """A server that judges, as the setting names it, with its key from the environment."""
    monkeypatch.setenv("JUDGE_KEY", "s3cret")
    monkeypatch.setattr(http, "PAUSE", 0.01)
    monkeypatch.setattr("evalsite.celery.app.send_task", lambda *_arguments, **_options: None)
    with judging() as server:
        said: dict[str, Any] = {
            "engine": "chat",
            "url": server.url,
            "model": "judge-1",
            "key_variable": "JUDGE_KEY",
        }
        said |= {"price_in": 10, "price_out": 50}
        settings.LANGUAGE_MODEL_SERVERS = parse_servers(json.dumps({"llm": said}))
        yield server


@pytest.fixture
def study() -> Study:
    return build_study(prompts=3)


def begin(study: Study, **said: Any) -> JudgeRun:
    options = {name: said.pop(name) for name in ("most_tokens", "most_money", "probe") if name in said}
    return start_run(
        study, "llm", Asking(server="llm", **said), by=None, **{"most_tokens": PLENTY, **options}
    )


def ask_all(most: int = 100) -> int:
    asked = 0
    while asked < most and ask_next():
        asked += 1
    return asked


def run_of(run: JudgeRun) -> Any:
    return runs_of(run.judge.study).get(pk=run.pk)


def test_every_page_is_asked_in_each_order_and_its_scores_are_stored(
    study: Study, judge: JudgeServer
) -> None:
    run = begin(study, orders=4)
    assert ask_all() == 12
    found = run_of(run)
    assert (found.state, found.asked, found.answered, found.unread, found.failed) == ("done", 12, 12, 0, 0)
    # 3 pages, 4 orders, 4 texts, 2 criteria; over four orders each text stands at each place once.
    ratings = JudgeRating.objects.filter(judge=run.judge)
    assert ratings.count() == 96
    for text in ratings.values_list("page_candidate", flat=True).distinct():
        places = ratings.filter(page_candidate=text, criterion__key="overall").values_list(
            "position", flat=True
        )
        assert set(places) == {1, 2, 3, 4} and len(places) == 4
    assert set(judge.keys) == {"Bearer s3cret"}
    assert run.judge.version == "judge-1, prompt 1"


def test_the_judge_gets_what_evaluators_get_and_nothing_of_methods(study: Study, judge: JudgeServer) -> None:
    begin(study, orders=1)
    ask_all()
    body = judge.requests[0]
    task, page = (one["content"] for one in body["messages"])
    assert "Read the four poems, rate each of them" in task
    assert "- overall: Overall. How good is the poem as a whole? 1 to 10 (1 = poor, 10 = excellent)" in task
    assert page.startswith("poems 古题 1") and "### A\n" in page and "### D\n" in page
    assert "method" not in json.dumps(body, ensure_ascii=False).lower()


def test_repeats_are_asked_with_seeds_of_their_own(study: Study, judge: JudgeServer) -> None:
    begin(study, orders=1, repeats=2)
    ask_all()
    assert sorted(body["seed"] for body in judge.requests) == [1, 1, 1, 2, 2, 2]


def test_busy_broken_and_slow_servers_are_asked_again_and_refusals_are_final(
    study: Study, judge: JudgeServer
) -> None:
    run = begin(study, orders=1)
    judge.troubles = ["429", "500", "slow", "503", "", "400"]
    ask_all()
    found = run_of(run)
    assert (found.answered, found.failed, found.state) == (2, 1, "done")
    assert "refused the request" in JudgeUnit.objects.get(state="failed").error
    take_up(run, by=None)
    ask_all()
    assert run_of(run).answered == 3


def test_what_cannot_be_read_is_kept_and_counted(study: Study, judge: JudgeServer) -> None:
    run = begin(study, orders=1)
    judge.troubles = ["refuses"]
    ask_all()
    assert run_of(run).unread == 1 and run_of(run).state == "done"
    assert JudgeUnit.objects.get(is_read=False).answer == "I would rather not."
    assert JudgeRating.objects.count() == 2 * 4 * 2


def test_the_budget_of_tokens_stops_before_anything_is_sent_and_the_run_can_go_on(
    study: Study, judge: JudgeServer
) -> None:
    run = begin(study, orders=1, most_tokens=100)
    assert ask_all(5) == 1
    assert judge.answered == 0
    found = run_of(run)
    assert (found.state, found.tokens) == ("stopped", 0) and "budget of this run is used up" in found.error
    take_up(run, most_tokens=PLENTY, by=None)
    ask_all()
    assert run_of(run).state == "done"
    # What the server says that it used, in place of what was counted before: 120 tokens a page.
    assert run_of(run).tokens == 3 * 120
    assert run_of(run).money == Decimal("0.006")


def test_a_page_that_the_budget_stopped_however_often_is_asked_when_there_is_enough(
    study: Study, judge: JudgeServer
) -> None:
    run = begin(study, orders=1, most_tokens=100)
    # Three times for each of three pages, and once more.
    for _ in range(10):
        assert ask_all(5) == 1
        take_up(run, most_tokens=100, by=None)
    stop_run(run, by=None)
    take_up(run, most_tokens=PLENTY, by=None)
    ask_all()
    assert (run_of(run).answered, run_of(run).failed) == (3, 0)


def test_the_budget_of_money_stops_too(study: Study, judge: JudgeServer) -> None:
    run = begin(study, orders=1, most_money=Decimal("0.0001"))
    ask_all(5)
    assert judge.answered == 0 and run_of(run).state == "stopped"


def test_a_run_killed_in_the_middle_is_complete_afterwards_with_nothing_paid_twice(
    study: Study, judge: JudgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(study, orders=2)
    ask_all(2)
    # The worker is killed after the answer came, before it is handed in: its lease runs out.
    with monkeypatch.context() as patch:
        patch.setattr(asking, "hand_in", lambda *_arguments: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            ask_next()
    assert judge.answered == 3 and run_of(run).answered == 2
    JudgeUnit.objects.filter(state="running").update(leased_until="2020-01-01T00:00:00Z")
    ask_all()
    assert (run_of(run).answered, run_of(run).state) == (6, "done")
    assert judge.answered == 6
    assert JudgeRating.objects.count() == 6 * 4 * 2


def test_a_worker_killed_by_the_system_while_it_waits_leaves_nothing_undone_and_nothing_twice(
    study: Study, judge: JudgeServer
) -> None:
    run = begin(study, orders=2)
    judge.troubles = ["", "", "slow"]
    connections.close_all()
    worker = os.fork()
    if worker == 0:
        try:
            ask_all()
        finally:
            os._exit(0)
    deadline = time.monotonic() + 60
    while judge.answered < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(worker, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) == -signal.SIGKILL
    JudgeUnit.objects.filter(state="running").update(leased_until="2020-01-01T00:00:00Z")
    ask_all()
    assert (run_of(run).answered, run_of(run).state, run_of(run).unread) == (6, "done", 0)
    assert JudgeRating.objects.count() == 6 * 4 * 2
    # The one that was under way, whose answer nobody took, is all that is asked a second time.
    sent = [json.dumps(body, sort_keys=True) for body in judge.requests]
    assert len(set(sent)) == 6 and len(sent) <= 7


def test_a_worker_that_lost_its_lease_stores_nothing(
    study: Study, judge: JudgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(study, orders=1)

    def lose(*arguments: Any) -> str:
        JudgeUnit.objects.filter(state="running").update(lease="00000000-0000-4000-8000-000000000000")
        return "{}"

    monkeypatch.setattr(asking, "asked", lose)
    assert ask_next()
    assert run_of(run).answered == 0 and not JudgeRating.objects.exists()


def test_a_stopped_run_asks_no_more_and_goes_on_when_told(study: Study, judge: JudgeServer) -> None:
    run = begin(study, orders=1)
    ask_all(1)
    assert stop_run(run, by=None) and not stop_run(run, by=None)
    assert ask_all() == 0
    take_up(run, by=None)
    ask_all()
    assert run_of(run).answered == 3


def test_further_orders_and_planted_texts_probe_the_judge(study: Study, judge: JudgeServer) -> None:
    begin(study, orders=1)
    ask_all()
    begin(study, orders=1, probe="order")
    ask_all()
    assert sorted(JudgeUnit.objects.values_list("number", "order")) == [(1, 0)] * 3 + [(2, 1)] * 3
    begin(study, probe="empty")
    ask_all()
    planted = JudgeUnit.objects.exclude(planted="")
    assert planted.count() == 6
    assert all(unit.planted_scores == {"format": 1, "overall": 1} for unit in planted)
    # No score of theirs is one of a text of the study.
    assert JudgeRating.objects.count() == 2 * 3 * 4 * 2


def test_a_judge_asked_otherwise_or_by_an_unknown_server_is_refused(study: Study, judge: JudgeServer) -> None:
    run = begin(study, orders=1)
    with pytest.raises(Refused, match="under way"):
        begin(study)
    stop_run(run, by=None)
    with pytest.raises(Refused, match="is another one"):
        begin(study, temperature=1.0)
    with pytest.raises(Refused, match="nowhere is no server of language models; there are llm"):
        start_run(study, "other", Asking(server="nowhere"), most_tokens=1, by=None)
    with pytest.raises(Refused, match="temperature"):
        start_run(study, "other", Asking(server="llm", temperature=3), most_tokens=1, by=None)


def test_units_lost_three_times_fail_and_workers_hear_of_those_that_wait(
    study: Study, judge: JudgeServer
) -> None:
    run = begin(study, orders=1)
    JudgeUnit.objects.update(
        state="running",
        attempts=3,
        lease="00000000-0000-4000-8000-000000000000",
        leased_until="2020-01-01T00:00:00Z",
    )
    poll()
    assert (run_of(run).failed, run_of(run).state) == (3, "done")
    take_up(run, by=None)
    assert ask_next()
    assert run_of(run).answered == 1


@pytest.mark.parametrize(
    ("answer", "is_read"),
    [
        ('{"A": {"overall": 3}, "B": {"overall": 5}}', True),
        ('Sure! ```json\n{"A": {"overall": 3}, "B": {"overall": 5}}\n```', True),
        ('{"A": {"overall": 3}}', False),
        ('{"A": {"overall": 3}, "B": {"overall": 6}}', False),
        ('{"A": {"overall": 3}, "B": {"overall": 2.5}}', False),
        ('{"A": {"overall": true}, "B": {"overall": 2}}', False),
        ('{"A": [3], "B": {"overall": 2}}', False),
        ("[1, 2]", False),
        ("", False),
    ],
)
def test_answers_are_read_strictly(answer: str, is_read: bool) -> None:
    criteria = [AskedCriterion("overall", "Overall", "", "", "", 1, 5)]
    assert (read_answer(answer, criteria, 2) is not None) == is_read


def test_the_command_asks_to_the_end_and_goes_on_when_called_again(study: Study, judge: JudgeServer) -> None:
    said = StringIO()
    call_command("run_judge", study.slug, judge="llm", server="llm", orders=1, tokens=100, stdout=said)
    assert "llm: stopped, 0 of 3 pages answered" in said.getvalue()
    call_command("run_judge", study.slug, judge="llm", tokens=PLENTY, stdout=said)
    assert (
        "llm: done, 3 of 3 pages answered, 0 of them not readable, 0 failed; 360 of 1,000,000"
        in said.getvalue()
    )
    assert judge.answered == 3


def test_page_and_api_start_stop_and_show_runs(study: Study, judge: JudgeServer, client: Client) -> None:
    user = build_user("olga")
    give_role(study, user, StudyRole.Role.OWNER, by=None)
    client.force_login(user)
    base = "/manage/studies/poems/judges/"
    fields = {"ask-key": "llm", "ask-server": "llm", "ask-orders": 1, "ask-repeats": 1}
    fields |= {"ask-temperature": 0, "ask-most_tokens": PLENTY}
    assert client.post(f"{base}ask/", fields).status_code == HTTPStatus.FOUND
    ask_all(1)
    page = shown(client, base)
    assert '<td class="number">1 of 3</td>' in page and '<td class="number">120 of 1000000</td>' in page
    run = JudgeRun.objects.get()
    client.post(f"{base}runs/{run.uuid}/stop/")
    address = f"/api/v1/studies/poems/judge-runs/{run.uuid}/"
    went_on = client.post(address, {"act": "go on"}, content_type="application/json").json()
    assert (went_on["state"], went_on["answered"], went_on["asked"]) == ("open", 1, 3)
    ask_all()
    client.post(f"{base}runs/{run.uuid}/go-on/", {"most_tokens": "x"})
    body = {"judge": "other", "server": "llm", "most_tokens": PLENTY}
    started = client.post("/api/v1/studies/poems/judge-runs/", body, content_type="application/json")
    assert started.status_code == HTTPStatus.CREATED, started.content
    assert client.get("/api/v1/studies/poems/judge-runs/").json()["count"] == 2
    again = client.post(f"{base}ask/", {**fields, "ask-key": "other"})
    assert "A run of this judge is under way." in again.content.decode()
    assert Judge.objects.filter(kind="served").count() == 2
