"""
Simulate studies of which people rated some prompts and a judge all, and count how often each interval holds the truth.

The truth is that over new evaluators and new prompts. Beside the crossed estimator stand the usual prediction-powered
intervals, which take one label as the truth (the mean of a prompt, or each cell), people alone, and the judge alone.
Nominal 95 %; for the crossed estimator the 99 % Monte Carlo interval has to hold 95 % in each design.
"""

# ruff: noqa: E402
from __future__ import annotations

import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # Threads only get in each other's way on tables of this size.

import argparse
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import norm

from stats.judges.combined import Draw, combined_mean, judge_weight
from stats.judges.selection import drawn, inclusion_probabilities
from stats.mixed import VarianceComponents
from stats.ratings.cells import Cells
from stats.scores import Floats

TRUTH = 0.3
# What a judge is off by on average: it cannot know.
BIAS = 0.25
Z = float(norm.ppf(0.975))
Interval = tuple[float, float] | None


@dataclass(frozen=True)
class Design:
    """Evaluators, prompts that they rate, all prompts, and how the judge's differences go with those of prompts."""

    label: str
    evaluators: int
    rated: int
    prompts: int
    correlation: float
    variance: VarianceComponents
    kind: str = "uniform"
    # "some": a fifth of the cells by chance; "half": each evaluator rates one half of the prompts.
    missing: Literal["none", "some", "half"] = "none"


QA, POEM = VarianceComponents(0.30, 2.20, 3.00), VarianceComponents(2.60, 0.95, 3.70)
MIXED = VarianceComponents(0.40, 1.50, 2.00)
DESIGNS = (
    Design("30 evaluators, 100 of 400, .6", 30, 100, 400, 0.6, QA),
    Design("10, 100 of 400, .6 (poems)", 10, 100, 400, 0.6, POEM),
    Design("6, 40 of 400, .8", 6, 40, 400, 0.8, VarianceComponents(0.15, 1.60, 2.00)),
    Design("10, 40 of 400, 0 (useless)", 10, 40, 400, 0.0, VarianceComponents(0.25, 1.20, 2.00)),
    Design("a fifth of the cells missing", 10, 40, 400, 0.6, MIXED, missing="some"),
    Design("two strata, drawn unequally", 10, 60, 400, 0.6, MIXED, "strata"),
    Design("the same, a fifth missing", 10, 60, 400, 0.6, MIXED, "strata", "some"),
    Design("known probabilities", 10, 60, 400, 0.6, MIXED, "probability"),
    Design("the same, a fifth missing", 10, 60, 400, 0.6, MIXED, "probability", "some"),
    Design("the same, half of the prompts each", 16, 60, 400, 0.6, MIXED, "probability", "half"),
    Design("heavy ties", 10, 40, 400, 0.6, MIXED, "ties"),
)


def study(rng: np.random.Generator, design: Design) -> tuple[Floats, Floats, Floats, Draw | None, float]:
    """Return differences (E, n), the judge's where rated (n,) and elsewhere (m,), the draw, and the truth."""
    v, n = design.variance, design.rated
    stratum = np.zeros(design.prompts, dtype=np.int64)
    shift = np.zeros(design.prompts)
    if design.kind == "strata":
        stratum[design.prompts // 4 :] = 1
        # Means of the strata differ; over all prompts they cancel.
        shift = np.where(stratum == 0, 0.9, -0.3)
    own = rng.standard_normal(design.prompts)
    prompt = math.sqrt(v.prompt) * own + shift
    noise = rng.standard_normal(design.prompts)
    judge = (
        TRUTH
        + BIAS
        + shift
        + math.sqrt(v.prompt) * (design.correlation * own + math.sqrt(1 - design.correlation**2) * noise)
    )
    draw = None
    chosen = np.zeros(design.prompts, dtype=np.bool_)
    if design.kind == "strata":
        for h in (0, 1):
            chosen[rng.choice(np.flatnonzero(stratum == h), n // 2, replace=False)] = True
    elif design.kind == "probability":
        chances = inclusion_probabilities(np.abs(judge), n)
        chosen = drawn(chances, rng)
        order = np.concatenate([np.flatnonzero(chosen), np.flatnonzero(~chosen)])
        draw = Draw(probability=chances[order])
    else:
        chosen[:n] = True
    if design.kind == "strata":
        draw = Draw(stratum=np.concatenate([stratum[chosen], stratum[~chosen]]))
    e = design.evaluators
    table = (
        TRUTH
        + math.sqrt(v.evaluator) * rng.standard_normal((e, 1))
        + prompt[chosen]
        + math.sqrt(v.residual) * rng.standard_normal((e, n))
    )
    truth = TRUTH
    if design.kind == "ties":
        table = np.clip(np.rint(table), -1, 1)
        total = math.sqrt(v.total)
        truth = float(norm.sf((0.5 - TRUTH) / total) - norm.cdf((-0.5 - TRUTH) / total))
    if design.missing == "some":
        table[rng.random(table.shape) < 0.2] = np.nan
    elif design.missing == "half":
        halves = rng.permutation(n) % 2
        table[(np.arange(e)[:, np.newaxis] % 2) != halves] = np.nan
    return table, judge[chosen], judge[~chosen], draw, truth


def usual(
    labels: Floats, rated: Floats, unrated: Floats, *, weight: float | None = None, ddof: int = 1
) -> tuple[float, float]:
    """Return the prediction-powered interval of the mean of labels that are taken as the truth."""
    if weight is None:
        weight = judge_weight(labels, rated, unrated)
    left = labels - weight * rated
    variance = left.var(ddof=ddof) / len(left) + weight**2 * unrated.var(ddof=ddof) / len(unrated)
    estimate = float(left.mean() + weight * unrated.mean())
    half = Z * math.sqrt(float(variance))
    return estimate - half, estimate + half


def over_prompts(table: Floats, rated: Floats, unrated: Floats) -> Interval:
    return usual(np.nanmean(table, axis=0), rated, unrated)


def over_cells(table: Floats, rated: Floats, unrated: Floats) -> Interval:
    there = ~np.isnan(table)
    return usual(table[there], np.broadcast_to(rated, table.shape)[there], unrated)


def judge_alone(table: Floats, rated: Floats, unrated: Floats) -> Interval:
    everything = np.concatenate([rated, unrated])
    half = Z * float(everything.std(ddof=1)) / math.sqrt(len(everything))
    return float(everything.mean()) - half, float(everything.mean()) + half


USUAL: tuple[Callable[[Floats, Floats, Floats], Interval], ...] = (over_prompts, over_cells, judge_alone)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=2_000, help="default: %(default)s")
    studies = parser.parse_args().studies
    rng = np.random.default_rng(20260101)
    around = 2.576 * math.sqrt(0.95 * 0.05 / studies)
    failed = False
    print(
        f"coverage of nominal 95 % in {studies:,} studies, and mean width; ours has to be .95 +- {around:.3f}"
    )
    print(f"{'':36s}{'people':>14s}{'with judge':>14s}{'over prompts':>14s}{'over cells':>12s}{'judge':>8s}")
    for design in DESIGNS:
        held, widths = np.zeros(5), np.zeros(2)
        for _ in range(studies):
            table, rated, unrated, draw, truth = study(rng, design)
            found = combined_mean(Cells.of_table(table), np.concatenate([rated, unrated]), draw=draw)
            intervals = [found.people.ci, None if found.combined is None else found.combined.ci]
            intervals += [one(table, rated, unrated) for one in USUAL]
            for place, ci in enumerate(intervals):
                held[place] += ci is not None and ci[0] <= truth <= ci[1]
                if ci is not None and place < 2:
                    widths[place] += ci[1] - ci[0]
        shares, widths = held / studies, widths / studies
        failed |= abs(float(shares[1]) - 0.95) > around
        print(
            f"{design.label:36s}{shares[0]:8.3f} ({widths[0]:.2f}){shares[1]:8.3f} ({widths[1]:.2f})"
            f"{shares[2]:14.3f}{shares[3]:12.3f}{shares[4]:8.2f}"
        )
    print("target for people with the judge " + ("missed" if failed else "met"))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
