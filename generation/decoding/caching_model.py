"""What all models in this process have in common: what they read on from what they have read."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from generation.decoding.caching_writer import CachingWriter
from generation.decoding.reading import NOBODY, SHARED, Reading, Work
from generation.decoding.tokenized_model import TokenizedModel
from generation.methods import Sampling

HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
Layers = tuple[tuple[Tensor, Tensor], ...]


class CachingModel(TokenizedModel):
    """A model whose keys and values are kept from one call to the next. `ends` are the tokens that end a text."""

    name: str
    digest: str
    device: torch.device
    vocabulary: int
    positions: int
    ends: frozenset[int]
    work: Work

    @property
    @abstractmethod
    def recommended(self) -> Sampling: ...

    @property
    @abstractmethod
    def facts(self) -> dict[str, Any]: ...

    @abstractmethod
    def forward(
        self, tokens: Tensor, positions: Tensor, seen: Tensor, before: Layers | None, keep: int
    ) -> tuple[Layers, Tensor]:
        """Return the keys and values of each layer, and the logits after the last `keep` tokens.

        `tokens` and `positions` are (rows, new), `seen` (rows, new, slots) says what each sees.
        """

    def writer(self) -> CachingWriter:
        return CachingWriter(self)

    @cached_property
    def writable(self) -> Tensor:
        writable = torch.zeros(self.vocabulary, dtype=torch.bool)
        writable[: len(self.tokenizer)] = True
        writable[self.tokenizer.convert_tokens_to_ids(list(self.marks))] = False
        writable[list(self.ends)] = True
        return writable.to(self.device)

    @cached_property
    def texts(self) -> Sequence[str]:
        """What each token says by itself."""
        texts: list[str] = self.tokenizer.batch_decode(
            [[token] for token in range(len(self.tokenizer))], skip_special_tokens=True
        )
        return texts

    @cached_property
    def visible(self) -> Tensor:
        return self.those_of(lambda text: text.strip() != "")

    @cached_property
    def characters(self) -> Tensor:
        return self.those_of(lambda text: HAN.fullmatch(text) is not None)

    def those_of(self, holds: Callable[[str], bool]) -> Tensor:
        """Return the tokens whose text a condition holds for, (vocabulary,) bool."""
        tokens = torch.zeros(self.vocabulary, dtype=torch.bool)
        tokens[[token for token, text in enumerate(self.texts) if holds(text)]] = True
        return tokens.to(self.device)

    @torch.inference_mode()
    def extend(
        self, reading: Reading | None, tokens: Tensor, owner: Tensor, keep: int
    ) -> tuple[Reading, Tensor]:
        rows, new = tokens.shape
        before = reading.owner if reading is not None else owner.new_empty((rows, 0))
        whose = torch.cat([before, owner], dim=1)  # (rows, slots)
        seen = (whose[:, None] == SHARED) | (whose[:, None] == owner[:, :, None])  # (rows, new, slots)
        later = torch.ones((new, new), dtype=torch.bool, device=tokens.device).triu(1)
        seen[:, :, before.shape[1] :] &= ~later
        # A token's position is the number of those that it sees before it.
        positions = (seen.sum(2) - 1).clamp(0, self.positions - 1)
        # What padding sees is of no matter, but it must see something.
        seen[:, :, before.shape[1] :].diagonal(dim1=1, dim2=2).fill_(True)
        layers, logits = self.forward(
            tokens, positions, seen, reading.layers if reading is not None else None, keep
        )
        self.work.calls += 1
        self.work.padding += int((owner == NOBODY).sum())
        self.work.tokens += owner.numel()
        return Reading(layers, whose), logits.float().log_softmax(-1)
