"""A poem that stands already in part is gone on from, and its own beginning is kept to the letter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from generation.decoding.methods import compose
from generation.decoding.plain_model import load_plain
from generation.orders import Order, OrderRefused

MODEL = Path(__file__).resolve().parents[3] / "fixtures" / "verse-model-st"
OPENING = "山中一夜雨，树杪百重泉。江上数峰青，"


def order(**fields: Any) -> Order:
    return Order("inverse_prompting_st", "poem", "山居", **{"form": "lushi5", "opening": OPENING, **fields})


def test_poem_begins_with_what_stands_already_and_goes_on_in_its_form() -> None:
    model = load_plain(MODEL)
    written = compose(model, order())
    text = written.best.text.replace("\n", "")
    assert text.startswith(OPENING)
    assert [len(part) for part in text.replace("。", "，").split("，")] == [5] * 8 + [0]
    assert written.provenance["opening"] == OPENING
    # What stands already costs nothing, and what is the model's own has its score.
    assert [sentence.forward == 0 for sentence in written.best.sentences] == [True] * 3 + [False] * 5
    assert compose(model, order()).best.text == written.best.text


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"opening": "山中一夜雨，树杪百重。"}, "not the beginning of a poem"),
        ({"form": "jueju5", "opening": OPENING + "人归落雁前。"}, "not the beginning of a poem"),
        ({"form": "free"}, "only a poem in a form"),
        ({"opening": "山中一夜𪚥，"}, "does not know"),
    ],
)
def test_what_cannot_be_gone_on_from_is_refused(fields: dict[str, str], why: str) -> None:
    with pytest.raises(OrderRefused, match=why):
        compose(load_plain(MODEL), order(**fields))
