"""Answered rounds for the tests of the results, written straight into the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from turing.models import ROUNDS_IN_GAME, Flag, Game, Player, PoemPair, Round, Side
from turing.results.counting import count_answers

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Answered:
    """One answered round: whose it is and how it went. Players and games are numbered from 0 in any way."""

    player: int
    game: int
    number: int
    pair: PoemPair
    selected: bool
    chose_left: bool = True
    flag: str = ""
    day: int = 0
    is_repeat: bool = False
    confidence: int | None = None


def record(rounds: Iterable[Answered], *, counted: bool = True) -> None:
    """Write the rounds with their players and games, a second after one another, and count them."""
    rounds = list(rounds)
    players = {
        number: Player(token_hash=f"{number:064x}") for number in sorted({one.player for one in rounds})
    }
    Player.objects.bulk_create(players.values())
    games = {one.game: Game(player=players[one.player]) for one in rounds}
    Game.objects.bulk_create(games.values())
    Round.objects.bulk_create(
        _round(games[one.game], one, START + timedelta(days=one.day, seconds=place))
        for place, one in enumerate(rounds)
    )
    if counted:
        count_answers()


def _round(game: Game, one: Answered, answered_at: datetime) -> Round:
    choice = Side.LEFT if one.chose_left else Side.RIGHT
    return Round(
        game=game,
        number=one.number,
        pair=one.pair,
        human_side=choice.other if one.selected else choice,
        choice=choice,
        shown_at=answered_at - timedelta(seconds=1 if one.flag == Flag.HASTY else 9),
        answered_at=answered_at,
        known=False,
        confidence=one.confidence,
        flag=one.flag,
        is_repeat=one.is_repeat,
    )


def published_game(pairs: list[PoemPair]) -> list[Answered]:
    """Return rounds with the published totals: 755 players, 4,592 records, 2,132 selections.

    Who answered what was never published; here every player has a whole game first, and the selections are spread.
    """
    rounds = []
    for place in range(4592):
        # 755 x 5 records first, then 817 in further games.
        game, number = divmod(place, ROUNDS_IN_GAME)
        rounds.append(
            Answered(
                player=game % 755,
                game=game,
                number=number + 1,
                # No player has a pair twice, nor a game one: 13 is prime to the number of pairs.
                pair=pairs[place * 13 % len(pairs)],
                selected=(place + 1) * 2132 // 4592 > place * 2132 // 4592,
                chose_left=place % 2 == 0,
                day=game // 50,
            )
        )
    return rounds
