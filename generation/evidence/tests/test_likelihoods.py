"""Likelihoods of poems and titles are those of a plain recomputation, one sequence at a time."""

from __future__ import annotations

import pytest
import torch

from generation.decoding.requests import Request
from generation.decoding.templates import VERSE
from generation.evidence.likelihoods import forward_log_likelihoods, title_log_likelihoods
from generation.tests.tiny_models import verse_model

POEMS = [
    "清溪清我心，水色异诸水。借问新安江，见底何如此。",
    "人行明镜中，\n鸟度屏风里。\n向晚猩猩啼，空悲远游子。",
]
COUPLETS = [
    ["清溪清我心，水色异诸水。", "借问新安江，见底何如此。"],
    ["人行明镜中，鸟度屏风里。", "向晚猩猩啼，空悲远游子。"],
]
TITLES = ["清溪", "新安江水", "月"]


def request(title: str) -> Request:
    return Request(VERSE, {"title": title, "form": "五绝", "tune": "", "author": ""})


@torch.inference_mode()
def plain(given: str, text: str) -> list[float]:
    """Return the log probability of every token of a text after what is given."""
    model = verse_model()
    before, own = model.encode(given), model.encode(text)
    log_probs = model.model(torch.tensor([[*before, *own]])).logits[0].double().log_softmax(-1)
    return [float(log_probs[len(before) + place - 1, token]) for place, token in enumerate(own)]


def test_forward_likelihood_is_the_mean_over_characters_without_marks() -> None:
    found = forward_log_likelihoods(verse_model(), [request("清溪"), request("月")], POEMS)
    for own, title, couplets in zip(found, ["清溪", "月"], COUPLETS, strict=True):
        text = "".join(couplets)
        values = plain(f"<bos><五绝>《{title}》：", text)
        counted = [value for value, character in zip(values, text, strict=True) if character not in "，。"]
        assert len(counted) == 20
        assert own == pytest.approx(sum(counted) / 20, abs=1e-5)


def test_title_likelihood_is_the_mean_over_couplets() -> None:
    found = title_log_likelihoods(verse_model(), [request(title) for title in TITLES], POEMS)
    assert found.shape == (2, 3)
    for row, couplets in zip(found, COUPLETS, strict=True):
        for value, title in zip(row, TITLES, strict=True):
            sums = [sum(plain(f"<bos>「{couplet}」", f"《{title}》<eos>")) for couplet in couplets]
            assert value == pytest.approx(sum(sums) / 2, abs=1e-4)
