"""
Simulate studies without a difference and count how often each test finds one at a nominal 5 %.

Variance components as in differences of overall ratings of the published studies. Target: 4 to 6 % for the
primary test (with 10,000 studies the share has an error of .2 %). The paper's formula is shown for
comparison.
"""

# ruff: noqa: E402
from __future__ import annotations

import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # Threads only get in each other's way on tables of this size.

import argparse
import sys

import numpy as np

from stats.cluster import two_way_table_mean
from stats.mixed import VarianceComponents, crossed_error, crossed_mean, mean_squares, t_p_value
from stats.published import published_p_value
from stats.scores import Floats

ALPHA = 0.05
SETTINGS = (
    ("poem, 10 x 100", 10, 100, VarianceComponents(2.78, 0.95, 3.70)),
    ("poem, methods alike, 10 x 100", 10, 100, VarianceComponents(0.22, 1.27, 2.86)),
    ("QA, 30 x 100", 30, 100, VarianceComponents(0.30, 1.20, 3.00)),
    ("prompts differ most, 20 x 30", 20, 30, VarianceComponents(0.10, 2.00, 2.00)),
)


def study(rng: np.random.Generator, e: int, p: int, variance: VarianceComponents) -> tuple[Floats, Floats]:
    """Return ratings of two methods (E, P) of equal worth, whole numbers from 1 to 10."""
    leniency, difficulty = rng.normal(size=(e, 1)), 0.7 * rng.normal(size=p)
    methods = []
    for _ in range(2):
        taste = np.sqrt(variance.evaluator / 2) * rng.normal(size=(e, 1))
        fit = np.sqrt(variance.prompt / 2) * rng.normal(size=p)
        rest = np.sqrt(variance.residual / 2) * rng.normal(size=(e, p))
        methods.append(np.clip(np.rint(5.5 + leniency + difficulty + taste + fit + rest), 1, 10))
    return methods[0], methods[1]


def published_p(a: Floats, b: Floats) -> float:
    """Return the two-sided p-value of the paper's formula."""
    deviations = [float(np.sqrt(x.var(axis=1).mean() / len(x))) for x in (a, b)]
    p = published_p_value(float(a.mean()), deviations[0], float(b.mean()), deviations[1], len(a))
    return 1.0 if p is None else 2 * min(p, 1 - p)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=10_000, help="default: %(default)s")
    studies = parser.parse_args().studies
    with_missing = max(studies // 5, 1)
    rng = np.random.default_rng(20210814)
    failed = False
    print(f"share of {studies:,} studies without a difference that have p < .05 (REML: {with_missing:,})")
    print(f"{'':32s}{'crossed':>9s}{'clusters':>10s}{'REML, 20 % missing':>20s}{'published':>11s}")
    for label, e, p, variance in SETTINGS:
        found = np.zeros(4)
        for number in range(studies):
            a, b = study(rng, e, p, variance)
            differences = b - a
            estimate, *squares = (float(x[0]) for x in mean_squares(differences[np.newaxis]))
            se, df, _ = crossed_error(*squares, e, p)
            found[0] += df is not None and t_p_value(estimate / se, df) < ALPHA
            if number < with_missing:
                robust = two_way_table_mean(differences)
                found[1] += robust is not None and robust.p is not None and robust.p < ALPHA
                differences[rng.random(differences.shape) < 0.2] = np.nan
                mean = crossed_mean(differences)
                found[2] += mean.p is not None and mean.p < ALPHA
                found[3] += published_p(a, b) < ALPHA
        shares = found / [studies, with_missing, with_missing, with_missing]
        failed |= not 0.04 <= shares[0] <= 0.06
        print(f"{label:32s}{shares[0]:9.2%}{shares[1]:10.2%}{shares[2]:20.2%}{shares[3]:11.2%}")
    print("target for the crossed test: 4 % to 6 % " + ("missed" if failed else "met"))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
