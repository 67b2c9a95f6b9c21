from __future__ import annotations

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from generation.tests.training_cast import verse
from generation.training.batches import batches
from generation.training.examples import Example, Examples
from generation.training.vocabulary import build_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return build_tokenizer(verse())


def test_padding_and_what_is_given_are_not_learnt(tokenizer: PreTrainedTokenizerFast) -> None:
    (batch,) = batches([Example("<bos>", "山水<eos>"), Example("<bos>山", "月")], tokenizer, 100)
    bos, eos, pad = tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id
    mountain, water, moon = (tokenizer.convert_tokens_to_ids(character) for character in "山水月")
    assert batch.tokens.tolist() == [[bos, mountain, moon, pad], [bos, mountain, water, eos]]
    assert batch.learnt.tolist() == [[False, False, True, False], [False, True, True, True]]


def test_no_batch_is_larger_than_asked_for(tokenizer: PreTrainedTokenizerFast) -> None:
    made = batches(Examples(verse(), seed=1).draw(300, 0), tokenizer, 1000)
    assert max(batch.tokens.numel() for batch in made) <= 1000
    assert sum(len(batch.tokens) for batch in made) == 300
    filled = sum(int((batch.tokens != tokenizer.pad_token_id).sum()) for batch in made)
    assert filled / sum(batch.tokens.numel() for batch in made) > 0.8


def test_a_longer_example_is_a_batch_of_its_own(tokenizer: PreTrainedTokenizerFast) -> None:
    made = batches([Example("<bos>", "山" * 50), Example("<bos>", "水")], tokenizer, 10)
    assert [tuple(batch.tokens.shape) for batch in made] == [(1, 2), (1, 51)]


def test_a_batch_moves_as_a_whole(tokenizer: PreTrainedTokenizerFast) -> None:
    (batch,) = batches([Example("<bos>", "山")], tokenizer, 10)
    moved = batch.to(torch.device("meta"))
    assert (moved.tokens.device.type, moved.learnt.device.type) == ("meta", "meta")
