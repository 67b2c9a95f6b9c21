from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from generation.compose.composing import Busy, TooManyWaiting, compose, forget_old, next_try
from generation.conftest import written
from generation.models import Allowance, Candidate, Composition, GenerationRun, Prompt, RunPrompt
from generation.orders import Order
from generation.runs.claiming import claim, record
from generation.runs.runs import queue_run
from generation.web.quotas import TooMany

ORDER = Order("inverse_prompting", "poem", "春夜", form="ci", tune="浣溪沙", author="李白", seed=7)
Queue = Callable[..., GenerationRun]


def ask(order: Order = ORDER, visitor: str = "alice", address: str = "192.0.2.7") -> Composition:
    return compose(order, visitor=visitor, address=address)


def test_an_order_becomes_a_run_of_one_prompt_that_says_all_of_it(db: None, notified: list[str]) -> None:
    run = ask().run_prompt.run
    assert (run.method.key, run.seed, run.started_by, run.state) == ("inverse_prompting", 7, None, "queued")
    assert run.config == {"form": "ci", "tune": "浣溪沙", "author": "李白"}
    assert run.run_prompts.get().prompt.text == "春夜"


def test_a_visitor_is_served_before_a_study(queue: Queue) -> None:
    queue("月夜", "江雪")
    ask()
    claimed = claim("generate")
    assert claimed is not None
    assert claimed.order.prompt == "春夜"
    assert claimed.order == replace(ORDER, seed=claimed.order.seed)


def test_the_workers_are_rung_for_once_the_order_is_stored(
    notified: list[str], worker: None, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        ask()
        assert notified == []
    assert notified == ["generate"]


def test_another_try_is_the_same_order_with_the_next_seed(db: None, notified: list[str]) -> None:
    first = ask()
    second = ask(next_try(Composition.objects.with_order().get(pk=first.pk)))
    runs = [one.run_prompt.run for one in (first, second)]
    assert [run.seed for run in runs] == [7, 8]
    assert runs[0].config == runs[1].config
    assert runs[0].run_prompts.get().prompt == runs[1].run_prompts.get().prompt


def test_a_visitor_has_so_many_texts_an_hour(db: None, notified: list[str], settings: Any) -> None:
    settings.COMPOSE_PER_VISITOR = 2
    ask(), ask()
    with pytest.raises(TooMany):
        ask()
    ask(visitor="bob")
    assert Composition.objects.count() == 3


def test_an_address_has_so_many_texts_an_hour_and_a_refusal_uses_up_nothing(
    db: None, notified: list[str], settings: Any
) -> None:
    settings.COMPOSE_PER_ADDRESS = 2
    ask(), ask(visitor="bob")
    used = dict(Allowance.objects.values_list())
    with pytest.raises(TooMany):
        ask(visitor="charlie")
    assert dict(Allowance.objects.values_list()) == used
    ask(visitor="charlie", address="192.0.2.8")


def test_with_too_much_waiting_no_more_is_taken(db: None, notified: list[str], settings: Any) -> None:
    settings.COMPOSE_QUEUE = 2
    ask(), ask()
    used = Allowance.objects.count(), Prompt.objects.count()
    with pytest.raises(Busy) as busy:
        ask(replace(ORDER, prompt="秋夜"), visitor="bob")
    assert busy.value.waiting == 2
    assert (Allowance.objects.count(), Prompt.objects.count()) == used
    assert claim("generate")
    with pytest.raises(Busy):
        ask()
    RunPrompt.objects.filter(state=RunPrompt.State.RUNNING).update(
        state=RunPrompt.State.DONE, lease=None, leased_until=None
    )
    ask()


def test_one_address_cannot_fill_the_queue(db: None, notified: list[str], settings: Any) -> None:
    settings.COMPOSE_QUEUE, settings.COMPOSE_QUEUE_PER_ADDRESS = 20, 3
    for number in range(3):
        ask(visitor=f"cookie {number}", address=f"2001:db8::{number}")
    used = Allowance.objects.count()
    with pytest.raises(TooManyWaiting, match="3 texts that were asked for from here wait already") as refused:
        ask(visitor="cookie 4", address="2001:db8::4")
    assert (refused.value.status, refused.value.retry_after) == (429, 30)
    assert Allowance.objects.count() == used
    ask(visitor="cookie 4", address="192.0.2.8")


def test_the_share_of_an_address_is_free_again_and_forgotten_once_its_texts_are_written(
    db: None, notified: list[str], settings: Any
) -> None:
    settings.COMPOSE_QUEUE_PER_ADDRESS = 1
    first = ask()
    RunPrompt.objects.update(state=RunPrompt.State.DONE)
    second = ask()
    assert first.address == second.address != ""
    assert "192.0.2.7" not in first.address
    forget_old()
    assert dict(Composition.objects.values_list("pk", "address")) == {first.pk: "", second.pk: second.address}


def test_texts_of_studies_do_not_make_visitors_wait(queue: Queue, settings: Any) -> None:
    settings.COMPOSE_QUEUE = 1
    queue("月夜", "江雪")
    ask()
    assert Composition.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_requests_at_once_do_not_pass_the_cap(notified: list[str], settings: Any) -> None:
    settings.COMPOSE_QUEUE = 3

    def one(number: int) -> bool:
        try:
            # One address would have its requests stand in line for its allowance.
            ask(replace(ORDER, prompt=f"春夜{number % 2}"), visitor=str(number), address=f"192.0.2.{number}")
        except Busy:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(24))) == 3
    assert Composition.objects.count() == GenerationRun.objects.count() == 3


def test_a_prompt_that_a_study_has_is_used_again_and_nothing_else_of_the_study(queue: Queue) -> None:
    run = queue("春夜")
    composition = ask()
    assert Prompt.objects.count() == 1
    assert composition.run_prompt.run != run
    assert run.run_prompts.count() == 1


def test_a_run_that_no_visitor_asked_for_is_no_composition(db: None, notified: list[str]) -> None:
    prompt = Prompt.objects.create(genre="poem", text="春夜")
    queue_run("inverse_prompting", [prompt])
    assert not Composition.objects.exists()


def grow_old(composition: Composition, days: float) -> None:
    GenerationRun.objects.filter(run_prompts=composition.pk).update(created_at=Now() - timedelta(days=days))


def test_old_texts_are_deleted_with_what_was_asked_for(
    db: None, notified: list[str], settings: Any, django_assert_num_queries: Any
) -> None:
    settings.COMPOSE_KEEP_DAYS = 30
    old, young = ask(replace(ORDER, prompt="旧")), ask(replace(ORDER, prompt="新"))
    claimed = claim("generate")
    assert claimed is not None
    record(claimed, written())
    grow_old(old, 30.1)
    grow_old(young, 29.9)
    assert forget_old() == 1
    assert list(Composition.objects.all()) == [young]
    assert list(GenerationRun.objects.all()) == [young.run_prompt.run]
    assert [prompt.text for prompt in Prompt.objects.all()] == ["新"]
    assert not Candidate.objects.exists()
    with django_assert_num_queries(2):
        assert forget_old() == 0


def test_what_others_asked_for_too_stays(queue: Queue, settings: Any) -> None:
    run = queue("春夜")
    composition = ask()
    for one in (run, composition.run_prompt.run):
        GenerationRun.objects.filter(pk=one.pk).update(created_at=Now() - timedelta(days=900))
    assert forget_old() == 1
    assert list(GenerationRun.objects.all()) == [run], "a study's texts are not a visitor's"
    assert Prompt.objects.get().text == "春夜"


def test_texts_are_kept_for_ever_where_it_says_so(db: None, notified: list[str], settings: Any) -> None:
    settings.COMPOSE_KEEP_DAYS = 0
    grow_old(ask(), 9000)
    assert forget_old() == 0
    assert Composition.objects.exists()
