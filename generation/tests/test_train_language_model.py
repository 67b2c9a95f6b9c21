from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from generation.tests.training_cast import place_of, same, verse, weights
from generation.training import pretrain
from generation.verse.corpus import write_corpus

SETTINGS = {
    "tokens": 6000,
    "batch_tokens": 512,
    "layers": 1,
    "width": 32,
    "heads": 2,
    "inner": 64,
    "threads": 1,
    "device": "cpu",
    "evaluate_every": 5,
}
Train = Callable[..., None]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrain, "EXAMPLES_A_CHUNK", 300)


@pytest.fixture
def train(tmp_path: Path) -> Train:
    """The command on the corpus of the tests, with some of its options changed."""
    write_corpus(verse(), tmp_path / "poems.jsonl")

    def train(output: str, **changes: object) -> None:
        call_command(
            "train_language_model",
            tmp_path / "poems.jsonl",
            output=tmp_path / output,
            **{**SETTINGS, **changes},
        )

    return train


def signal_at_step(monkeypatch: pytest.MonkeyPatch, step: int, number: signal.Signals) -> None:
    """Let the process be signalled while it takes a step."""
    take_step, taken = pretrain.train_step, 0

    def take_step_with_signal(*args: object) -> float:
        nonlocal taken
        taken += 1
        if taken == step:
            os.kill(os.getpid(), number)
        return take_step(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(pretrain, "train_step", take_step_with_signal)


def test_a_model_is_trained_and_its_losses_told(
    train: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train("model")
    said = capsys.readouterr().out
    losses = json.loads((tmp_path / "model" / "training.json").read_text())["losses"]
    assert f"forward tang: {losses['forward tang']:.3f}\n" in said
    assert f"gap a title character: {losses['gap a title character']:.3f}\n" in said
    assert "step 5, 2," in said
    assert (tmp_path / "model" / "README.md").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_training_goes_on_by_the_same_command(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with monkeypatch.context() as patch:
        signal_at_step(patch, 4, number)
        with pytest.raises(
            CommandError, match=r"Stopped after [12],\d\d\d of 6,000 tokens; the same command"
        ) as stop:
            train("stopped")
    assert stop.value.returncode == 128 + number
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert place_of(tmp_path / "stopped")["step"] == 4
    train("stopped")
    train("whole")
    assert same(weights(tmp_path / "stopped"), weights(tmp_path / "whole"))


def test_the_second_ctrl_c_ends_at_once(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_step = pretrain.train_step

    def interrupt_twice(*args: object) -> float:
        # To this thread: two signals to the process may be taken for one.
        before = signal.getsignal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        # The second comes once the first was taken.
        while signal.getsignal(signal.SIGINT) is before:
            pass
        signal.raise_signal(signal.SIGINT)
        return take_step(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(pretrain, "train_step", interrupt_twice)
    # A process that was started in the background ignores the signal from its beginning.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            train("model")
    finally:
        signal.signal(signal.SIGINT, inherited)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tokens": 0}, "tokens must be above zero, not 0"),
        ({"width": 33}, "width must be a multiple of twice the heads"),
        ({"threads": 0}, "threads must be above zero, not 0"),
        ({"device": "nonsense"}, "the device nonsense cannot be used"),
    ],
)
def test_wrong_options_are_told_in_one_line(
    train: Train, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(CommandError, match=rf"^{message}[^\n]*$"):
        train("model", **changes)
    assert not (tmp_path / "model").exists()


def test_other_settings_in_the_same_folder_are_refused(train: Train) -> None:
    train("model")
    with pytest.raises(
        CommandError, match=r"is of another training .seed 20211 there, 5 here.; choose another folder"
    ):
        train("model", seed=5)


def test_a_corpus_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "poems.jsonl").write_text("{}\n")
    with pytest.raises(CommandError, match="line 1: is no poem of a prepared corpus"):
        call_command("train_language_model", tmp_path / "poems.jsonl", output=tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_place_that_cannot_be_written_is_told(train: Train, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="file cannot be written: File exists"):
        train("file")
