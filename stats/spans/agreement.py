"""How evaluators agree on which characters of a text are wrong: character F1, and Krippendorff's alpha.

Both are over all characters of all texts that two evaluators or more marked: F1 is the share of what two of them marked
that both did, over all pairs together; alpha (nominal: marked or not) allows for chance. A text in which nobody marked
anything counts in alpha alone. Their intervals resample prompts.

Reference: Krippendorff (2011), Computing Krippendorff's alpha-reliability; character F1 as in the shared tasks of
WMT on error spans.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stats.scores import Bools, Floats, Ints

RESAMPLES = 1_000
FEWEST_PROMPTS = 10
Interval = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Marks:
    """
    N marks: by whom, in which text, from where to where (N,); and which evaluators have marked which texts (K,).

    `length` is that of each of T texts in characters, and `prompt` the place of its prompt, (T,).
    """

    evaluator: Ints
    text: Ints
    start: Ints
    end: Ints
    done_evaluator: Ints
    done_text: Ints
    length: Ints
    prompt: Ints

    def rows(self, chosen: Bools) -> Marks:
        """Return the marks at which `chosen` (N,) is true; who has marked which text stays."""
        return Marks(
            self.evaluator[chosen], self.text[chosen], self.start[chosen], self.end[chosen],
            self.done_evaluator, self.done_text, self.length, self.prompt,
        )  # fmt: skip


@dataclass(frozen=True)
class CharacterAgreement:
    """Agreement over the characters of `texts` texts with two evaluators or more; None where it is undefined."""

    texts: int
    f1: float | None
    f1_ci: Interval | None
    alpha: float | None
    alpha_ci: Interval | None


def covered(start: Ints, end: Ints, owner: Ints, owners: int) -> tuple[Bools, Ints]:
    """Return which of the stretches between the ends of marks each owner has marked (O, S), and their lengths (S,)."""
    cuts = np.unique(np.concatenate([start, end]))
    change = np.zeros((owners, len(cuts)), dtype=np.int64)
    np.add.at(change, (owner, np.searchsorted(cuts, start)), 1)
    np.add.at(change, (owner, np.searchsorted(cuts, end)), -1)
    marked: Bools = np.cumsum(change, axis=1)[:, :-1] > 0
    return marked, np.diff(cuts)


def character_agreement(marks: Marks, *, rng: np.random.Generator) -> CharacterAgreement:
    """Return the agreement of marks over characters, with intervals where there are ten prompts or more."""
    evaluators = np.bincount(marks.done_text, minlength=len(marks.length))
    several = np.flatnonzero((evaluators >= 2) & (marks.length > 0))
    order = np.argsort(marks.text, kind="stable")
    first = np.searchsorted(marks.text[order], np.arange(len(marks.length) + 1))
    # Of each prompt: marked by both of a pair, by one of it, unlike pairs, marked, and characters times evaluators.
    sums = np.zeros((int(marks.prompt.max(initial=-1)) + 1, 5))
    for text in several.tolist():
        of_text = order[first[text] : first[text + 1]]
        people = int(evaluators[text])
        row = sums[marks.prompt[text]]
        row[4] += marks.length[text] * people
        if not len(of_text):
            continue
        _, owner = np.unique(marks.evaluator[of_text], return_inverse=True)
        marked, width = covered(marks.start[of_text], marks.end[of_text], owner, int(owner.max()) + 1)
        times = marked.sum(axis=0)
        row[0] += (width * times * (times - 1)).sum()
        row[1] += (people - 1) * (width * times).sum()
        row[2] += (width * times * (people - times)).sum() / (people - 1)
        row[3] += (width * times).sum()
    sums = sums[sums[:, 4] > 0]
    return CharacterAgreement(
        texts=len(several),
        f1=_finite(f1_of(sums.sum(axis=0))),
        f1_ci=_interval(f1_of, sums, rng),
        alpha=_finite(alpha_of(sums.sum(axis=0))),
        alpha_ci=_interval(alpha_of, sums, rng),
    )


def f1_of(sums: Floats) -> Floats:
    """Return character F1 from sums (..., 5); NaN where nobody marked anything."""
    both, one = sums[..., 0], sums[..., 1]
    found: Floats = np.divide(both, one, out=np.full(one.shape, np.nan), where=one > 0)
    return found


def alpha_of(sums: Floats) -> Floats:
    """Return alpha from sums (..., 5); NaN where all characters are marked, or none."""
    unlike, marked, everything = sums[..., 2], sums[..., 3], sums[..., 4]
    expected = marked * (everything - marked)
    share = np.divide(
        unlike * (everything - 1), expected, out=np.full(expected.shape, np.nan), where=expected > 0
    )
    found: Floats = 1 - share
    return found


def _finite(value: Floats) -> float | None:
    return float(value) if np.isfinite(value) else None


def _interval(
    statistic: Callable[[Floats], Floats], sums: Floats, rng: np.random.Generator
) -> Interval | None:
    """Return the 95 % interval of a statistic by resampling prompts; None with fewer than ten, or without a spread."""
    prompts = len(sums)
    if prompts < FEWEST_PROMPTS:
        return None
    drawn = rng.multinomial(prompts, np.full(prompts, 1 / prompts), size=RESAMPLES) @ sums
    values = statistic(drawn)
    values = values[np.isfinite(values)]
    if len(values) < RESAMPLES / 2:
        return None
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
