"""Scores as people write them, numbers, words, and numbers with words, and times (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from annotations.models.numbers import LARGEST_SCORE

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "–", "—", "skipped", "no answer", "未答"})
# Answers of the usual scales; those of a file's own are given with it.
WORDS: Mapping[str, float] = {
    **dict.fromkeys(["very poor", "very bad", "terrible", "awful", "strongly disagree", "not at all"], 1.0),
    **dict.fromkeys(["poor", "bad", "disagree", "somewhat disagree", "slightly"], 2.0),
    **dict.fromkeys(
        ["fair", "average", "ok", "okay", "neutral", "acceptable", "moderate", "neither agree nor disagree"],
        3.0,
    ),
    **dict.fromkeys(["good", "agree", "somewhat agree", "quite"], 4.0),
    **dict.fromkeys(["very good", "excellent", "great", "perfect", "strongly agree", "very"], 5.0),
    **dict.fromkeys(["很差", "非常差", "非常不同意"], 1.0),
    **dict.fromkeys(["差", "较差", "不同意"], 2.0),
    **dict.fromkeys(["一般", "中等", "中立"], 3.0),
    **dict.fromkeys(["好", "较好", "同意"], 4.0),
    **dict.fromkeys(["很好", "非常好", "非常同意"], 5.0),
    **dict.fromkeys(["no", "false", "否"], 0.0),
    **dict.fromkeys(["yes", "true", "是"], 1.0),
}
# `4`, `4.5`, `4,5`, `-1`, `4 - good`, `4 (good)`, `4: good`, `4/5`, `4 stars`, `4 分`.
NUMBER = re.compile(
    r"\s*([-+−]?\d+(?:[.,]\d+)?(?:e[-+]?\d+)?)\s*(?:$|[-–—:(=/.]|stars?\b|points?\b|分)", re.IGNORECASE
)
TIES = frozenset(
    {"tie", "both", "equal", "same", "draw", "neither", "no preference", "=", "0", "平局", "一样"}
)
LEFT = frozenset({"a", "left", "1", "first", "model_a", "system_a", "system a", "model a"})
RIGHT = frozenset({"b", "right", "2", "second", "model_b", "system_b", "system b", "model b"})


def point_of(value: Any, words: Mapping[str, float] = {}) -> float | Literal["missing"] | None:
    """Return the number that a score stands for, `missing` for none given, or None for what is no score.

    >>> point_of("4 - good"), point_of("Good"), point_of("3,5"), point_of("n/a"), point_of("blue")
    (4.0, 4.0, 3.5, 'missing', None)
    """
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        return (
            float(value) if abs(value) <= LARGEST_SCORE else None if abs(value) > LARGEST_SCORE else "missing"
        )
    if not isinstance(value, str):
        return None
    said = " ".join(value.split()).casefold()
    if said in words:
        return words[said]
    if said in MISSING:
        return "missing"
    if number := NUMBER.match(said):
        point = float(number[1].replace(",", ".").replace("−", "-"))
        return point if abs(point) <= LARGEST_SCORE else None
    return WORDS.get(said)


def time_of(value: Any) -> datetime | None:
    """Return a time in ISO 8601 or as seconds since 1970; None for what is none."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        if isinstance(value, str) and not re.fullmatch(r"\d+(\.\d+)?", value):
            found = datetime.fromisoformat(value)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        return datetime.fromtimestamp(float(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
