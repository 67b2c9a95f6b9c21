"""A prompt of a run is written by one worker at a time, and stored once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from generation.conftest import Queue, written
from generation.models import Candidate, GenerationRun, Prompt, RunPrompt
from generation.models.lease import LOST, LeaseLost
from generation.orders import Order, OrderRefused, Step
from generation.runs.claiming import (
    Claim,
    claim,
    fail_lost,
    give_up,
    record,
    renew,
    report_step,
    seed_for,
)
from generation.runs.runs import cancel_run


def taken(queue: str = "generate") -> Claim:
    found = claim(queue)
    assert found is not None
    return found


def let_leases_run_out() -> None:
    RunPrompt.objects.filter(state=RunPrompt.State.RUNNING).update(leased_until=Now() - timedelta(seconds=1))


def number_of(claimed: Claim) -> int:
    return RunPrompt.objects.get(pk=claimed.run_prompt).number


def test_prompts_are_taken_in_their_order_and_each_once(queue: Queue) -> None:
    run = queue("春", "江", "花")
    assert [number_of(taken()) for _ in range(3)] == [1, 2, 3]
    assert claim("generate") is None
    run.refresh_from_db()
    assert run.state == GenerationRun.State.RUNNING


def test_order_says_what_the_run_and_the_prompt_say(queue: Queue) -> None:
    queue("春", model="verse", preset="poem", seed=5, config={"form": "jueju7"})
    order = taken().order
    assert order == Order(
        "inverse_prompting", "poem", "春", form="jueju7", model="verse", preset="poem", seed=order.seed
    )


def test_seed_of_a_prompt_is_the_same_in_every_run_with_the_same_seed(queue: Queue) -> None:
    queue("春", "江", seed=5)
    first, second = taken().order, taken().order
    queue("江", "花", "春", seed=5)
    again = {order.prompt: order for order in (taken().order for _ in range(3))}
    assert again["春"].seed == first.seed
    assert again["江"].seed == second.seed
    assert len({order.seed for order in again.values()}) == 3


def test_seed_of_a_prompt_never_changes_with_the_version_of_the_site() -> None:
    # From coreutils: printf '7\0poem\0春江\0' | sha256sum
    assert seed_for(7, Prompt(genre="poem", text="春江")) == 0x72EA249D


def test_queue_is_taken_by_its_own_workers_only(queue: Queue) -> None:
    queue("春", model="large")
    assert claim("generate") is None
    assert taken("generate-large").order.model == "large"


def test_run_of_a_visitor_goes_before_a_study(queue: Queue) -> None:
    queue("春", "江")
    queue("花", priority=10)
    assert [taken().order.prompt for _ in range(3)] == ["花", "春", "江"]


def test_lease_that_ran_out_lets_another_take_the_prompt(queue: Queue) -> None:
    queue("春")
    first = taken()
    assert claim("generate") is None
    let_leases_run_out()
    second = taken()
    assert second.run_prompt == first.run_prompt
    assert second.lease != first.lease
    shown = RunPrompt.objects.get()
    assert (shown.attempts, shown.error) == (2, LOST)


def test_renewed_lease_keeps_the_prompt(queue: Queue) -> None:
    queue("春")
    first = taken()
    let_leases_run_out()
    renew(first)
    assert claim("generate") is None


def test_text_is_stored_with_all_that_is_known_of_it(queue: Queue) -> None:
    run = queue("春")
    candidate = record(taken(), written("山中一夜雨,树杪百重泉."))
    run.refresh_from_db()
    assert run.state == GenerationRun.State.DONE
    assert candidate.text == "山中一夜雨，树杪百重泉。", "normalised like every other text"
    kept = candidate.provenance
    kept.refresh_from_db()
    assert (kept.score, kept.unknown, kept.seconds) == (-2.5, "霾", 1.25)
    assert kept.terms == {"inverse": -1.75, "forward": -0.75}
    assert kept.sentences[1] == {"text": "树杪百重泉。", "forward": -5.0, "inverse": -2.0}
    assert kept.runners_up == [
        {"text": "其0", "score": -3.0, "terms": {"inverse": -2.0, "forward": -1.0}, "sentences": []}
    ]
    assert kept.facts == {"model": "verse", "checkpoint": "ab12", "normaliser": 1}


def test_text_under_a_lost_lease_is_refused(queue: Queue) -> None:
    queue("春")
    first = taken()
    let_leases_run_out()
    second = taken()
    with pytest.raises(LeaseLost):
        record(first, written("迟到之句。"))
    assert not Candidate.objects.exists()
    record(second, written())
    with pytest.raises(LeaseLost):
        record(second, written("第二次。"))
    assert Candidate.objects.get().text == "山中一夜雨，树杪百重泉。"


def test_lost_lease_can_be_neither_renewed_nor_reported_on(queue: Queue) -> None:
    queue("春")
    first = taken()
    let_leases_run_out()
    taken()
    with pytest.raises(LeaseLost):
        renew(first)
    with pytest.raises(LeaseLost):
        report_step(first, Step(1, 8, "山中"))
    assert RunPrompt.objects.get().step is None


def test_step_is_stored_for_the_page(queue: Queue) -> None:
    queue("春")
    report_step(taken(), Step(2, 8, "山中一夜雨，树杪百重泉。"))
    assert RunPrompt.objects.get().step == {"sentence": 2, "most": 8, "text": "山中一夜雨，树杪百重泉。"}


def test_failed_prompt_is_tried_three_times_after_the_others(queue: Queue) -> None:
    run = queue("毒", "江")
    error = RuntimeError("no number \x00")
    numbers = []
    while claimed := claim("generate"):
        numbers.append(number_of(claimed))
        if numbers[-1] == 1:
            give_up(claimed, error)
        else:
            record(claimed, written())
    assert numbers == [1, 2, 1, 1]
    failed = run.run_prompts.get(number=1)
    assert (failed.state, failed.attempts, failed.error) == ("failed", 3, "RuntimeError: no number ")
    run.refresh_from_db()
    assert run.state == GenerationRun.State.FAILED
    assert run.candidates.count() == 1


def test_refused_order_is_not_tried_again(queue: Queue) -> None:
    run = queue("毒")
    give_up(taken(), OrderRefused("title: is too long"))
    failed = run.run_prompts.get()
    assert (failed.state, failed.attempts, failed.error) == ("failed", 1, "title: is too long")


def test_empty_text_is_an_error_and_no_candidate(queue: Queue) -> None:
    queue("春")
    claimed = taken()
    with pytest.raises(ValueError, match="empty"):
        record(claimed, written(" \n "))
    assert RunPrompt.objects.get().state == RunPrompt.State.RUNNING
    give_up(claimed, ValueError("empty"))
    assert RunPrompt.objects.get().state == RunPrompt.State.WAITING


def test_prompt_whose_third_worker_was_lost_fails(queue: Queue) -> None:
    run = queue("毒")
    for _ in range(3):
        taken()
        assert fail_lost() == 0
        let_leases_run_out()
    assert claim("generate") is None
    assert fail_lost() == 1
    failed = run.run_prompts.get()
    assert (failed.state, failed.attempts, failed.error) == ("failed", 3, LOST)
    run.refresh_from_db()
    assert run.state == GenerationRun.State.FAILED


def test_whoever_lost_a_prompt_says_nothing_about_its_end(queue: Queue) -> None:
    queue("春")
    first = taken()
    let_leases_run_out()
    second = taken()
    give_up(first, RuntimeError("I was too slow"))
    assert RunPrompt.objects.get().lease == second.lease


def test_text_of_a_cancelled_run_is_refused(queue: Queue) -> None:
    run = queue("春", "江")
    claimed = taken()
    assert cancel_run(run)
    with pytest.raises(LeaseLost):
        report_step(claimed, Step(1, 8, "山中"))
    with pytest.raises(LeaseLost):
        record(claimed, written())
    assert claim("generate") is None
    assert not Candidate.objects.exists()


def test_database_takes_no_second_text_for_a_prompt_of_a_run(queue: Queue) -> None:
    run = queue("春")
    candidate = record(taken(), written())
    with pytest.raises(IntegrityError, match="candidate_once_per_run"), transaction.atomic():
        Candidate.objects.create(run=run, prompt=candidate.prompt, text="又一首。")


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"attempts": 4}, "run_prompt_attempts_limited"),
        ({"state": "running", "lease": None}, "run_prompt_running_is_leased"),
        ({"state": "lost"}, "run_prompt_state_known"),
    ],
)
def test_database_takes_no_impossible_state(queue: Queue, values: dict[str, object], constraint: str) -> None:
    queue("春")
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        RunPrompt.objects.update(**values)


def test_claims_look_only_among_open_prompts(queue: Queue) -> None:
    queue(*(f"旧题{number}" for number in range(500))).run_prompts.update(state=RunPrompt.State.DONE)
    queue("春")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE generation_runprompt")
    assert "run_prompt_open" in RunPrompt.objects.claimable().filter(run__queue="generate").explain()
