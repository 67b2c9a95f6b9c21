"""What the writer remembers spares reading, and changes nothing."""

from __future__ import annotations

import pytest
import torch

from generation.decoding.language_model import Beginning, Stop, Tokens
from generation.decoding.local_model import TransformersModel
from generation.decoding.sampling import Draws
from generation.methods import Sampling
from generation.tests.tiny_models import verse_model

FIVE = Stop(5, characters=5, mark="，")


def tokens(model: TransformersModel, text: str) -> Tokens:
    return tuple(model.encode(text))


def plain(model: TransformersModel, prefix: Tokens, text: Tokens) -> float:
    """Return log p(text | prefix) by one forward pass of transformers over both."""
    with torch.inference_mode():
        log_probs = model.model(input_ids=torch.tensor([[*prefix, *text]])).logits[0].log_softmax(-1)
    return sum(float(log_probs[len(prefix) + place - 1, token]) for place, token in enumerate(text))


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_scores_are_those_of_a_plain_pass_whatever_was_scored_before(architecture: str) -> None:
    model = verse_model(architecture)
    writer = model.writer()
    for round_of_pairs in (
        [("「山中", "秋"), ("「山中一夜雨，」", "秋夜"), ("「水", "山")],
        [
            ("「山中一夜雨，树杪百重泉。」", "秋夜"),
            ("「水", "山水"),
            ("「水", "秋"),
            ("「水", "山水"),
            ("「", "秋"),
            ("「山中一夜雨，」", "秋夜"),
        ],
        [("月", "日")],
    ):
        pairs = [(tokens(model, prefix), tokens(model, text)) for prefix, text in round_of_pairs]
        expected = [plain(model, prefix, text) for prefix, text in pairs]
        assert writer.log_p(pairs) == pytest.approx(expected, rel=1e-5)


def test_nothing_asked_is_nothing_answered() -> None:
    assert verse_model().writer().log_p([]) == []


def test_what_was_read_is_not_read_again() -> None:
    model = verse_model(seed=3)
    writer = model.writer()
    text = tokens(model, "秋夜")
    long = tokens(model, "「山中一夜雨，树杪百重泉。」")
    writer.log_p([(long, text)])
    before = model.work.tokens
    writer.log_p([(long, text)])
    # The last token of the prefix, and the text but for its last one.
    assert model.work.tokens - before == 2


def test_short_sentences_go_on_alike_from_memory_and_from_their_beginning() -> None:
    model, writer = verse_model(), verse_model().writer()
    given = tokens(model, "《秋夜》：")
    draws = Draws([1])
    (first,) = writer.continue_sentences([Beginning(0, given, (), FIVE)], 3, Sampling(), draws)
    next_ones = [Beginning(0, given, one.tokens, FIVE) for one in first]
    remembered = writer.continue_sentences(next_ones, 2, Sampling(), Draws([2]))
    afresh = model.writer().continue_sentences(next_ones, 2, Sampling(), Draws([2]))
    for here, there in zip(remembered, afresh, strict=True):
        assert [one.text for one in here] == [one.text for one in there]
        assert [one.log_prob for one in here] == pytest.approx([one.log_prob for one in there], rel=1e-5)
    for beginning, sentences in zip(next_ones, remembered, strict=True):
        for one in sentences:
            chosen = one.tokens[: one.chosen]
            log_p = plain(model, (*given, *beginning.written), chosen)
            assert one.log_prob == pytest.approx(log_p, rel=1e-5)
