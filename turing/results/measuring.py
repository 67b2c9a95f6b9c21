"""How well players tell, how sure they are and how hard the pairs are: measured now and then, kept as a row of results.

- detection, from the sums of all rounds (`CellTally`);
- skill and difficulty, from the answers of the players who came last, so that the cost does not grow with the game;
- how few rounds hold the verdict up.

The workers measure at most once a minute, and only what has changed. Nothing of it is ever stored with a player.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Count, Q, Sum
from django.db.models.functions import Now

from stats.game.detection import CELLS, FEWEST_PLAYERS, SHAPE, detection
from stats.game.fragility import fragility, verdict_of_first_games
from stats.game.rasch import RaschFit, Start, fit_rasch, normal_interval
from stats.game.selection import CHANCE, change_per_answer, verdict
from stats.game.tallied import share_sequence_of_sums
from stats.mixed import t_interval
from stats.scores import Bools, Floats, Ints
from turing.models import (
    ROUNDS_IN_GAME,
    CellTally,
    DayTally,
    Kind,
    OriginTally,
    PlayerTally,
    PoemPair,
    Results,
    Scope,
)
from turing.results.surface import surface_of

EVERY = timedelta(minutes=1)
# The fit is of so many players, those who came last, and of at most so many of their answers, the latest.
LATEST_PLAYERS = 10_000
LATEST_ANSWERS = 200_000
LISTED = 10
# Of each method, where there are several.
LISTED_OF_METHOD = 3
# A smaller spread of skills is none: whoever led a board by it would lead by chance.
LEAST_SPREAD = 0.05
# Fewer pairs have no mean with an interval.
FEWEST_PAIRS = 3
# Skills and difficulties are drawn in steps of a quarter of a logit.
EDGES = [step / 4 for step in range(-12, 13)]

ANSWERS = """
WITH latest AS (
    SELECT player_id FROM turing_playertally WHERE results_id = %(results)s AND scope = %(scope)s
    ORDER BY player_id DESC LIMIT %(players)s
)
SELECT game.player_id, round.pair_id, coalesce(round.choice = round.human_side, round.step = round.takeover)
FROM latest
JOIN turing_game game USING (player_id)
JOIN turing_round round ON round.game_id = game.id
WHERE round.kind = %(kind)s AND (%(room)s::bigint IS NULL OR game.room_id = %(room)s)
  AND round.is_counted AND NOT round.is_repeat
  AND (%(scope)s = 'all' OR round.flag = '')
ORDER BY round.answered_at DESC, round.id DESC LIMIT %(answers)s
"""


@dataclass(frozen=True)
class Answers:
    """First answers of players to pairs, in the order in which they were given, all (N,)."""

    players: Ints
    pairs: Ints
    right: Bools


def measure_changed() -> int:
    """Measure all results that have changed and were not measured within a minute, and return how many."""
    return sum(measure(results) for results in Results.objects.all())


def measure(results: Results) -> bool:
    """Measure results anew if they have changed, unless that was done, or begun by somebody, within the last minute."""
    answered = (
        DayTally.objects.filter(results=results, scope=Scope.ALL).aggregate(n=Sum("answered"))["n"] or 0
    )
    if answered == results.measured:
        return False
    due = Q(measured_at=None) | Q(measured_at__lt=Now() - EVERY)
    if not Results.objects.filter(due, pk=results.pk).update(measured_at=Now()):
        return False
    surface = surface_of(results)
    figures = {scope.value: figures_of(results, scope, surface["guessing"]) for scope in Scope}
    start = {scope: found.pop("start") for scope, found in figures.items() if "start" in found}
    for found in figures.values():
        found["superficial"], found["guessing"] = surface["superficial"], surface["guessing"]
    start["surface"] = surface
    Results.objects.filter(pk=results.pk).update(figures=figures, start=start, measured=answered)
    return True


def figures_of(results: Results, scope: Scope, guessing: float) -> dict[str, Any]:
    """Return everything that is measured of the records in a scope, as JSON holds it; a guess is right so often."""
    players = PlayerTally.objects.filter(results=results, scope=scope)
    by_selected = dict(
        players.exclude(first_selected=None)
        .order_by()
        .values_list("first_selected")
        .annotate(players=Count("pk"))
    )
    games = [by_selected.get(selected, 0) for selected in range(ROUNDS_IN_GAME + 1)]
    wrong = 1 - guessing
    figures: dict[str, Any] = {
        "fragility": asdict(fragility(games, rounds=ROUNDS_IN_GAME, chance=wrong)),
        "without_one": {
            of.value: without_one(results, scope, of, games, wrong)
            for of in OriginTally.Of
            # All games of a room are of that room.
            if results.room_id is None or of != OriginTally.Of.ROOM
        },
    }
    if results.kind != Kind.BOUNDARY:
        # Of a boundary there are more than two answers.
        figures["detection"] = detection_of(results, scope, players.count())
    answers = latest_answers(results, scope)
    if len(np.unique(answers.players)) < FEWEST_PLAYERS:
        return figures
    start = _start(results.start.get(scope.value))
    fit = fit_rasch(answers.players, answers.pairs, answers.right, start=start)
    return figures | skill_figures(fit, answers)


def without_one(
    results: Results, scope: Scope, of: OriginTally.Of, games: Sequence[int], chance: float = CHANCE
) -> dict[str, Any]:
    """Return how many games came from the largest address or room, and which of them hold the verdict up alone.

    Looked at are those with the most first games: where none of them decides, none with fewer does.
    """
    before = verdict_of_first_games(games, rounds=ROUNDS_IN_GAME, chance=chance)
    units, selected, squares = (sum(n**power * count for n, count in enumerate(games)) for power in range(3))
    largest = list(
        OriginTally.objects.filter(results=results, scope=scope, of=of)
        .order_by("-games", "origin")
        .values_list("games", "selected", "squares")[:LISTED]
    )
    decisive = []
    for own_games, own_selected, own_squares in largest:
        rest = share_sequence_of_sums(
            units - own_games, selected - own_selected, squares - own_squares, rounds=ROUNDS_IN_GAME
        )
        if (becomes := verdict(rest.ci, chance=chance)) != before:
            decisive.append({"games": own_games, "becomes": becomes})
    return {"largest": largest[0][0] if largest else 0, "games": units, "decisive": decisive}


def detection_of(results: Results, scope: Scope, players: int) -> dict[str, Any] | None:
    """Return what the sums by cell show, None below thirty players."""
    tally = CellTally.objects.filter(results=results, scope=scope).first()
    if tally is None:
        return None
    products = np.zeros((CELLS, CELLS))
    products[np.triu_indices(CELLS)] = tally.products
    moments = products + np.triu(products, 1).T
    counts = np.array(tally.cells, dtype=np.float64).reshape(SHAPE)
    found = detection(counts, moments, players, forced_choice=Kind(results.kind).shows_two)
    return None if found is None else asdict(found)


def latest_answers(results: Results, scope: Scope) -> Answers:
    """Return the answers of the players who came last."""
    with connection.cursor() as cursor:
        cursor.execute(
            ANSWERS,
            {
                "results": results.pk,
                "scope": scope.value,
                "kind": results.kind,
                "room": results.room_id,
                "players": LATEST_PLAYERS,
                "answers": LATEST_ANSWERS,
            },
        )
        rows = np.array(cursor.fetchall()[::-1], dtype=np.int64).reshape(-1, 3)
    return Answers(rows[:, 0], rows[:, 1], rows[:, 2].astype(np.bool_))


def _start(last: dict[str, Any] | None) -> Start | None:
    if not last:
        return None
    return Start(np.array(last["pairs"], dtype=np.int64), np.array(last["difficulty"]), last["spread"])


def skill_figures(fit: RaschFit, answers: Answers) -> dict[str, Any]:
    """Return the board, the extreme pairs, the methods, and learning with skill and difficulty taken out."""
    labels = dict(
        PoemPair.objects.filter(pk__in=fit.pairs.tolist()).values_list("pk", "machine__run__method__label")
    )
    methods = np.array([labels[pk] for pk in fit.pairs.tolist()])
    named = np.unique(methods).tolist()
    everywhere = _extremes(fit, np.arange(len(fit.pairs)), LISTED)
    of_method = {key: _extremes(fit, np.flatnonzero(methods == key), LISTED_OF_METHOD) for key in named}
    listed = [place for ends in (everywhere, *of_method.values()) for end in ends for place in end]
    pairs = PoemPair.objects.select_related(
        "human__prompt", "human__source_text", "machine__run__method"
    ).in_bulk(fit.pairs[listed].tolist())

    def shown(ends: tuple[list[int], list[int]]) -> dict[str, Any]:
        hardest, easiest = ([_pair(fit, place, pairs) for place in end] for end in ends)
        return {"hardest": hardest, "easiest": easiest}

    first = np.argsort(-fit.skill, kind="stable")[:LISTED].tolist() if fit.spread >= LEAST_SPREAD else []
    return {
        "skill": {
            "players": len(fit.players),
            "answers": len(answers.players),
            "spread": fit.spread,
            "board": [_player(fit, place) for place in first],
            "learning": asdict(
                change_per_answer(
                    answers.right - fit.expected_right(answers.players, answers.pairs), answers.players
                )
            ),
        },
        "difficulty": {
            "pairs": len(fit.pairs),
            "spread": fit.difficulty_spread,
            **shown(everywhere),
            "by_method": [
                _method(key, fit.difficulty[methods == key], fit.difficulty_se[methods == key])
                | shown(of_method[key])
                for key in named
            ],
        },
        "scale": {
            "edges": EDGES,
            "players": _histogram(fit.skill),
            "pairs": _histogram(fit.difficulty),
        },
        "start": {
            "pairs": fit.pairs.tolist(),
            "difficulty": np.round(fit.difficulty, 6).tolist(),
            "spread": fit.spread,
        },
    }


def _extremes(fit: RaschFit, places: Ints, count: int) -> tuple[list[int], list[int]]:
    """Return the places of the hardest pairs of some and of the easiest, none of which is in both."""
    by_difficulty = places[np.argsort(fit.difficulty[places], kind="stable")].tolist()
    hardest = by_difficulty[::-1][:count]
    return hardest, [place for place in by_difficulty if place not in hardest][:count]


def _player(fit: RaschFit, place: int) -> dict[str, Any]:
    skill, se = float(fit.skill[place]), float(fit.skill_se[place])
    return {
        "player": int(fit.players[place]),
        "answered": int(fit.answered[place]),
        "skill": skill,
        "ci": normal_interval(skill, se),
    }


def _pair(fit: RaschFit, place: int, pairs: dict[int, PoemPair]) -> dict[str, Any]:
    pair = pairs[int(fit.pairs[place])]
    source = getattr(pair.human, "source_text", None)
    difficulty, se = float(fit.difficulty[place]), float(fit.difficulty_se[place])
    return {
        "genre": pair.genre,
        "number": pair.number,
        "title": pair.heading,
        "poet": source.author if source else "",
        "method": pair.machine.run.method.label,
        "answered": int(fit.played[place]),
        "difficulty": difficulty,
        "ci": normal_interval(difficulty, se),
    }


def _method(key: str, difficulty: Floats, se: Floats) -> dict[str, Any]:
    """Return the mean difficulty of a method's pairs, which are a sample of those that it could have written."""
    mean, n = float(difficulty.mean()), len(difficulty)
    ci = None
    if n >= FEWEST_PAIRS:
        # The difficulties are drawn towards their mean: what that took from their spread is in their own errors.
        variance = (float(difficulty.var(ddof=1)) + float(np.mean(se**2))) / n
        ci = t_interval(mean, variance**0.5, n - 1, 0.95)
    return {"method": key, "pairs": n, "difficulty": mean, "ci": ci}


def _histogram(values: Iterable[float]) -> list[int]:
    """Return how many values lie in each step of the scale; what lies beyond is at its end."""
    counts: list[int] = np.histogram(np.clip(np.asarray(values), EDGES[0], EDGES[-1]), EDGES)[0].tolist()
    return counts
