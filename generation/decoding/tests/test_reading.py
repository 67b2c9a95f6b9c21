from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.decoding.local_model import TransformersModel
from generation.decoding.reading import NOBODY, SHARED, Reading
from generation.tests.tiny_models import verse_model

BRANCHES = 3
# A token and whose it is, in the order in which a row was read.
Row = list[tuple[int, int]]


@dataclass
class Tree:
    """What a model is given, kept as plain lists beside its reading, to be compared with plain forward passes."""

    model: TransformersModel
    chance: random.Random
    rows: list[Row]
    reading: Reading | None = None

    def extend(self, owners: list[int]) -> None:
        """Read one to four new tokens a row, each of one of `owners`, and compare what may follow each."""
        new = [
            [(self.chance.randrange(self.model.vocabulary), self.chance.choice(owners)) for _ in range(width)]
            for width in [self.chance.randint(1, 4)] * len(self.rows)
        ]
        tokens, owner = torch.tensor(new).unbind(2)
        self.reading, log_probs = self.model.extend(self.reading, tokens, owner, keep=tokens.shape[1])
        for row, added, found in zip(self.rows, new, log_probs, strict=True):
            for (token, whose), told in zip(added, found, strict=True):
                row.append((token, whose))
                if whose != NOBODY:
                    assert torch.allclose(told, self.plain(row, whose), rtol=1e-5, atol=1e-5)

    @torch.inference_mode()
    def plain(self, row: Row, whose: int) -> torch.Tensor:
        """Return what may follow the tokens that an owner sees, read as one sequence by transformers alone."""
        seen = [token for token, owner in row if owner in (SHARED, whose)]
        log_probs: torch.Tensor = (
            self.model.model(input_ids=torch.tensor([seen])).logits[0, -1].log_softmax(-1)
        )
        return log_probs

    def go_on_from_branches(self) -> None:
        """Make rows of one to four branches, some of them twice, in any order."""
        assert self.reading is not None
        chosen = [
            (self.chance.randrange(len(self.rows)), self.chance.randrange(BRANCHES))
            for _ in range(self.chance.randint(1, 4))
        ]
        row, branch = torch.tensor(chosen).unbind(1)
        self.reading = self.reading.of_branch(row, branch)
        self.rows = [
            [(token, SHARED) for token, owner in self.rows[row] if owner in (SHARED, branch)]
            for row, branch in chosen
        ]

    def go_on_from_beginnings(self) -> None:
        """Make rows of one to four beginnings of what is shared."""
        assert self.reading is not None
        rows = torch.tensor([self.chance.randrange(len(self.rows)) for _ in range(self.chance.randint(1, 4))])
        shared = self.reading.owner[rows] == SHARED
        lengths = torch.tensor([self.chance.randint(0, int(own.sum())) for own in shared])
        self.reading = self.reading.select(rows, shared & (shared.cumsum(1) <= lengths[:, None]))
        self.rows = [
            [(token, SHARED) for token, owner in self.rows[row] if owner == SHARED][:length]
            for row, length in zip(rows.tolist(), lengths.tolist(), strict=True)
        ]


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    rows=st.integers(1, 3),
    is_padded=st.booleans(),
    steps=st.lists(st.sampled_from(["shared", "branches", "go on", "beginnings"]), max_size=6),
)
def test_a_tree_of_texts_is_read_as_each_text_by_itself(
    architecture: str, seed: int, rows: int, is_padded: bool, steps: list[str]
) -> None:
    tree = Tree(verse_model(architecture), random.Random(seed), [[] for _ in range(rows)])
    padding = [NOBODY] if is_padded else []
    tree.extend([SHARED, *padding])
    has_branches = False
    for step in steps:
        # What is shared again after branches parted would belong to none of them: first they become rows.
        if step == "go on" or (has_branches and step != "branches"):
            tree.go_on_from_branches()
            has_branches = False
        if step == "branches":
            tree.extend([*range(BRANCHES), *padding])
            has_branches = True
        elif step == "shared":
            tree.extend([SHARED, *padding])
        elif step == "beginnings":
            tree.go_on_from_beginnings()
    # Every step above has compared what it read with each text read by itself.
    assert tree.reading is not None


def test_rows_that_keep_less_are_padded_in_front() -> None:
    tokens = torch.tensor([[5, 6, 7], [8, 9, 10]])
    reading, _ = verse_model().extend(None, tokens, torch.full_like(tokens, SHARED), keep=1)
    kept = torch.tensor([[True, True, True], [True, False, False], [False, False, False]])
    selected = reading.select(torch.tensor([1, 0, 0]), kept)
    assert selected.owner.tolist() == [[SHARED] * 3, [NOBODY, NOBODY, SHARED], [NOBODY] * 3]
    keys, _ = selected.layers[0]
    assert torch.equal(keys[1, :, 2], reading.layers[0][0][0, :, 0])


def test_work_counts_calls_tokens_and_padding() -> None:
    model = verse_model(seed=7)
    before = model.work.calls, model.work.tokens, model.work.padding
    model.extend(
        None, torch.tensor([[5, 6], [7, 8]]), torch.tensor([[NOBODY, SHARED], [SHARED, SHARED]]), keep=1
    )
    after = model.work.calls, model.work.tokens, model.work.padding
    assert [later - earlier for later, earlier in zip(after, before, strict=True)] == [1, 4, 1]
