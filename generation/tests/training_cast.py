"""What the tests of the training share: real poems from the fixtures, and a model that trains in seconds."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from generation.training.settings import Architecture, Progress, Stopped, Training
from generation.verse.corpus import Collection, Part, Poem, form_of, sentences_of

FIXTURE = Path(__file__).resolve().parent.parent.parent / "fixtures" / "tang-poets.jsonl"
TINY = Architecture(layers=1, width=32, heads=2, inner=64)
SHORT = Training(tokens=12_000, batch_tokens=512, seed=1)


@cache
def verse() -> list[Poem]:
    """Return the 80 poems of the demo: every tenth is held out, every fourth plays a poem of the Song."""
    poems = []
    for place, line in enumerate(FIXTURE.read_text(encoding="utf-8").splitlines()):
        entry = json.loads(line)
        text = entry["text"].replace("\n", "")
        form = form_of(sentences_of(text))
        assert form is not None
        part: Part = "held_out" if place % 10 == 0 else "train"
        collection: Collection = "song" if place % 4 == 3 else "tang"
        poems.append(Poem(collection, part, form, "", entry["title"], entry["author"], text))
    return poems


def ignore(progress: object) -> None:
    """Hear of the progress and go on."""


class StopAfter:
    """A report that stops a training after some steps."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def __call__(self, progress: Progress) -> None:
        if progress.step == self.steps:
            raise Stopped


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """Return the weights of a model's folder by name."""
    return dict(AutoModelForCausalLM.from_pretrained(folder).state_dict())


def place_of(folder: Path) -> dict[str, Any]:
    """Return the place of a stopped training in a folder."""
    return dict(torch.load(folder / "training.pt", weights_only=True)["place"])


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    """Return whether two models have the same weights, to the last bit."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
