"""The results of the game as files: the figures as JSON and CSV, and all pairs or rounds row by row.

Players are numbered by their row and nothing else is said of them; of a round the texts are left out, since its pair
has a row of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from stats.cluster import ClusterRobustMean
from stats.game.boundary import Boundary
from stats.reports.tables import flat
from stats.reports.write_rows import CONTENT_TYPES, FORMATS, Columns, Row, csv_chunks
from turing.models import Kind, PoemPair, Results, Round, Scope
from turing.results.boundaries import boundary_of
from turing.results.figures import Breakdown, Group, ScopeResults, breakdown, extreme_pairs, live_results
from turing.results.sensitivity import undistorted

RESULT_FORMATS = {"json": "application/json; charset=utf-8", "csv": CONTENT_TYPES["csv"]}
ROW_FORMATS = {name: CONTENT_TYPES[name] for name in ("csv", "jsonl")}
# How many rows the database hands over at a time.
FETCHED_AT_ONCE = 500

FIGURE_COLUMNS: Columns = {"scope": "text", "figure": "text", "value": "real"}
ROUND_COLUMNS: Columns = {
    "game_id": "integer",
    "number": "integer",
    "kind": "text",
    "human_side": "text",
    "choice": "text",
    "takeover": "integer",
    "said": "integer",
    "confidence": "integer",
    "known": "boolean",
    "is_repeat": "boolean",
    "flag": "text",
    "shown_at": "time",
    "answered_at": "time",
    "player_id": "integer",
    "genre": "text",
    "pair_number": "integer",
    "is_simulated": "boolean",
}
PAIR_COLUMNS: Columns = {
    "genre": "text",
    "number": "integer",
    "takeover": "integer",
    "is_withdrawn": "boolean",
    "title": "text",
    "description": "text",
    "poet": "text",
    "dynasty": "text",
    "form": "text",
    "human_text": "text",
    "machine_text": "text",
    "method": "text",
    **{f"{name}_{scope}": "integer" for scope in Scope for name in ("answered", "selected")},
}


def export_results(
    file_format: str, *, with_pairs: bool, with_rounds: bool = False, of: Results | None = None
) -> bytes:
    """Return the results in one of `RESULT_FORMATS`.

    The JSON has the hardest and easiest pairs if they may be seen. `with_rounds` adds what is read from every round.
    """
    if file_format not in RESULT_FORMATS:
        raise ValueError(f"file_format must be one of {', '.join(RESULT_FORMATS)}; got {file_format!r}")
    if file_format == "csv":
        return b"".join(
            csv_chunks(
                FIGURE_COLUMNS, _figures(results_dict(with_pairs=False, with_rounds=with_rounds, of=of))
            )
        )
    results = results_dict(with_pairs=with_pairs, with_rounds=with_rounds, of=of)
    return (json.dumps(results, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def results_dict(*, with_pairs: bool, with_rounds: bool, of: Results | None = None) -> dict[str, Any]:
    """Return every figure of the page by scope; an undefined one is null. Without `of` these are of all pairs."""
    of = of or Results.objects.of_site(Kind.PAIRS)
    live, parts = live_results(of), breakdown(of)
    scopes = {scope.value: _scope_dict(scope, one, parts) for scope, one in live.scopes.items()}
    if of.kind == Kind.BOUNDARY:
        for scope in Scope:
            scopes[scope]["boundary"] = boundary_dict(boundary_of(of, scope))
    if with_pairs:
        for scope, pairs in extreme_pairs(live, of).items():
            scopes[scope]["pairs"] = {
                name: [asdict(pair) | {"rate": pair.rate} for pair in getattr(pairs, name)]
                for name in ("hardest", "easiest")
            }
    if with_rounds:
        for scope in Scope:
            scopes[scope]["from_rounds"] = undistorted(scope, Kind(of.kind))
    for scope, figures in of.figures.items():
        scopes[scope] |= measured_dict(figures, with_pairs=with_pairs)
    measured_at = of.measured_at.isoformat() if of.measured_at else None
    simulated = {"is_simulated": True} if of.room and of.room.is_simulated else {}
    return {
        "margin": live.margin,
        "flagged": live.flagged,
        "measured_at": measured_at,
        "scopes": scopes,
    } | simulated


def boundary_dict(found: Boundary | None) -> dict[str, Any] | None:
    """Return how near players came to the boundaries, by true place, too."""
    return None if found is None else {"share_exact": found.share_exact} | asdict(found)


def measured_dict(figures: dict[str, Any], *, with_pairs: bool) -> dict[str, Any]:
    """Return what was measured, without single pairs and the numbers of players where these may not be seen."""
    shown = {"fragility", "without_one", "superficial", "guessing", "skill", "difficulty", "scale"}
    found = {name: value for name, value in figures.items() if name in shown}
    if measured := figures.get("detection"):
        found["detection"] = {name: value for name, value in measured.items() if name != "calibration"}
        found["calibration"] = measured["calibration"]
    if not with_pairs and "skill" in found:
        hidden = {"hardest", "easiest"}
        difficulty = {name: value for name, value in found["difficulty"].items() if name not in hidden}
        difficulty["by_method"] = [
            {name: value for name, value in one.items() if name not in hidden}
            for one in difficulty["by_method"]
        ]
        found["difficulty"] = difficulty
        board = [
            {name: value for name, value in one.items() if name != "player"}
            for one in found["skill"]["board"]
        ]
        found["skill"] = found["skill"] | {"board": board}
    return found


def _scope_dict(scope: Scope, results: ScopeResults, parts: Breakdown) -> dict[str, Any]:
    rate = results.rate
    return {
        "records": rate.total,
        "players": rate.players,
        "pairs_played": rate.pairs,
        "machine_selected": rate.selected,
        "human_selected": rate.total - rate.selected,
        "selection_rate": rate.rate,
        "clustered": _clustered_dict(rate.clustered),
        "confidence_sequence": asdict(results.sequence),
        "verdict": results.verdict if results.sequence.units else None,
        "if_independent": {
            "wilson": rate.wilson,
            "exact_binomial_p": rate.exact_p,
            "log_e_value": results.log_e,
            "confidence_sequence": asdict(results.record_sequence),
            "d_prime": rate.d_prime,
        },
        "by_form": _groups_dict(parts.by_form, scope),
        "by_poet": _groups_dict(parts.by_poet, scope),
        "by_round": _groups_dict(parts.by_round, scope),
        "left_taken": _share_dict(parts.left, scope),
        "over_time": {moment.day.isoformat(): asdict(moment.sequence) for moment in results.moments},
    }


def _clustered_dict(mean: ClusterRobustMean | None) -> dict[str, Any] | None:
    if mean is None:
        return None
    return {
        "ci": mean.ci,
        "se": mean.se,
        "df": mean.df,
        "se_players": mean.se_first,
        "se_pairs": mean.se_second,
        "se_independent": mean.se_iid,
        "p_against_half": mean.p_value(0.5),
        "confidence_level": mean.confidence_level,
    }


def _groups_dict(groups: tuple[Group, ...], scope: Scope) -> dict[str, Any]:
    return {group.key: _share_dict(group, scope) for group in groups}


def _share_dict(group: Group, scope: Scope) -> dict[str, Any]:
    share = group.shares[scope]
    return {"selected": share.selected, "records": share.total, "rate": share.rate, "ci": share.ci}


def _figures(results: dict[str, Any]) -> Iterator[Row]:
    """Yield the figures one a row, named by the way to them in the JSON; words are left out."""
    for scope, figures in results["scopes"].items():
        for name, inner in figures.items():
            for path, value in flat(name, inner):
                yield scope, path, value


# A pair is counted in the results of the kind of game that shows both texts, or its boundary.
# The rounds of a room are in them too, but for those of simulated players.
OF_PAIRS = Q(tallies__results__kind__in=[Kind.PAIRS, Kind.BOUNDARY, Kind.CHATS], tallies__results__room=None)


def answered_rounds() -> QuerySet[Any, Any]:
    """Return one row for each answered round, also those that are not counted yet."""
    named = Round.objects.answered().annotate(
        player_id=F("game__player_id"), genre=F("pair__genre"), pair_number=F("pair__number")
    )
    named = named.annotate(said=F("step"), is_simulated=Coalesce("game__room__is_simulated", False))
    return named.order_by("pk").values_list(*ROUND_COLUMNS, named=True)


def played_pairs() -> QuerySet[Any, Any]:
    """Return one row for each pair with its texts and how it did in each scope."""
    named = PoemPair.objects.annotate(
        title=F("human__prompt__text"),
        description=F("human__prompt__description"),
        poet=F("human__source_text__author"),
        dynasty=F("human__source_text__dynasty"),
        form=F("human__source_text__form"),
        human_text=F("human__text"),
        machine_text=F("machine__text"),
        method=F("machine__run__method__key"),
        **{
            f"{name}_{scope}": Sum(
                f"tallies__{name}", filter=OF_PAIRS & Q(tallies__scope=scope.value), default=0
            )
            for scope in Scope
            for name in ("answered", "selected")
        },
    )
    return named.order_by("genre", "takeover", "number").values_list(*PAIR_COLUMNS)


ROWS: dict[str, tuple[Columns, Callable[[], QuerySet[Any, Any]]]] = {
    "rounds": (ROUND_COLUMNS, answered_rounds),
    "pairs": (PAIR_COLUMNS, played_pairs),
}


def row_chunks(rows: str, file_format: str) -> Iterator[bytes]:
    """Yield one of `ROWS` in one of `ROW_FORMATS`, in memory that does not grow with them."""
    columns, found = ROWS[rows]
    stored = found().iterator(chunk_size=FETCHED_AT_ONCE)
    return FORMATS[file_format](columns, (tuple(map(_plain, row)) for row in stored))


def _plain(value: Any) -> Any:
    """Return a time as text in ISO 8601 (UTC), anything else as it is."""
    return value.isoformat() if isinstance(value, datetime) else value
