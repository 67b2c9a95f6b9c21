"""Without how few rounds a verdict falls, against leaving out one more until it does."""

from __future__ import annotations

import pytest

from stats.game.fragility import Fragility, fragility, verdict_of_first_games, without


def one_by_one(games: list[int]) -> int | None:
    """Return the least number of games to leave out, by trying every number from either end."""
    before = verdict_of_first_games(games, rounds=5)
    for left_out in range(1, sum(games) + 1):
        for order in (range(6), range(5, -1, -1)):
            if verdict_of_first_games(without(games, list(order), left_out), rounds=5) != before:
                return left_out
    return None


@pytest.mark.parametrize(
    ("games", "verdict"),
    [
        ([20, 60, 110, 90, 40, 10], "distinguishable"),
        ([10, 40, 90, 110, 60, 20], "distinguishable"),
        ([40, 200, 400, 400, 200, 40], "equivalent"),
        ([5, 12, 20, 20, 12, 5], "undecided"),
    ],
)
def test_least_number_is_that_of_leaving_out_one_more_until_the_verdict_falls(
    games: list[int], verdict: str
) -> None:
    assert verdict_of_first_games(games, rounds=5) == verdict
    found = fragility(games, rounds=5)
    assert found.rounds == one_by_one(games)
    assert found.becomes not in (None, verdict)


def test_a_verdict_by_a_hair_falls_without_one_round_and_a_plain_one_without_many() -> None:
    games = [60, 180, 110, 60, 20, 5]
    plain = fragility(games, rounds=5).rounds
    assert plain is not None and plain > 10
    by_a_hair = without(games, range(6), plain - 1)
    assert fragility(by_a_hair, rounds=5).rounds == 1


def test_no_games_hold_nothing_up() -> None:
    assert fragility([0] * 6, rounds=5) == Fragility(None, None)
