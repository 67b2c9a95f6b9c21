"""The published poem study and ratings that others collected, read from ../shared where that is there."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stats.ratings.table import RatingTable
from stats.scores import Criterion, ScoreTable

REFERENCE = Path(__file__).resolve().parents[1].parent / "shared" / "reference"
METHODS = {
    "jiuge": "jiuge",
    "noiq": "search_baseline",
    "nore": "inverse_prompting",
    "modern": "inverse_prompting_st",
}
CRITERIA = ("format", "innovation", "relevance", "aesthetics", "overall")


def _read_poem_study() -> ScoreTable:
    """Read all eleven evaluators; a rating of 0 stays 0, null becomes NaN."""
    records = REFERENCE / "published_records"
    first_line = (records / "poem-records.jsonl").read_text(encoding="utf-8").splitlines()[0]
    pages = [page for task in json.loads(first_line)["app_data"]["tasks"] for page in task["pages"]]
    lines = (records / "user-records.jsonl").read_text(encoding="utf-8").splitlines()
    users = [json.loads(line) for line in lines if line.strip()]
    users = [user for user in users if user["app_name"] == "悟能赋诗-v1"]
    tags = list(METHODS)
    scores = np.full((len(users), len(pages), len(tags), len(CRITERIA)), np.nan)
    best = np.full((len(users), len(pages)), -1)
    positions = np.full((len(users), len(pages), len(tags)), -1)
    for e, user in enumerate(users):
        answered = [page for task in user["tasks"] for page in task["pages"]]
        for p, (page, answer) in enumerate(zip(pages, answered, strict=True)):
            order = [tags.index(group["tags"][0]) for group in page["groups"]]
            for place, (m, group) in enumerate(zip(order, answer["groups"], strict=True)):
                scores[e, p, m] = [np.nan if rating is None else rating for rating in group["answers"]]
                positions[e, p, m] = place
            if answer["answers"][0] is not None:
                best[e, p] = order[answer["answers"][0]]
    return ScoreTable(
        scores=scores,
        evaluators=tuple(user["username"] for user in users),
        prompts=tuple(page["groups"][0]["title"] for page in pages),
        methods=tuple(METHODS.values()),
        criteria=tuple(
            Criterion(key, 1, 10 if key == "overall" else 5, is_overall=key == "overall") for key in CRITERIA
        ),
        best=best,
        positions=positions,
    )


@pytest.fixture(scope="session")
def golden() -> Any:
    """Return the golden numbers of the poem study, made beforehand with R and other implementations."""
    path = REFERENCE / "stats_golden_poem.json"
    if not path.exists():
        pytest.skip("the golden numbers of the poem study are not beside the checkout (../shared)")
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def all_poem_records() -> ScoreTable:
    """Return the poem study with all eleven evaluators."""
    if not (REFERENCE / "published_records").exists():
        pytest.skip("the published records of the poem study are not beside the checkout (../shared)")
    return _read_poem_study()


@pytest.fixture(scope="session")
def poem(all_poem_records: ScoreTable) -> ScoreTable:
    """Return the poem study with its ten valid evaluators; tester8 did not finish."""
    valid = [evaluator for evaluator in all_poem_records.evaluators if evaluator != "tester8"]
    return all_poem_records.only_evaluators(valid)


Foreign = Callable[[str], RatingTable]
SCALES = {"mqm_ted_zh_en": (0, 100), "simplicity_da": (0, 100), "dialsummeval": (1, 5)}


@cache
def _read_foreign(name: str) -> RatingTable:
    rows = np.loadtxt(
        REFERENCE / "foreign" / f"{name}.csv.gz", dtype=str, delimiter=",", skiprows=1, encoding="utf-8"
    )
    levels, codes = zip(*(np.unique(column, return_inverse=True) for column in rows.T[:4]), strict=True)
    return RatingTable(
        evaluator=codes[0],
        prompt=codes[1],
        method=codes[2],
        criterion=codes[3],
        score=rows[:, 4].astype(np.float64),
        evaluators=tuple(levels[0].tolist()),
        prompts=tuple(levels[1].tolist()),
        methods=tuple(levels[2].tolist()),
        criteria=tuple(Criterion(key, *SCALES[name]) for key in levels[3].tolist()),
    )


@pytest.fixture(scope="session")
def foreign() -> Foreign:
    """Return ratings that others collected, by the name of their file."""
    if not (REFERENCE / "foreign").exists():
        pytest.skip("the ratings that others collected are not beside the checkout (../shared)")
    return _read_foreign
