"""
The report of a pairwise study, and its strengths beside choix.

    python -m benchmarks.stats.comparison_speed [--methods 20] [--prompts 200] [--evaluators 30] [--judgements 24000]

The default is the size that the project promises: 20 systems, 200 prompts, 30 evaluators, 24,000 judgements.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import choix
import numpy as np

from stats.analysis import analyse
from stats.comparisons.davidson import davidson
from stats.comparisons.pairs import pairs_of
from stats.comparisons.preferences import preferences
from stats.ratings.table import RatingTable
from stats.scores import Criterion


def judged_table(methods: int, prompts: int, evaluators: int, judgements: int, seed: int) -> RatingTable:
    """Return the scores of judgements of two texts each, spread evenly over evaluators and prompts."""
    rng = np.random.default_rng(seed)
    page = np.arange(judgements)
    # As many pages of a prompt as the judgements need: each is a page of its own.
    pages_of_prompt = -(-judgements // (evaluators * prompts))
    evaluator, on_page = page % evaluators, (page // evaluators) % (prompts * pages_of_prompt)
    a = rng.integers(0, methods, judgements)
    b = (a + rng.integers(1, methods, judgements)) % methods
    worth = np.linspace(0, 2, methods)
    taste = rng.normal(0, 0.4, (evaluators, methods))
    luck = rng.normal(0, 0.4, (prompts * pages_of_prompt, methods))
    eta = (
        worth[a] - worth[b] + taste[evaluator, a] - taste[evaluator, b] + luck[on_page, a] - luck[on_page, b]
    )
    eta = eta + rng.logistic(size=judgements)
    score = np.where(np.abs(eta) < 0.3, 0.5, (eta > 0).astype(np.float64))
    return RatingTable(
        evaluator=np.repeat(evaluator, 2),
        prompt=np.repeat(on_page, 2),
        method=np.stack([a, b], axis=1).ravel(),
        criterion=np.zeros(2 * judgements, dtype=np.int64),
        score=np.stack([score, 1 - score], axis=1).ravel(),
        evaluators=tuple(f"e{number}" for number in range(evaluators)),
        prompts=tuple(f"p{number}" for number in range(prompts * pages_of_prompt)),
        methods=tuple(f"m{number}" for number in range(methods)),
        criteria=(Criterion("overall", 0, 1, is_overall=True),),
        position=np.tile([0, 1], judgements),
    )


def seconds(act: Callable[[], object], times: int = 3) -> float:
    """Return the least time of the processor that an act takes."""
    found = []
    for _ in range(times):
        begun = time.process_time()
        act()
        found.append(time.process_time() - begun)
    return min(found)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--methods", type=int, default=20)
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--evaluators", type=int, default=30)
    parser.add_argument("--judgements", type=int, default=24_000)
    options = parser.parse_args()
    table = judged_table(
        options.methods, options.prompts, options.evaluators, options.judgements, seed=20210814
    )
    samples_of = [number % options.prompts for number in range(len(table.prompts))]
    sizes = {"length": np.random.default_rng(1).normal(6, 1, (len(table.prompts), options.methods))}
    pairs = pairs_of(table, "overall", ties=True)
    decided = pairs.rows(pairs.outcome != 0).only(())
    won = [
        (int(a), int(b)) if outcome > 0 else (int(b), int(a))
        for a, b, outcome in zip(decided.a, decided.b, decided.outcome, strict=True)
    ]
    ours = seconds(lambda: davidson(decided, robust=False))
    print(f"{options.judgements} judgements of {options.methods} methods, {len(won)} of them without a tie")
    print(f"strengths, errors by information: {ours * 1000:8.1f} ms")
    for name, act in (
        ("choix.opt_pairwise", lambda: choix.opt_pairwise(options.methods, won)),
        ("choix.ilsr_pairwise", lambda: choix.ilsr_pairwise(options.methods, won, alpha=1e-4)),
        ("choix.mm_pairwise", lambda: choix.mm_pairwise(options.methods, won, alpha=1e-4)),
    ):
        other = seconds(act, times=1)
        print(f"{name:32}: {other * 1000:8.1f} ms, {other / ours:.1f} times ours")
    fit, theirs = davidson(decided, robust=False), choix.opt_pairwise(options.methods, won)
    assert fit is not None
    print(f"largest difference from choix.opt_pairwise: {np.abs(fit.strengths - theirs).max():.1e}")
    whole = seconds(lambda: davidson(pairs))
    print(f"with ties, order and robust errors: {whole * 1000:.1f} ms")
    rng = np.random.default_rng(1)
    section = seconds(
        lambda: preferences(table, "overall", "pairwise", of_texts=sizes, samples_of=samples_of, rng=rng),
        times=1,
    )
    print(f"all that the section of comparisons prints: {section:.2f} s")
    everything = seconds(
        lambda: analyse(table, primary="overall", rng=rng, planned="page differences", samples_of=samples_of),
        times=1,
    )
    print(f"the analysis of the report: {everything:.2f} s; together {section + everything:.2f} s")


if __name__ == "__main__":
    main()
