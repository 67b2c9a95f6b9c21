from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from generation.tests.training_cast import SHORT, TINY, ignore, same, verse, weights
from generation.training import pretrain, self_training
from generation.training.own_poems import OwnPoem
from generation.training.pretrain import train
from generation.training.settings import SelfTraining
from generation.verse.corpus import write_corpus

SelfTrain = Callable[..., None]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was trained for a moment, beside its corpus."""
    folder = tmp_path_factory.mktemp("model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pretrain, "EXAMPLES_A_CHUNK", 300)
        train(verse(), folder / "model", replace(SHORT, tokens=2000), TINY, ignore)
    write_corpus(verse(), folder / "poems.jsonl")
    return folder / "model"


@pytest.fixture
def self_train(model: Path, tmp_path: Path) -> SelfTrain:
    """The command with some of its options changed."""

    def self_train(output: str, **changes: object) -> None:
        options = {"preset": "small", "titles": 2, "steps": 3, "threads": 1, "device": "cpu", **changes}
        call_command(
            "self_train", model, corpus=model.parent / "poems.jsonl", output=tmp_path / output, **options
        )

    return self_train


def test_an_interrupted_self_training_goes_on_by_the_same_command(
    self_train: SelfTrain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def keep_and_signal(own: list[OwnPoem], settings: SelfTraining) -> list[OwnPoem]:
        os.kill(os.getpid(), signal.SIGTERM)
        return own

    with monkeypatch.context() as patch:
        patch.setattr(self_training, "keep_poems", keep_and_signal)
        with pytest.raises(CommandError, match="Stopped; the same command goes on from there") as stop:
            self_train("stopped")
    assert stop.value.returncode == 128 + signal.SIGTERM
    written = (tmp_path / "stopped" / "cycle-1" / "poems.jsonl").read_text()
    self_train("stopped")
    assert (tmp_path / "stopped" / "cycle-1" / "poems.jsonl").read_text() == written
    assert f"{tmp_path / 'stopped' / 'cycle-1'} holds the model of the last cycle" in capsys.readouterr().out
    self_train("whole")
    assert same(weights(tmp_path / "stopped" / "cycle-1"), weights(tmp_path / "whole" / "cycle-1"))


def test_titles_are_read_from_a_file(self_train: SelfTrain, tmp_path: Path) -> None:
    (tmp_path / "titles.txt").write_text("明月\n\n 山水 \n")
    self_train("output", titles_file=tmp_path / "titles.txt")
    poems = (tmp_path / "output" / "cycle-1" / "poems.jsonl").read_text().splitlines()
    assert [json.loads(poem)["title"] for poem in poems] == ["明月", "山水"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps must be above zero, not 0"),
        ({"titles": 1000}, r"the corpus has \d+ titles to write poems for, not 1000"),
        ({"least_score": 1e9}, "none of the 2 poems is to be kept"),
        ({"device": "nonsense"}, "the device nonsense cannot be used"),
        ({"search": "nonsense"}, "preset: nonsense is none of"),
    ],
)
def test_wrong_options_are_told_in_one_line(
    self_train: SelfTrain, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(CommandError, match=rf"^{message}[^\n]*$"):
        self_train("output", **changes)


@pytest.mark.parametrize(("content", "message"), [(None, "No such file"), ("\n \n", "holds no title")])
def test_a_file_without_titles_is_told(
    self_train: SelfTrain, tmp_path: Path, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "titles.txt").write_text(content)
    with pytest.raises(CommandError, match=rf"titles\.txt.* {message}"):
        self_train("output", titles_file=tmp_path / "titles.txt")


def test_a_folder_that_is_no_model_is_told(model: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=f"There is no folder {tmp_path / 'nowhere'}"):
        call_command(
            "self_train",
            tmp_path / "nowhere",
            corpus=model.parent / "poems.jsonl",
            output=tmp_path / "output",
            preset="small",
        )
    assert not (tmp_path / "output").exists()
