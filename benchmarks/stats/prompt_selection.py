"""
Draw prompts of the published poem study by a metric of its poems, and compare the error with that of a random draw.

    python -m benchmarks.stats.prompt_selection --records poem-records.jsonl

The evaluators' mean ratings of all titles are taken as the truth, so what is counted is the error from rating some
prompts alone; the spread of evaluators comes on top, and no choice of prompts lessens it. 'prompts' is how many a
random draw needs for the same error.
"""

from __future__ import annotations

import argparse
import json
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.generation.relevance_judge import METHODS
from generation.evidence.metrics import METRICS, TextToScore
from stats.judges.selection import By, drawn, inclusion_probabilities, worth
from stats.scores import Floats

BYS: tuple[By, ...] = ("variance", "diversity", "disagreement")
OVERALL = 4


def read_study(path: Path, metric: str) -> tuple[Floats, Floats]:
    """Return mean overall ratings and metric scores of all poems, both (titles, methods)."""
    tasks = json.loads(path.read_text(encoding="utf-8").splitlines()[0])["app_data"]["tasks"]
    pages = [page["groups"] for task in tasks for page in task["pages"]]
    order = list(METHODS)
    ratings = np.zeros((len(pages), len(order)))
    texts: list[TextToScore] = []
    for place, groups in enumerate(pages):
        for group in sorted(groups, key=lambda one: order.index(one["tags"][0])):
            given = [rating for rating in group["answer_col"][OVERALL] if rating is not None]
            ratings[place, order.index(group["tags"][0])] = sum(given) / len(given)
            texts.append(TextToScore("".join(group["content"]), group["title"]))
    scores = METRICS[metric].compute(texts, "zh", lambda done, total: None)
    return ratings, np.array(scores).reshape(ratings.shape)


def error(ratings: Floats, chances: Floats, draws: int, rng: np.random.Generator) -> float:
    """Return the root mean square error of the weighted mean difference, over draws and pairs of methods."""
    squares = []
    for _ in range(draws):
        chosen = drawn(chances, rng)
        weights = 1 / chances[chosen]
        for a, b in combinations(range(ratings.shape[1]), 2):
            difference = ratings[:, b] - ratings[:, a]
            squares.append((np.average(difference[chosen], weights=weights) - difference.mean()) ** 2)
    return float(np.sqrt(np.mean(squares)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=Path, help="the authors' poem-records.jsonl")
    parser.add_argument("--metric", default="relevance", choices=METRICS, help="default: %(default)s")
    parser.add_argument("--draws", type=int, default=2_000, help="default: %(default)s")
    options = parser.parse_args()
    if options.records is None:
        print("needs --records")
        return
    ratings, scores = read_study(options.records, options.metric)
    rng = np.random.default_rng(1)
    prompts = len(ratings)
    print(f"error of a difference in points, {options.draws} draws of {prompts} titles by {options.metric}")
    print(f"{'rated':>6s}{'random':>9s}" + "".join(f"{by:>15s}{'prompts':>9s}" for by in BYS))
    for count in (10, 20, 30, 50):
        uniform = error(ratings, np.full(prompts, count / prompts), options.draws, rng)
        # The error of a random draw goes with sqrt(1 / n - 1 / N).
        unit = uniform**2 / (1 / count - 1 / prompts)
        line = f"{count:6d}{uniform:9.3f}"
        for by in BYS:
            chances = inclusion_probabilities(worth(scores[np.newaxis], by), count)
            own = error(ratings, chances, options.draws, rng)
            line += f"{own:15.3f}{1 / (own**2 / unit + 1 / prompts):9.0f}"
        print(line)


if __name__ == "__main__":
    main()
