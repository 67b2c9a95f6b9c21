"""
Time the whole analysis of a million ratings of an incomplete design on one core, with its peak memory.

100 evaluators share 10,000 prompts of 12 methods out; a page has some of the methods. The reference of the same run
is sorting the same ratings by text, which every analysis of them begins with. Targets: 60 s and 1 GiB.
"""

# ruff: noqa: E402
from __future__ import annotations

import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # One core is what the target says; it must be set before NumPy is loaded.

import argparse
import resource
import sys
import time

import numpy as np

from stats.analysis import analyse
from stats.ratings.table import RatingTable
from stats.scores import Criterion

TARGET_SECONDS = 60
TARGET_GIBIBYTES = 1
METHODS = 12


def incomplete_study(ratings: int, evaluators: int, prompts: int) -> RatingTable:
    """Return whole-number ratings from 1 to 5 of texts drawn at random, no text rated twice by anybody."""
    rng = np.random.default_rng(20210814)
    evaluator = rng.integers(evaluators, size=ratings)
    prompt = rng.integers(prompts, size=ratings)
    method = rng.integers(METHODS, size=ratings)
    worth = 3 + np.linspace(-0.2, 0.2, METHODS)[method] + rng.normal(0, 0.5, evaluators)[evaluator]
    worth += rng.normal(0, 0.3, (evaluators, METHODS))[evaluator, method]
    worth += rng.normal(0, 0.4, prompts)[prompt] + rng.normal(0, 0.4, (prompts, METHODS))[prompt, method]
    return RatingTable(
        evaluator=evaluator,
        prompt=prompt,
        method=method,
        criterion=np.zeros(ratings, dtype=np.int64),
        score=np.clip(np.rint(worth + rng.normal(0, 1, ratings)), 1, 5),
        evaluators=tuple(f"evaluator {e}" for e in range(evaluators)),
        prompts=tuple(f"prompt {p}" for p in range(prompts)),
        methods=tuple(f"method {m}" for m in range(METHODS)),
        criteria=(Criterion("overall", 1, 5, is_overall=True),),
    ).first_ratings()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ratings", type=int, default=1_050_000, help="drawn (default: %(default)s)")
    parser.add_argument("--evaluators", type=int, default=100, help="default: %(default)s")
    parser.add_argument("--prompts", type=int, default=10_000, help="default: %(default)s")
    asked = parser.parse_args()
    table = incomplete_study(asked.ratings, asked.evaluators, asked.prompts)
    start = time.process_time()
    order = np.argsort(table.text, kind="stable")
    reference = time.process_time() - start
    start = time.process_time()
    analysis = analyse(table, primary="overall", rng=np.random.default_rng(1))
    taken = time.process_time() - start
    gibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    (choice,) = analysis.choices
    print(
        f"{len(order):,} ratings: {asked.evaluators} evaluators, {asked.prompts:,} prompts, {METHODS} methods;"
        f" {choice.kind}"
    )
    print(
        f"whole analysis  {taken:8.1f} s   {taken / max(reference, 1e-9):8,.0f} x sorting the ratings by text"
    )
    print(f"peak memory     {gibibytes:8.2f} GiB")
    met = taken <= TARGET_SECONDS and gibibytes <= TARGET_GIBIBYTES
    print(f"targets ({TARGET_SECONDS} s, {TARGET_GIBIBYTES} GiB): {'met' if met else 'MISSED'}")
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
