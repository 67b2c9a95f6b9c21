"""
How few rounds hold a verdict up: hundreds of votes have moved public boards of a million.

Reference: Huang et al. (2025), Dropping just a handful of preferences can change top large language model rankings
(arXiv 2508.11847).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stats.game.selection import CHANCE, DEFAULT_MARGIN, Verdict, verdict
from stats.game.tallied import share_sequence_of_sums
from stats.sequences import beta_mixture_sequence


@dataclass(frozen=True)
class Fragility:
    """Without `rounds` well chosen rounds the verdict is another one, `becomes`; None where no number is enough."""

    rounds: int | None
    becomes: Verdict | None


def verdict_of_first_games(
    games: Sequence[int], *, rounds: int, margin: float = DEFAULT_MARGIN, chance: float = CHANCE
) -> Verdict:
    """
    Return the verdict of the confidence sequence over players.

    `games` (rounds + 1,) counts players by the selections in their first completed game, from 0 to `rounds`; a guess is
    one with the probability `chance`. Games of a single round are independent units of yes or no.
    """
    if rounds == 1:
        return verdict(beta_mixture_sequence(games[1], sum(games)).ci, margin, chance)
    units = sum(games)
    selected = sum(number * n for number, n in enumerate(games))
    squares = sum(number**2 * n for number, n in enumerate(games))
    return verdict(share_sequence_of_sums(units, selected, squares, rounds=rounds).ci, margin, chance)


def fragility(
    games: Sequence[int], *, rounds: int, margin: float = DEFAULT_MARGIN, chance: float = CHANCE
) -> Fragility:
    """
    Return without how few rounds the verdict falls.

    A round that is left out breaks off the first game of its player, who then leaves the sequence. The games with the
    fewest selections go first, or those with the most, whichever changes the verdict sooner.
    """
    before = verdict_of_first_games(games, rounds=rounds, margin=margin, chance=chance)

    def after(order: Sequence[int], left_out: int) -> Verdict:
        rest = without(games, order, left_out)
        return verdict_of_first_games(rest, rounds=rounds, margin=margin, chance=chance)

    numbers = range(len(games))
    found: list[tuple[int, Verdict]] = []
    for order in (tuple(numbers), tuple(reversed(numbers))):
        least = _least(lambda n, order=order: after(order, n) != before, sum(games))  # type: ignore[misc]
        if least is not None:
            found.append((least, after(order, least)))
    return Fragility(*min(found)) if found else Fragility(None, None)


def without(games: Sequence[int], order: Sequence[int], left_out: int) -> list[int]:
    """Return the counts without so many games, taken from the kinds of game in this order."""
    rest = list(games)
    for number in order:
        taken = min(rest[number], left_out)
        rest[number] -= taken
        left_out -= taken
    return rest


def _least(is_enough: Callable[[int], bool], most: int) -> int | None:
    """Return the least number that is enough, at a cost that grows with its logarithm; None if `most` is not."""
    high = 1
    while high < most and not is_enough(high):
        high *= 2
    high = min(high, most)
    if most == 0 or not is_enough(high):
        return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high
