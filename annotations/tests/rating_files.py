"""Small files of ratings in the shapes in which tools export them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from annotations.imports.rating_columns import Reading
from annotations.imports.ratings import FoundRatings, NamedFile, find_ratings

LONG = ("evaluator", "prompt", "method", "criterion", "score")


def write_csv(path: Path, rows: Iterable[Sequence[Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def write_json(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def found_in(*paths: Path, texts: Path | None = None, **reading: Any) -> FoundRatings:
    """Return what files hold, read by what is given."""
    return find_ratings(
        [NamedFile(path, path.name) for path in paths],
        Reading(**reading),
        texts=NamedFile(texts, texts.name) if texts else None,
    )


def ratings_in(found: FoundRatings) -> list[tuple[str, str, str, str, float]]:
    """Return every rating with its names."""
    records = found.records
    names = [list(one) for one in (records.evaluators, records.prompts, records.methods, records.criteria)]
    codes = [of_all.tolist() for of_all in records.codes()]
    return [
        (names[0][e], names[1][p], names[2][m], names[3][c], score)
        for e, p, m, c, score in zip(*codes, records.scores, strict=True)
    ]


def long_rows(
    *,
    evaluators: int = 3,
    prompts: int = 10,
    methods: Sequence[str] = ("T5", "BART"),
    criterion: str = "overall",
) -> list[tuple[Any, ...]]:
    """Return a complete long table, in which the second method is rated higher by one point on most pages."""
    return [
        LONG,
        *(
            (f"r{e}", f"p{p}", method, criterion, 1 + (e + p) % 3 + number * ((e * p) % 4 > 0))
            for e in range(evaluators)
            for p in range(prompts)
            for number, method in enumerate(methods)
        ),
    ]
