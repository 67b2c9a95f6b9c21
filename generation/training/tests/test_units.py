"""What is measured at the end of a cycle of a chain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from generation.refusals import Refused
from generation.tests.training_cast import SHORT, TINY, ignore, verse
from generation.training.architecture import load_verse_model
from generation.training.losses import held_out_losses
from generation.training.pretrain import PROCESSOR, train
from generation.training.settings import SMALL, Lesson
from generation.training.units import measure_held_out
from generation.verse.corpus import write_corpus


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two models of different seeds."""
    folders = [tmp_path_factory.mktemp(name) for name in ("before", "after")]
    for seed, folder in enumerate(folders):
        train(verse(), folder, replace(SHORT, tokens=1_000, seed=seed), TINY, ignore)
    return folders


def test_held_out_losses_are_those_of_the_model_before_and_of_the_new_one(
    models: list[Path], tmp_path: Path
) -> None:
    corpus = tmp_path / "poems.jsonl"
    write_corpus(verse(), corpus)
    new, tokenizer = load_verse_model(models[1], PROCESSOR)
    lesson = Lesson(models[0], tmp_path / "new", 1, (), SMALL, corpus=corpus)
    measured = {name: values for name, *values in measure_held_out(lesson, new, PROCESSOR)}
    old, _ = load_verse_model(models[0], PROCESSOR)
    before, after = (held_out_losses(model, tokenizer, verse()) for model in (old, new))
    assert measured == {name: pytest.approx([before[name], after[name]], abs=1e-3) for name in before}
    assert measured["forward tang"][0] != measured["forward tang"][1]


def test_nothing_is_measured_without_a_corpus(models: list[Path], tmp_path: Path) -> None:
    model, _ = load_verse_model(models[1], PROCESSOR)
    assert measure_held_out(Lesson(models[0], tmp_path, 1, (), SMALL), model, PROCESSOR) == ()


def test_damaged_corpus_is_told_with_its_line(models: list[Path], tmp_path: Path) -> None:
    (tmp_path / "poems.jsonl").write_text("{}\n")
    model, _ = load_verse_model(models[1], PROCESSOR)
    lesson = Lesson(models[0], tmp_path, 1, (), SMALL, corpus=tmp_path / "poems.jsonl")
    with pytest.raises(Refused, match="line 1: is no poem"):
        measure_held_out(lesson, model, PROCESSOR)
