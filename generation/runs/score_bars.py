"""Bars of scores, laid out for SVG on one scale (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 100.0
AXIS = 0.5


@dataclass(frozen=True)
class Bar:
    """A part of a row: where it begins, how long it is (of `WIDTH`), and which value it shows."""

    x: float
    width: float
    number: int


@dataclass(frozen=True)
class Row:
    """One row of bars, and where the line at zero begins that is half a unit wide."""

    bars: tuple[Bar, ...]
    axis: float


def stacked(rows: Sequence[Sequence[float]]) -> list[Row]:
    """Return the bars of each row's values, end to end: negative ones to the left of zero, positive ones to the right.

    The scale is the same for all rows, and zero is on it.
    """
    lowest = min((sum(value for value in row if value < 0) for row in rows), default=0.0)
    highest = max((sum(value for value in row if value > 0) for row in rows), default=0.0)
    unit = WIDTH / ((highest - lowest) or 1.0)
    zero = -lowest * unit
    return [Row(_bars(row, zero, unit), round(min(zero, WIDTH - AXIS), 3)) for row in rows]


def _bars(values: Sequence[float], zero: float, unit: float) -> tuple[Bar, ...]:
    left = right = zero
    bars = []
    for number, value in enumerate(values):
        width = abs(value) * unit
        if value < 0:
            left -= width
        bars.append(Bar(round(left if value < 0 else right, 3), round(width, 3), number))
        if value > 0:
            right += width
    return tuple(bars)
