"""
Time the ratings model on one core: a table of the size of an MQM year, and one that statsmodels can fit too.

Target: 7,935 ratings of 15 methods with all their differences in at most 5 s.
"""

# ruff: noqa: E402
from __future__ import annotations

import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"  # One core is what the target says; it must be set before NumPy is loaded.

import sys
import time
import warnings
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf

from stats.ratings.model import fit_ratings_model
from stats.ratings.table import RatingTable
from stats.ratings.tests.designs import drawn

TARGET_SECONDS = 5.0


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of one run: what one free core takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def all_differences(table: RatingTable) -> list[float]:
    """Fit the model and return every difference."""
    model = fit_ratings_model(table)
    return [] if model is None else [model.difference(a, b)[0] for a, b in combinations(model.methods, 2)]


def mixed_lm(table: RatingTable) -> list[float]:
    """Fit the same model as statsmodels does it, and return the differences from the first method."""
    data = pd.DataFrame(
        {"y": table.score, "e": table.evaluator, "p": table.prompt, "m": table.method, "all": 1}
    )
    terms = {"e": "0 + C(e)", "p": "0 + C(p)", "em": "0 + C(e):C(m)", "pm": "0 + C(p):C(m)"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = smf.mixedlm("y ~ C(m)", data, groups="all", vc_formula=terms, re_formula="0")
        return list(model.fit(reml=True).fe_params[1:])


def main() -> int:
    prompts = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    rng = np.random.default_rng(20210814)
    owner = rng.permutation(np.arange(529 * 15) % 9).reshape(529, 15)
    rated = owner == np.arange(9)[:, np.newaxis, np.newaxis]
    large = seconds(lambda: all_differences(drawn(rated, rng)))
    small = drawn(rng.random((20, prompts, 4)) < 0.3, rng)
    ours, theirs = seconds(lambda: all_differences(small)), seconds(lambda: mixed_lm(small))
    apart = np.abs(np.subtract(all_differences(small)[:3], mixed_lm(small))).max()
    print(
        f"7,935 ratings, 9 evaluators, 529 prompts, 15 methods   {large:8.3f} s  (target {TARGET_SECONDS} s)"
    )
    print(f"{len(small)} ratings, 20 evaluators, {prompts} prompts, 4 methods     {ours:8.3f} s")
    print(
        f"  statsmodels MixedLM, the same model                  {theirs:8.3f} s   {theirs / ours:8.0f} x"
        f"   differences at most {apart:.1e} apart"
    )
    return int(large > TARGET_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
