"""The words between a training and who starts it, without torch: its settings, its progress, why it ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

# Measures on held-out verse beside losses a token.
GAP, GAP_A_CHARACTER = "gap a token", "gap a title character"


def positive(settings: object, *names: str) -> None:
    """Raise ValueError with the name of the first of these settings that is not above zero."""
    for name in names:
        if not getattr(settings, name) > 0:
            raise ValueError(f"{name.replace('_', '-')} must be above zero, not {getattr(settings, name)}")


@dataclass(frozen=True)
class Architecture:
    """A Llama of the size that a few hours on two cores can train: 6.8 M parameters with 7,600 characters."""

    layers: int = 6
    width: int = 256
    heads: int = 4
    inner: int = 704
    positions: int = 256

    def __post_init__(self) -> None:
        positive(self, "layers", "width", "heads", "inner", "positions")
        if self.width % (2 * self.heads):
            raise ValueError("width must be a multiple of twice the heads")


@dataclass(frozen=True)
class Training:
    """How long and how to train. The rate is per step; a batch is counted in tokens, padding included."""

    tokens: int = 25_000_000
    batch_tokens: int = 6144
    learning_rate: float = 3e-3
    weight_decay: float = 0.1
    warm_up_steps: int = 50
    # Share of the tokens over which the learning rate falls to zero at the end.
    decay_share: float = 0.5
    clip: float = 1.0
    seed: int = 20211

    def __post_init__(self) -> None:
        positive(self, "tokens", "batch_tokens", "learning_rate", "warm_up_steps", "decay_share", "clip")
        if self.seed < 0:
            raise ValueError("seed must not be negative")

    def rate_at(self, progress: float, step: int) -> float:
        """Return the learning rate after a share of the tokens (0 to 1) and a number of steps."""
        decay = min(1.0, (1 - progress) / self.decay_share)
        return self.learning_rate * min(1.0, (step + 1) / self.warm_up_steps) * max(decay, 0.0)


@dataclass(frozen=True)
class SelfTraining:
    """How a model learns from its own poems; the defaults are those of the paper's section 4.4 and appendix.

    Of the poems that were written, those are kept whose score is at least `least_score`, and of these the best
    `keep_share`. `real_share` of what is learnt are examples of the corpus in both directions. The paper does not
    print its batch.
    """

    titles: int = 1500
    steps: int = 2000
    cycles: int = 2
    keep_share: float = 1.0
    least_score: float | None = None
    real_share: float = 0.0
    batch_tokens: int = 512
    learning_rate: float = 1e-4
    # Of the learning rate, what is left of it at the last step.
    final_share: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-6
    weight_decay: float = 0.1
    clip: float = 1.0
    seed: int = 20211

    def __post_init__(self) -> None:
        positive(self, "titles", "steps", "cycles", "keep_share", "batch_tokens", "learning_rate", "clip")
        if self.keep_share > 1:
            raise ValueError(f"keep-share must be at most 1, not {self.keep_share}")
        if not 0 <= self.real_share < 1:
            raise ValueError(f"real-share must be from 0 to below 1, not {self.real_share}")
        if self.seed < 0:
            raise ValueError("seed must not be negative")

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, from 0: half a cosine."""
        fallen = (1 + math.cos(math.pi * step / max(1, self.steps - 1))) / 2
        return self.learning_rate * (self.final_share + (1 - self.final_share) * fallen)


PAPER = SelfTraining()
SMALL = SelfTraining(titles=8, steps=4, cycles=1)
SELF_TRAINING_PRESETS = {"paper": PAPER, "small": SMALL}


@dataclass(frozen=True)
class CycleProgress:
    """Where a self-training stands: how much of a stage of a cycle is done, and its mean score or last loss."""

    cycle: int
    stage: Literal["writing", "learning"]
    done: int
    total: int
    value: float


@dataclass(frozen=True)
class Progress:
    """Where a training stands after a step: tokens with padding, the step's loss, held-out losses if measured now."""

    step: int
    tokens: int
    loss: float
    held_out: dict[str, float] | None = None


@dataclass(frozen=True)
class Lesson:
    """What a cycle of a chain learns: by which model, in which folder the new one comes to lie, from which texts.

    A text is a title, the poem for it and its score. Poems for the titles in `samples` are written before and after,
    and losses on the held-out part of `corpus` measured, where there is one.
    """

    before: Path
    folder: Path
    cycle: int
    texts: tuple[tuple[str, str, float], ...]
    settings: SelfTraining
    samples: tuple[str, ...] = ()
    corpus: Path | None = None


@dataclass(frozen=True)
class Learnt:
    """How far a lesson is: the loss of each step so far, in nats a token, and from how many poems it learns.

    Once the last step is taken, `checkpoint` is the digest of the new model's weights, and `samples` holds a title, the
    poem of the model before and that of the new one, `held_out` a measure and its value before and after.
    """

    losses: list[float]
    kept: int
    checkpoint: str = ""
    samples: tuple[tuple[str, str, str], ...] = ()
    held_out: tuple[tuple[str, float, float], ...] = ()


class Stopped(Exception):
    """The training was asked to stop; what it has done is kept to go on from."""
