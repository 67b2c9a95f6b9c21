"""
Simulate unbalanced studies without a difference and count how often one is found at a nominal 5 %.

Target: the 99 % Monte Carlo interval of each share holds 5 %. Three raters are analysed for themselves, over new
prompts, and so without a taste of their own for a method; the other designs by the ratings model.
"""

# ruff: noqa: E402
from __future__ import annotations

import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # Threads only get in each other's way on tables of this size.

import sys

import numpy as np

from stats.mixed import t_p_value
from stats.ratings.conditional import conditional_difference
from stats.ratings.model import fit_ratings_model
from stats.ratings.tests.designs import NULLS, drawn
from stats.ratings.tests.test_model import monte_carlo_interval

STUDIES = 1_000
ALPHA = 0.05


def found(label: str, rng: np.random.Generator) -> bool:
    """Say whether a study without a difference has p < .05 for one pair."""
    if label.startswith("three raters"):
        table = drawn(np.ones((3, 40, 4), dtype=np.bool_), rng, (0.8, 0.5, 0.0, 0.6, 1.0))
        result = conditional_difference(table, 0, 1)
        estimate, se, df = result.estimate, result.se, result.df
    else:
        model = fit_ratings_model(NULLS[label](rng))
        if model is None:
            return False
        estimate, se, df = model.difference(0, 1)
    return bool(estimate is not None and se and df and t_p_value(estimate / se, df) < ALPHA)


def main() -> int:
    rng = np.random.default_rng(20210814)
    studies = int(sys.argv[1]) if len(sys.argv) > 1 else STUDIES
    failed = False
    print(f"share of {studies:,} studies without a difference that have p < .05")
    for label in NULLS:
        count = sum(found(label, rng) for _ in range(studies))
        low, high = monte_carlo_interval(count, studies)
        failed |= not low <= ALPHA <= high
        print(f"{label:28s}{count / studies:8.1%}   99 % interval {low:.1%} to {high:.1%}")
    print("target, 5 % within each interval: " + ("missed" if failed else "met"))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
