"""Runs are queued, cancelled and tried again; what cannot be carried out is refused at once."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from generation import methods
from generation.conftest import Queue, written
from generation.decoding.methods import compose
from generation.methods import METHODS, Weights
from generation.models import GenerationRun, Method, Prompt, RunPrompt, Worker
from generation.orders import Order, OrderRefused
from generation.refusals import Refused
from generation.runs.claiming import claim, give_up, record
from generation.runs.runs import (
    LARGEST_SEED,
    cancel_run,
    methods_here,
    queue_run,
    record_import,
    retry_failed,
)
from generation.tests.tiny_models import verse_model


def test_run_holds_its_prompts_in_their_order(queue: Queue) -> None:
    run = queue("花", "春", method="search_baseline", seed=LARGEST_SEED)
    run.refresh_from_db()
    assert (run.state, run.method.label, run.queue) == ("queued", "Search baseline", "generate")
    assert list(run.run_prompts.values_list("number", "prompt__text", "state")) == [
        (1, "花", "waiting"),
        (2, "春", "waiting"),
    ]


def test_a_record_is_all_that_a_new_method_needs(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = Weights(inverse=1, forward=0, length_power=1, format=1)
    method = methods.Method(key="inverse_only", label="Inverse only", verse=weights, prose=weights)
    monkeypatch.setitem(METHODS, method.key, method)
    monkeypatch.setitem(methods.LABELS, method.key, method.label)
    assert str(queue("登高", method="inverse_only").method) == "Inverse only"
    assert "inverse_only" in methods_here()
    written = compose(verse_model(), Order("inverse_only", "poem", "登高", form="jueju5"))
    assert written.best.terms["forward"] == 0
    assert written.best.terms["inverse"] == pytest.approx(written.best.score - written.best.terms["format"])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"method": "human"}, "human is no method that can be carried out here"),
        ({"preset": "huge"}, "huge is no preset; there are authors, poem, poem_evaluation, qa, qa_paragraph"),
        ({"model": "../secrets"}, "../secrets is no name of a model"),
        ({"seed": -1}, "not negative"),
        ({"seed": LARGEST_SEED + 1}, "The seed must be"),
        ({"titles": []}, "no prompts"),
    ],
)
def test_run_that_cannot_be_is_refused(queue: Queue, changed: dict[str, Any], message: str) -> None:
    titles = changed.pop("titles", ["春"])
    with pytest.raises(Refused, match=message):
        queue(*titles, **changed)
    assert not GenerationRun.objects.exists()


def test_run_without_a_model_for_its_prompts_is_refused(db: None) -> None:
    question = Prompt.objects.create(genre="qa", text="天为什么是蓝的？")
    with pytest.raises(Refused, match="天为什么是蓝的？: model: none comes with the site for Chinese prose"):
        queue_run("inverse_prompting", [question])
    assert not RunPrompt.objects.exists()


def test_unknown_field_of_an_order_is_a_mistake_of_the_caller(queue: Queue) -> None:
    with pytest.raises(ValueError, match="config: "):
        queue("春", config={"method": "human"})


def test_cancelled_run_keeps_what_is_written(queue: Queue) -> None:
    run = queue("春", "江", "花")
    claimed = claim("generate")
    assert claimed
    record(claimed, written())
    claim("generate")
    assert cancel_run(run)
    assert not cancel_run(run), "twice is once"
    run.refresh_from_db()
    assert run.state == GenerationRun.State.CANCELLED
    assert list(run.run_prompts.values_list("state", flat=True)) == ["done", "cancelled", "cancelled"]
    assert run.candidates.count() == 1


def test_finished_run_cannot_be_cancelled(queue: Queue) -> None:
    run = queue("春")
    claimed = claim("generate")
    assert claimed
    record(claimed, written())
    assert not cancel_run(run)
    run.refresh_from_db()
    assert run.state == GenerationRun.State.DONE


def test_failed_prompts_are_tried_again_and_the_others_left_alone(
    queue: Queue,
    worker: Worker,
    notified: list[str],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    run = queue("毒", "江")
    claimed = claim("generate")
    assert claimed
    give_up(claimed, OrderRefused("title: too long"))
    claimed = claim("generate")
    assert claimed
    record(claimed, written())
    with django_capture_on_commit_callbacks(execute=True):
        assert retry_failed(run) == 1
    assert notified == ["generate"]
    assert list(run.run_prompts.values_list("state", "attempts", "error")) == [
        ("waiting", 0, ""),
        ("done", 1, ""),
    ]
    claimed = claim("generate")
    assert claimed
    record(claimed, written())
    run.refresh_from_db()
    assert run.state == GenerationRun.State.DONE
    assert retry_failed(run) == 0


def test_cancelled_run_stays_so(queue: Queue) -> None:
    run = queue("毒", "江")
    claimed = claim("generate")
    assert claimed
    give_up(claimed, OrderRefused("title: too long"))
    cancel_run(run)
    assert retry_failed(run) == 0
    run.refresh_from_db()
    assert run.state == GenerationRun.State.CANCELLED
    assert claim("generate") is None


def test_import_is_no_run_of_ours(db: None) -> None:
    record_import("poem", [], source={})
    Method.objects.create(key="human", label="Human").runs.create(state="done")
    assert not GenerationRun.objects.written_here().exists()
