"""The tallies are held against the statistics of all rounds, computed by `stats` in one go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
import pytest
from django.db import connection
from django.db.models import Sum

from stats.game.selection import SelectionRecords, first_game_shares, selection_rate, side_bias
from turing.game.play import draw_rounds
from turing.game.players import hash_of
from turing.models import (
    CellTally,
    DayTally,
    Flag,
    Game,
    PairTally,
    Player,
    PlayerTally,
    Round,
    RoundTally,
    Scope,
    Side,
)
from turing.results.counting import LOCK, count_answers
from turing.tests.cast import build_pairs

START = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def rounds(db: None) -> list[Round]:
    """Games of seven players over some days, with repeated pairs, flagged rounds and a game left unfinished."""
    build_pairs(8)
    rng = Random(11)
    players = [Player.objects.create(token_hash=hash_of(str(number))) for number in range(7)]
    moment = START
    for turn in range(20):
        game = Game.objects.create(player=rng.choice(players))
        draw_rounds(game, "poem", "", rng)
        for one in game.rounds.order_by("number")[: 3 if turn == 8 else 5]:
            moment += timedelta(hours=rng.random() * 2)
            Round.objects.filter(pk=one.pk).update(
                shown_at=moment - timedelta(seconds=9),
                answered_at=moment,
                choice=rng.choice(Side.values),
                known=False,
                confidence=rng.choice([None, 1, 2, 3]),
                flag=Flag.HASTY if rng.random() < 0.15 else "",
            )
    return list(Round.objects.answered().select_related("game").order_by("answered_at"))


def records(rounds: list[Round]) -> SelectionRecords:
    def column(values: list[object]) -> np.ndarray:
        return np.array(values)

    return SelectionRecords(
        players=column([one.game.player_id for one in rounds]),
        pairs=column([one.pair_id for one in rounds]),
        games=column([one.game_id for one in rounds]),
        rounds=column([one.number for one in rounds]),
        selected=column([one.choice != one.human_side for one in rounds]),
        chose_left=column([one.choice == "left" for one in rounds]),
    )


def in_scope(rounds: list[Round], scope: Scope) -> list[Round]:
    return [one for one in rounds if scope == Scope.ALL or not one.flag]


def sums(scope: Scope) -> dict[str, int]:
    """Return all sums of a scope at the end of the last day."""
    names = [field.name for field in DayTally._meta.fields if field.name not in ("id", "day", "scope")]
    return DayTally.objects.filter(scope=scope).aggregate(**{name: Sum(name) for name in names})


def variance(total: dict[str, int], of: str, clusters: int) -> float:
    """Return the variance of the rate that clusters of one kind give, as `stats.cluster` has it."""
    rate = total["selected"] / total["answered"]
    squares = total[f"{of}_ss"] - 2 * rate * total[f"{of}_ns"] + rate**2 * total[f"{of}_nn"]
    return squares * clusters / (clusters - 1) / total["answered"] ** 2


@pytest.mark.parametrize("batch", [1, 7, 10_000])
@pytest.mark.parametrize("scope", Scope)
def test_the_sums_give_the_clustered_rate_of_all_rounds(
    rounds: list[Round], scope: Scope, batch: int
) -> None:
    assert count_answers(batch) == len(rounds)
    total, expected = sums(scope), records(in_scope(rounds, scope))
    rate = selection_rate(expected.selected, expected.players, expected.pairs)
    assert (total["answered"], total["selected"]) == (rate.total, rate.selected)
    assert (total["players"], total["pairs"]) == (rate.players, rate.pairs)
    of_players, of_pairs = variance(total, "player", rate.players), variance(total, "pair", rate.pairs)
    of_both = variance(total, "both", len(set(zip(expected.players, expected.pairs, strict=True))))
    assert rate.clustered is not None
    assert rate.clustered.se_first == pytest.approx(of_players**0.5)
    assert rate.clustered.se_second == pytest.approx(of_pairs**0.5)
    assert rate.clustered.se**2 == pytest.approx(
        max(of_players + of_pairs - of_both, rate.clustered.se_iid**2)
    )


@pytest.mark.parametrize("batch", [1, 7, 10_000])
@pytest.mark.parametrize("scope", Scope)
def test_the_first_games_are_those_of_the_confidence_sequence(
    rounds: list[Round], scope: Scope, batch: int
) -> None:
    count_answers(batch)
    shares = first_game_shares(records(in_scope(rounds, scope)))
    total = sums(scope)
    assert total["first_games"] == len(shares)
    assert total["first_selected"] == pytest.approx(5 * shares.sum())
    assert total["first_selected_squares"] == pytest.approx(25 * (shares**2).sum())


@pytest.mark.parametrize("scope", Scope)
def test_the_tallies_by_pair_player_and_round_are_those_of_all_rounds(
    rounds: list[Round], scope: Scope
) -> None:
    count_answers(7)
    expected = in_scope(rounds, scope)
    for model, key in ((PairTally, "pair_id"), (PlayerTally, "player_id")):
        stored = {
            getattr(tally, key): (tally.answered, tally.selected)
            for tally in model._default_manager.filter(scope=scope)
        }
        of = {one.pk: one.pair_id if key == "pair_id" else one.game.player_id for one in expected}
        assert stored == {
            value: (
                sum(of[one.pk] == value for one in expected),
                sum(of[one.pk] == value and not one.is_right() for one in expected),
            )
            for value in set(of.values())
        }
    by_number = RoundTally.objects.filter(scope=scope).values("number")
    left = {row["number"]: row["left"] for row in by_number.annotate(left=Sum("chose_left"))}
    assert left == {
        number: sum(one.choice == "left" for one in expected if one.number == number)
        for number in range(1, 6)
    }
    assert side_bias(records(expected)).estimate == pytest.approx(sum(left.values()) / len(expected))


def test_each_day_has_what_was_answered_on_it(rounds: list[Round]) -> None:
    count_answers(7)
    stored = dict(DayTally.objects.filter(scope="all").values_list("day", "answered"))
    days = [one.answered_at.date() for one in rounds if one.answered_at]
    assert stored == {day: days.count(day) for day in set(days)}


def test_what_is_counted_is_not_counted_again(rounds: list[Round]) -> None:
    count_answers()
    before = sums(Scope.ALL)
    assert count_answers() == 0
    assert sums(Scope.ALL) == before


@pytest.mark.django_db(transaction=True)
def test_while_another_process_counts_this_one_leaves_it_to_it() -> None:
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    try:
        assert count_answers() == 0
    finally:
        other.close()


@pytest.mark.parametrize("batch", [1, 7, 10_000])
@pytest.mark.parametrize("scope", Scope)
def test_the_cells_are_those_of_all_rounds_and_their_products_those_of_each_player(
    rounds: list[Round], scope: Scope, batch: int
) -> None:
    count_answers(batch)
    own: dict[int, np.ndarray] = {}
    for one in in_scope(rounds, scope):
        cell = 8 * (one.human_side == "right") + 4 * (one.choice == "right") + (one.confidence or 0)
        own.setdefault(one.game.player_id, np.zeros(16, dtype=int))[cell] += 1
    of_players = dict(PlayerTally.objects.filter(scope=scope).values_list("player", "cells"))
    assert of_players == {player: cells.tolist() for player, cells in own.items()}
    tally = CellTally.objects.get(scope=scope)
    counts = np.array(list(own.values()))
    assert tally.cells == counts.sum(axis=0).tolist()
    assert tally.products == (counts.T @ counts)[np.triu_indices(16)].tolist()
