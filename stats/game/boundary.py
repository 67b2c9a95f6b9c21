"""
Rounds of a text that a machine takes over: how near to the change the players stop.

Reference: Dugan et al. (2020), RoFT: A tool for evaluating human detection of machine-generated text; Dugan et al.
(2023), Real or Fake Text?, AAAI (21,646 rounds of 243 players, 23.4 % of them exact, 10 % by chance).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MOST_POINTS = 5


@dataclass(frozen=True)
class BoundaryRow:
    """Rounds with one true place: how many, how many stopped exactly there, and the mean signed distance."""

    true: int
    total: int
    exact: int
    distance: float
    points: float


@dataclass(frozen=True)
class Boundary:
    """All rounds together and by true place. `distance` is positive where players stop too late."""

    total: int
    exact: int
    distance: float
    points: float
    by_true: tuple[BoundaryRow, ...]

    @property
    def share_exact(self) -> float:
        return self.exact / self.total


def points_for(said: int, true: int) -> int:
    """Return the points of a round: 5 less the lateness in sentences, never below 0, and 0 where it was early."""
    return 0 if said < true else max(MOST_POINTS - (said - true), 0)


def chance_exact(sentences: int) -> float:
    """Return how often a guess is exact where the change is as likely before any sentence but the first."""
    return 1 / (sentences - 1)


def boundary(counts: Mapping[tuple[int, int], int]) -> Boundary | None:
    """Return how near the players came; `counts` are rounds by true and said number of the sentence."""
    rows = []
    for true in sorted({true for true, _said in counts}):
        of_true = {said: n for (at, said), n in counts.items() if at == true}
        total = sum(of_true.values())
        rows.append(
            BoundaryRow(
                true,
                total,
                of_true.get(true, 0),
                sum((said - true) * n for said, n in of_true.items()) / total,
                sum(points_for(said, true) * n for said, n in of_true.items()) / total,
            )
        )
    total = sum(row.total for row in rows)
    if not total:
        return None
    return Boundary(
        total,
        sum(row.exact for row in rows),
        sum(row.distance * row.total for row in rows) / total,
        sum(row.points * row.total for row in rows) / total,
        tuple(rows),
    )
