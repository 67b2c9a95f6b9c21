"""The geometry of the three small plots of what was measured, each on a square of a hundred."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SIDE = 100
# Shares of right answers are drawn from here up.
LOWEST_SHARE = 0.3
PROMISED = {1: 0.5, 2: 0.75, 3: 1.0}


@dataclass(frozen=True)
class RocPlot:
    """The points of the ROC as a line, and each of them."""

    line: str
    points: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CalibrationMark:
    """How many of the answers with one confidence were right: a dot on its interval, and where it should be."""

    x: str
    y: str
    low: str
    high: str
    promised: str


@dataclass(frozen=True)
class Column:
    """A step of the scale: players above the line, pairs below it."""

    x: str
    up: str
    up_height: str
    down_height: str


@dataclass(frozen=True)
class ScalePlot:
    """Skills and difficulties on one scale of logits."""

    columns: tuple[Column, ...]
    width: str
    middle: int
    low: str
    high: str


def roc_plot(points: Sequence[Sequence[float]]) -> RocPlot | None:
    """Draw the points (false alarms, hits) of a ROC, None where there is none."""
    if not points:
        return None
    drawn = tuple((_number(SIDE * x), _number(SIDE * (1 - y))) for x, y in points)
    return RocPlot("M" + "L".join(f"{x} {y}" for x, y in drawn), drawn[1:-1])


def calibration_plot(rows: Sequence[Mapping[str, Any]]) -> tuple[CalibrationMark, ...]:
    """Draw the share of right answers for each confidence that was used."""
    marks = []
    for row in rows:
        share, level = row["share"], row["confidence"]
        low, high = share["ci"] or (share["value"], share["value"])
        marks.append(
            CalibrationMark(
                _number(SIDE * (2 * level - 1) / 6),
                *(_height(value) for value in (share["value"], low, high, PROMISED[level])),
            )
        )
    return tuple(marks)


def scale_plot(scale: Mapping[str, Any]) -> ScalePlot:
    """Draw how many players and pairs lie in each step, each side on its own measure."""
    half, edges = SIDE / 2, scale["edges"]
    most_players, most_pairs = (max(1, *scale[name]) for name in ("players", "pairs"))
    width = SIDE / len(scale["players"])
    columns = tuple(
        Column(
            _number(place * width),
            _number(half * (1 - players / most_players)),
            _number(half * players / most_players),
            _number(half * pairs / most_pairs),
        )
        for place, (players, pairs) in enumerate(zip(scale["players"], scale["pairs"], strict=True))
    )
    return ScalePlot(
        columns, _number(0.85 * width), round(half), f"{edges[0]:+g}".replace("-", "−"), f"{edges[-1]:+g}"
    )


def _height(share: float) -> str:
    return _number(SIDE * (1 - (min(max(share, LOWEST_SHARE), 1.0) - LOWEST_SHARE) / (1 - LOWEST_SHARE)))


def _number(value: float) -> str:
    return f"{value:.1f}"
