"""Examples as tensors: batches of nearly one length."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from generation.training.examples import Example


class Batch(NamedTuple):
    """Examples as rows of one length, with padding at their ends."""

    tokens: Tensor  # (rows, length)
    learnt: Tensor  # (rows, length), true where a token is to be learnt

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        return Batch(self.tokens.to(device), self.learnt.to(device))


def batches(examples: list[Example], tokenizer: PreTrainedTokenizerFast, batch_tokens: int) -> list[Batch]:
    """Return examples in batches of nearly one length, at most `batch_tokens` tokens each with the padding."""
    given = tokenizer([example.given for example in examples], add_special_tokens=False)["input_ids"]
    target = tokenizer([example.target for example in examples], add_special_tokens=False)["input_ids"]
    rows = sorted(zip(given, target, strict=True), key=lambda row: len(row[0]) + len(row[1]))
    made: list[Batch] = []
    batch: list[tuple[list[int], list[int]]] = []
    for row in rows:
        length = len(row[0]) + len(row[1])
        if batch and length * (len(batch) + 1) > batch_tokens:
            made.append(padded(batch, tokenizer.pad_token_id))
            batch = []
        batch.append(row)
    if batch:
        made.append(padded(batch, tokenizer.pad_token_id))
    return made


def padded(rows: list[tuple[list[int], list[int]]], pad: int) -> Batch:
    """Return rows of tokens that are given and tokens that are to be learnt as one batch."""
    length = max(len(given) + len(target) for given, target in rows)
    tokens = torch.full((len(rows), length), pad)
    learnt = torch.zeros((len(rows), length), dtype=torch.bool)
    for place, (given, target) in enumerate(rows):
        end = len(given) + len(target)
        tokens[place, :end] = torch.tensor(given + target)
        learnt[place, len(given) : end] = True
    return Batch(tokens, learnt)
