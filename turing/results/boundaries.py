"""How near players come to the sentence at which a machine takes over, from the sums."""

from __future__ import annotations

from stats.game.boundary import Boundary, boundary
from turing.models import BoundaryTally, Results, Scope


def boundary_of(of: Results, scope: Scope) -> Boundary | None:
    """Return how near players came, None before the first answer. One query."""
    tallies = BoundaryTally.objects.filter(results=of.pk, scope=scope)
    return boundary(
        {(true, said): n for true, said, n in tallies.values_list("takeover", "said", "answered")}
    )
