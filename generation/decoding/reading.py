"""What a model in this process has read so far, and what the search's sentences need of such a model.

A `Reading` is what was read, row by row, with the keys and values of every token. Each token belongs to an owner:
`SHARED` tokens are seen by all that come after them in their row, those of a branch (0, 1, ...) by that branch alone,
`NOBODY`'s (padding) by none. So the children of a beam can grow side by side in the beam's own row: what they share is
read once and kept once. From the owners follows everything else, masks and positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

SHARED = -1
NOBODY = -2


@dataclass(frozen=True)
class Reading:
    """Rows of tokens as a model has read them.

    `layers` holds the keys and values of each layer, (rows, heads, slots, width) each; `owner` (rows, slots) tells
    whom a slot belongs to. The order of the slots means nothing: their positions are in the keys.
    """

    layers: tuple[tuple[Tensor, Tensor], ...]
    owner: Tensor

    def select(self, rows: Tensor, kept: Tensor) -> Reading:
        """Return a reading of one row for each of `rows` (selected,), with its `kept` (selected, slots) slots shared.

        Rows that keep fewer slots than others are padded in front.
        """
        most = int(kept.sum(1).max()) if kept.numel() else 0
        order = kept.int().argsort(dim=1, stable=True)[:, kept.shape[1] - most :]  # (selected, most)
        owner = torch.where(kept.gather(1, order), SHARED, NOBODY)
        row = rows[:, None]
        layers = tuple(
            # Indices on both sides of the heads put them last: (selected, most, heads, width).
            (keys[row, :, order].transpose(1, 2), values[row, :, order].transpose(1, 2))
            for keys, values in self.layers
        )
        return Reading(layers, owner)

    def of_branch(self, rows: Tensor, branches: Tensor) -> Reading:
        """Return a reading of the branch (selected,) of each of the rows (selected,), which it shares with nobody."""
        owner = self.owner[rows]  # (selected, slots)
        return self.select(rows, (owner == SHARED) | (owner == branches[:, None]))


@dataclass
class Work:
    """How much a model was asked: calls, tokens that were read, and tokens of padding among what was sent."""

    calls: int = 0
    tokens: int = 0
    padding: int = 0


class ReadingModel(Protocol):
    """A model that hands out what it has read. `ends` are the tokens that end a text."""

    name: str
    device: torch.device
    ends: frozenset[int]

    def encode(self, text: str, *, start: bool = False) -> list[int]: ...
    def decode(self, tokens: Sequence[int]) -> str: ...

    @property
    def writable(self) -> Tensor:
        """Which tokens can be in a text or end it, (vocabulary,) bool: all but marks of the model's own."""

    @property
    def visible(self) -> Tensor:
        """Which tokens show something by themselves, (vocabulary,) bool: no blanks, and no marks."""

    @property
    def characters(self) -> Tensor:
        """Which tokens are one Chinese character each, (vocabulary,) bool."""

    def extend(
        self, reading: Reading | None, tokens: Tensor, owner: Tensor, keep: int
    ) -> tuple[Reading, Tensor]:
        """Read on.

        `tokens` and their `owner` are (rows, new); a token sees what is shared and what is its owner's, among the
        tokens before it. Returned are the reading and the log probabilities of what may follow each of the last
        `keep` tokens, (rows, keep, vocabulary) in fp32.
        """


def pad_in_front(sequences: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return sequences as tokens and owners, (rows, longest) each: all shared, the padding nobody's."""
    longest = max(1, *(len(sequence) for sequence in sequences))
    tokens = torch.zeros((len(sequences), longest), dtype=torch.long)
    owner = torch.full((len(sequences), longest), NOBODY)
    for row, sequence in enumerate(sequences):
        if sequence:
            tokens[row, -len(sequence) :] = torch.tensor(sequence)
            owner[row, -len(sequence) :] = SHARED
    return tokens.to(device), owner.to(device)
