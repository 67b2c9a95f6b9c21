"""The Turing game: pairs of texts, who plays, what was chosen, and the sums that its results are read from."""

from __future__ import annotations

from turing.models.games import (
    FIRST_STEP,
    HASTY,
    IS_RIGHT,
    ROUNDS_IN_GAME,
    Flag,
    Game,
    Kind,
    Player,
    Room,
    RoomName,
    RoomPair,
    Round,
    Side,
)
from turing.models.pairs import Form, Genre, PairRun, PoemPair, SourceText
from turing.models.tallies import (
    BoundaryTally,
    CellTally,
    DayTally,
    OriginTally,
    PairTally,
    PlayerTally,
    Results,
    RoundTally,
    Scope,
    belong_to,
)

__all__ = [
    "FIRST_STEP",
    "HASTY",
    "IS_RIGHT",
    "ROUNDS_IN_GAME",
    "BoundaryTally",
    "CellTally",
    "DayTally",
    "Flag",
    "Form",
    "Game",
    "Genre",
    "Kind",
    "OriginTally",
    "PairRun",
    "PairTally",
    "Player",
    "PlayerTally",
    "PoemPair",
    "Results",
    "Room",
    "RoomName",
    "RoomPair",
    "Round",
    "RoundTally",
    "Scope",
    "Side",
    "SourceText",
    "belong_to",
]
