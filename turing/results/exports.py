"""The results of the game as files: the figures as JSON and CSV, and all pairs or rounds row by row.

Players are numbered by their row and nothing else is said of them; of a round the texts are left out, since its pair
has a row of its own.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import F, Q, QuerySet, Sum

from stats.cluster import ClusterRobustMean
from stats.reports.tables import flat, safe_cell
from turing.models import PoemPair, Round, Scope
from turing.results.figures import Breakdown, Group, ScopeResults, breakdown, extreme_pairs, live_results
from turing.results.sensitivity import undistorted

RESULT_FORMATS = {"json": "application/json; charset=utf-8", "csv": "text/csv; charset=utf-8"}
ROW_FORMATS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}
ROWS_PER_CHUNK = 500
# Makes spreadsheets read the file as UTF-8.
UTF_8_MARK = "\ufeff"
HEAD = ("scope", "figure", "value")


def export_results(file_format: str, *, with_pairs: bool, with_rounds: bool = False) -> bytes:
    """Return the results in one of `RESULT_FORMATS`.

    The JSON has the hardest and easiest pairs if they may be seen. `with_rounds` adds what is read from every round.
    """
    if file_format not in RESULT_FORMATS:
        raise ValueError(f"file_format must be one of {', '.join(RESULT_FORMATS)}; got {file_format!r}")
    if file_format == "csv":
        return _tidy_csv(results_dict(with_pairs=False, with_rounds=with_rounds)).encode()
    results = results_dict(with_pairs=with_pairs, with_rounds=with_rounds)
    return (json.dumps(results, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def results_dict(*, with_pairs: bool, with_rounds: bool) -> dict[str, Any]:
    """Return every figure of the page by scope; an undefined one is null."""
    live, parts = live_results(), breakdown()
    scopes = {scope.value: _scope_dict(scope, one, parts) for scope, one in live.scopes.items()}
    if with_pairs:
        for scope, pairs in extreme_pairs(live).items():
            scopes[scope]["pairs"] = {
                name: [asdict(pair) | {"rate": pair.rate} for pair in getattr(pairs, name)]
                for name in ("hardest", "easiest")
            }
    if with_rounds:
        for scope in Scope:
            scopes[scope]["from_rounds"] = undistorted(scope)
    return {"margin": live.margin, "flagged": live.flagged, "scopes": scopes}


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


def _tidy_csv(results: dict[str, Any]) -> str:
    """Return the figures one a row, named by the way to them in the JSON; words are left out."""
    output = io.StringIO()
    writer = csv.writer(output, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(HEAD)
    for scope, figures in results["scopes"].items():
        for name, inner in figures.items():
            writer.writerows([scope, safe_cell(path), safe_cell(value)] for path, value in flat(name, inner))
    return UTF_8_MARK + output.getvalue()


def answered_rounds() -> QuerySet[Round, Any]:
    """Return one row for each answered round, also those that are not counted yet."""
    return (
        Round.objects.answered()
        .order_by("pk")
        .values(
            "game_id",
            "number",
            "human_side",
            "choice",
            "confidence",
            "known",
            "is_repeat",
            "flag",
            "shown_at",
            "answered_at",
            player_id=F("game__player_id"),
            genre=F("pair__genre"),
            pair_number=F("pair__number"),
        )
    )


def played_pairs() -> QuerySet[PoemPair, Any]:
    """Return one row for each pair with its texts and how it did in each scope."""
    counts = {
        f"{name}_{scope}": Sum(f"tallies__{name}", filter=Q(tallies__scope=scope.value), default=0)
        for scope in Scope
        for name in ("answered", "selected")
    }
    return (
        PoemPair.objects.order_by("genre", "number")
        .values(
            "genre",
            "number",
            "is_withdrawn",
            title=F("human__prompt__text"),
            description=F("human__prompt__description"),
            poet=F("human__source_text__author"),
            dynasty=F("human__source_text__dynasty"),
            form=F("human__source_text__form"),
            human_text=F("human__text"),
            machine_text=F("machine__text"),
            method=F("machine__run__method__key"),
        )
        .annotate(**counts)
    )


ROWS: dict[str, Callable[[], QuerySet[Any, Any]]] = {
    "rounds": answered_rounds,
    "pairs": played_pairs,
}


def row_chunks(rows: str, file_format: str) -> Iterator[bytes]:
    """Yield one of `ROWS` in one of `ROW_FORMATS`, in memory that does not grow with them."""
    found = ROWS[rows]().iterator(chunk_size=ROWS_PER_CHUNK)
    return _csv_chunks(found) if file_format == "csv" else _jsonl_chunks(found)


def _csv_chunks(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    output = io.StringIO(UTF_8_MARK)
    output.seek(0, io.SEEK_END)
    writer = csv.writer(output, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for number, row in enumerate(rows):
        if number == 0:
            writer.writerow(row)
        writer.writerow([safe_cell(_plain(value)) for value in row.values()])
        if number % ROWS_PER_CHUNK == ROWS_PER_CHUNK - 1:
            yield output.getvalue().encode()
            output.seek(0)
            output.truncate()
    yield output.getvalue().encode()


def _jsonl_chunks(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    while batch := list(islice(rows, ROWS_PER_CHUNK)):
        yield "".join(
            json.dumps({name: _time(value) for name, value in row.items()}, ensure_ascii=False) + "\n"
            for row in batch
        ).encode()


def _plain(value: Any) -> Any:
    """Return a cell's value: yes and no as `true` and `false`, a time as in JSON."""
    return str(value).lower() if isinstance(value, bool) else _time(value)


def _time(value: Any) -> Any:
    """Return a time as text in ISO 8601 (UTC), anything else as it is."""
    return value.isoformat() if isinstance(value, datetime) else value
