"""Whatever is killed, stopped or notified twice: each text that was asked for is written once, and work goes on.

Real servers and real workers, with a stand-in for the model. `FAULT_KILLS=20` kills as often as the long version does.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from evalsite.tests.cast import wait_for
from generation.models import Candidate, GenerationRun, RunPrompt
from generation.models.lease import LOST
from generation.runs.notifications import notify
from generation.runs.runs import queue_run
from tests.worker_site import (
    Crew,
    empty_tables,
    finished,
    kill_server,
    own_site,
    titles,
    wait_until_ended,
)

pytestmark = pytest.mark.fault

KILLS = int(os.environ.get("FAULT_KILLS", "3"))
BACK_SECONDS = 15
# In tests that must outlast a lease.
SHORT_LEASE = 2.0


@pytest.fixture(scope="module")
def crew(django_db_blocker: DjangoDbBlocker, own_home: Path) -> Iterator[Crew]:
    with (
        pytest.MonkeyPatch.context() as patch,
        django_db_blocker.unblock(),
        own_site(patch, own_home) as home,
    ):
        crew = Crew(home)
        yield crew
        crew.end()


@pytest.fixture(autouse=True)
def nothing_waits(crew: Crew) -> None:
    empty_tables()


def queue(*words: str, seed: int = 7) -> GenerationRun:
    return queue_run("inverse_prompting", titles(*words), seed=seed)


def numbered(count: int) -> list[str]:
    return [f"题目{number}" for number in range(count)]


def texts(run: GenerationRun) -> dict[str, str]:
    return dict(Candidate.objects.filter(run=run).values_list("prompt__text", "text"))


def assert_each_once(run: GenerationRun) -> None:
    """Each prompt has one text, after at most three attempts, and nothing is left half-done."""
    assert run.state == GenerationRun.State.DONE
    states = set(run.run_prompts.values_list("state", flat=True))
    assert states == {RunPrompt.State.DONE}
    written = list(Candidate.objects.filter(run=run).values_list("prompt_id", flat=True))
    assert sorted(written) == sorted(run.run_prompts.values_list("prompt_id", flat=True))
    assert max(run.run_prompts.values_list("attempts", flat=True)) <= 3


def wait_for_one_more(run: GenerationRun) -> None:
    """Wait until the run has one more text than now; the workers must be back at work by then."""
    before = finished(run)
    wait_for(lambda: finished(run) > before, BACK_SECONDS)


def test_killed_child_costs_no_text_and_changes_none(crew: Crew) -> None:
    worker = crew.only("one")
    run = queue(*numbered(4 + 3 * KILLS))
    rng = random.Random(2021)
    for _ in range(KILLS):
        time.sleep(rng.uniform(0.1, 0.9))
        wait_for(worker.children)
        worker.children()[0].kill()
        wait_for_one_more(run)
    wait_until_ended(run)
    assert_each_once(run)

    again = queue_run(
        "inverse_prompting", [one.prompt for one in run.run_prompts.select_related("prompt")], seed=7
    )
    wait_until_ended(again)
    assert texts(again) == texts(run)


@pytest.mark.parametrize("with_file", [False, True], ids=["its file stays", "its file is lost"])
def test_killed_broker_loses_nothing(crew: Crew, with_file: bool) -> None:
    crew.only("one")
    run = queue(*numbered(9))
    wait_for(lambda: finished(run) >= 2)
    kill_server("Valkey", with_file=with_file)
    wait_for_one_more(run)
    wait_until_ended(run)
    assert_each_once(run)


def test_run_queued_without_a_broker_is_written_when_it_is_back(crew: Crew) -> None:
    crew.only("one")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evalsite.celery.app.send_task", refuse)
        run = queue(*numbered(3))
    wait_until_ended(run, BACK_SECONDS)
    assert_each_once(run)


def refuse(*arguments: object, **options: object) -> None:
    from kombu.exceptions import OperationalError

    raise OperationalError("the broker is away")


def test_killed_database_loses_nothing(crew: Crew) -> None:
    crew.only("one")
    run = queue(*numbered(9))
    wait_for(lambda: finished(run) >= 2)
    kill_server("PostgreSQL")
    wait_for_one_more(run)
    wait_until_ended(run)
    assert_each_once(run)


def test_message_delivered_five_times_writes_one_text(crew: Crew) -> None:
    worker = crew.only("one")
    before = worker.log.read_text().count("succeeded")
    run = queue("题目")
    for _ in range(5):
        notify("generate")
    wait_until_ended(run)
    wait_for(lambda: worker.log.read_text().count("succeeded") >= before + 5)
    assert_each_once(run)
    assert run.run_prompts.get().attempts == 1


def test_worker_that_replaces_a_killed_group_goes_on_with_its_texts(crew: Crew) -> None:
    worker = crew.only("one")
    run = queue(*numbered(4 + 3 * (KILLS - 1)))
    rng = random.Random(1917)
    for number in range(KILLS - 1):
        time.sleep(rng.uniform(0.1, 0.9))
        worker.end()
        worker = crew.only(f"heir{number}")
        wait_for_one_more(run)
    wait_until_ended(run)
    assert_each_once(run)


def test_poison_prompts_fail_after_three_attempts_and_harm_no_other(crew: Crew) -> None:
    crew.only("hasty", lease=SHORT_LEASE)
    run = queue("deadly", "题目一", "broken", "题目二", "refused", "题目三")
    wait_until_ended(run)
    assert run.state == GenerationRun.State.FAILED
    found = {
        one.prompt.text: (one.state, one.attempts, one.error)
        for one in run.run_prompts.select_related("prompt")
    }
    assert found == {
        "deadly": ("failed", 3, LOST),
        "broken": ("failed", 3, "RuntimeError: the model gave no number"),
        "refused": ("failed", 1, "prompt: no title may hold this word"),
        "题目一": ("done", 1, ""),
        "题目二": ("done", 1, ""),
        "题目三": ("done", 1, ""),
    }
    assert set(texts(run)) == {"题目一", "题目二", "题目三"}


def test_worker_that_was_stopped_beyond_its_lease_writes_nothing_more(crew: Crew) -> None:
    stopped = crew.only("hasty", lease=SHORT_LEASE)
    run = queue("slow")
    wait_for(run.run_prompts.filter(state=RunPrompt.State.RUNNING, step__isnull=False).exists)
    stopped.signal_group(signal.SIGSTOP)
    crew.also("other", lease=SHORT_LEASE)
    wait_until_ended(run)
    assert_each_once(run)
    assert run.run_prompts.get().attempts == 2
    (candidate,) = Candidate.objects.filter(run=run)
    stopped.signal_group(signal.SIGCONT)
    wait_for(lambda: "Nothing was stored" in stopped.log.read_text())
    assert list(Candidate.objects.filter(run=run)) == [candidate]
    run.refresh_from_db()
    assert_each_once(run)
