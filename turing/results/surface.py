"""How far the surface of the texts alone tells, in each kind of game: what players reach above it is understanding.

Computed when a pair has come to those that were played, and kept with where the next fit begins.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Max

from stats.game.superficial import Superficial, superficial
from stats.game.superficial_kinds import guess, superficial_of_boundaries, superficial_of_one
from turing.models import Genre, Kind, PairTally, Results, Scope
from turing.pairs.conversations import words_of_witness
from turing.pairs.normalising import normalised, sentences

# Looked at are so many pairs, those that came last.
LATEST_PAIRS = 2_000
COIN = 0.5


def surface_of(results: Results) -> dict[str, Any]:
    """Return what the surface tells of the pairs that were played, and how often a guess is right, as JSON holds it."""
    played = PairTally.objects.filter(results=results, scope=Scope.ALL)
    state = played.aggregate(pairs=Count("pk"), newest=Max("pair"))
    of = [state["pairs"], state["newest"]]
    known: dict[str, Any] | None = results.start.get("surface")
    if known and known["of"] == of:
        return known
    rows = list(
        played.order_by("-pair").values_list(
            "pair__human__text", "pair__machine__text", "pair__genre", "pair__takeover"
        )[:LATEST_PAIRS]
    )
    guessing, found = COIN, None
    if results.kind == Kind.BOUNDARY:
        texts = [sentences(machine, genre) for _human, machine, genre, _takeover in rows]
        guessing = guess(texts)
        found = superficial_of_boundaries(texts, [takeover or 0 for *_, takeover in rows])
    else:
        humans = [form_shown(human, genre) for human, _machine, genre, _takeover in rows]
        machines = [form_shown(machine, genre) for _human, machine, genre, _takeover in rows]
        found = (superficial_of_one if Kind(results.kind).shows_one else superficial)(humans, machines)
    return {"of": of, "guessing": guessing, "superficial": _as_json(found)}


def _as_json(found: Superficial | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "by": found.by,
        "share": found.share,
        "pairs": found.pairs,
        "ci": found.ci,
        "guessing": found.guessing,
    }


def form_shown(text: str, genre: str) -> str:
    """Return of a text what players see of its form: of a conversation the witness's part."""
    return normalised(words_of_witness(text), Genre.QA) if genre == Genre.CHAT else normalised(text, genre)
