"""Files of scores for the small study that tests share."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from annotations.models import Study


def score_rows(
    study: Study, *, prompts: int = 2, methods: int = 4, criterion: str = "overall"
) -> list[dict[str, Any]]:
    """Return a row for each text of a study of `build_study`: its method's number plus two, as good judges say."""
    return [
        {
            "prompt": f"{study.slug} 古题 {prompt + 1}",
            "method": f"method-{method}",
            "criterion": criterion,
            "score": method + 2,
        }
        for prompt in range(prompts)
        for method in range(methods)
    ]


def write_scores(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    rows = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
