"""What the tallies cannot tell, from every round: the rate without what may distort it. For exports, not for pages."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from django.db.models import F

from stats.game.selection import SelectionRate, SelectionRecords, learning, sensitivity, side_bias
from turing.models import Kind, Round, Scope

# A row of `SelectionRecords`; 35 bytes, so that ten million rounds fit into memory.
ROW = np.dtype(
    [
        ("players", np.int64),
        ("pairs", np.int64),
        ("games", np.int64),
        ("rounds", np.int16),
        ("selected", np.bool_),
        ("chose_left", np.bool_),
        ("seconds", np.float64),
        ("known", np.bool_),
    ]
)


def answered_records(scope: Scope, kind: Kind = Kind.PAIRS) -> SelectionRecords:
    """Return all answered rounds of a kind in a scope, in the order of the answers."""
    rounds = Round.objects.answered().filter(kind=kind)
    if scope != Scope.ALL:
        rounds = rounds.unflagged()
    rows = rounds.order_by("answered_at", "pk").values_list(
        "game__player_id",
        "pair_id",
        "game_id",
        "number",
        "human_side",
        "choice",
        "takeover",
        "step",
        "known",
        F("answered_at") - F("shown_at"),
    )
    answered = rows.iterator(chunk_size=2000)
    found = np.fromiter(
        (
            (
                player,
                pair,
                game,
                number,
                (choice, step) != (human, step if takeover is None else takeover),
                choice == "left",
                taken.total_seconds(),
                known,
            )
            for player, pair, game, number, human, choice, takeover, step, known, taken in answered
        ),
        dtype=ROW,
    )
    return SelectionRecords(**{name: np.ascontiguousarray(found[name]) for name in ROW.names or ()})


def undistorted(scope: Scope, kind: Kind = Kind.PAIRS) -> dict[str, Any]:
    """Return the selection rate without what may distort it, learning and side bias, all robust to clusters."""
    records = answered_records(scope, kind)
    return {
        **{name: _rate_dict(rate) for name, rate in sensitivity(records).items()},
        "learning_per_answer": asdict(learning(records)),
        "left_taken": asdict(side_bias(records)),
    }


def _rate_dict(rate: SelectionRate) -> dict[str, Any]:
    return {
        "records": rate.total,
        "machine_selected": rate.selected,
        "selection_rate": rate.rate,
        "clustered_ci": rate.clustered.ci if rate.clustered else None,
    }
