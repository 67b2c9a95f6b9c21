"""The Turing game: pairs of texts, who plays, what was chosen, and the sums that its results are read from."""

from __future__ import annotations

from turing.models.games import HASTY, ROUNDS_IN_GAME, Flag, Game, Player, Round, Side
from turing.models.pairs import Form, Genre, PairRun, PoemPair, SourceText
from turing.models.tallies import DayTally, PairTally, PlayerTally, RoundTally, Scope

__all__ = [
    "HASTY",
    "ROUNDS_IN_GAME",
    "DayTally",
    "Flag",
    "Form",
    "Game",
    "Genre",
    "PairRun",
    "PairTally",
    "Player",
    "PlayerTally",
    "PoemPair",
    "Round",
    "RoundTally",
    "Scope",
    "Side",
    "SourceText",
]
