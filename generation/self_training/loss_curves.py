"""The losses of a chain's cycles as curves for SVG, all on one scale (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 300.0, 100.0
MOST_POINTS = 150


@dataclass(frozen=True)
class Curve:
    """One cycle's losses: points of a polyline in a box of `WIDTH` by `HEIGHT`; the ends of its scale in nats."""

    points: str
    highest: float
    lowest: float
    first: float
    last: float


def loss_curves(losses: Sequence[Sequence[float]], steps: int) -> list[Curve | None]:
    """Return a curve for each cycle, None where no step is taken yet; the width stands for all steps of a cycle.

    Where there are more steps than points each point is the mean of its steps.
    """
    binned = [_means(of_cycle, steps) for of_cycle in losses]
    values = [mean for means in binned for _, mean in means]
    if not values:
        return [None] * len(losses)
    lowest, highest = min(values), max(values)
    unit = HEIGHT / ((highest - lowest) or 1.0)
    curves: list[Curve | None] = []
    for of_cycle, means in zip(losses, binned, strict=True):
        points = " ".join(
            f"{round(step / max(1, steps - 1) * WIDTH, 1)},{round((highest - mean) * unit, 1)}"
            for step, mean in means
        )
        curves.append(Curve(points, highest, lowest, of_cycle[0], of_cycle[-1]) if of_cycle else None)
    return curves


def _means(losses: Sequence[float], steps: int) -> list[tuple[float, float]]:
    """Return the mean step (from 0) and the mean loss of each group of neighbouring steps."""
    size = max(1, -(-steps // MOST_POINTS))
    groups = [losses[first : first + size] for first in range(0, len(losses), size)]
    return [
        (place * size + (len(group) - 1) / 2, sum(group) / len(group)) for place, group in enumerate(groups)
    ]
