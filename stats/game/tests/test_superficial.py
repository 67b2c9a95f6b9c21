"""The classifier of form: at chance where both texts are of one kind, and sure where a habit gives them away."""

from __future__ import annotations

import random

import numpy as np
import scipy.stats

from stats.game.superficial import form_of, superficial

WORDS = list("山水云月风花雪夜江城草木人心天地春秋钟声")


def poems(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [
        "\n".join(
            "".join(rng.choices(WORDS, k=5)) + "，" + "".join(rng.choices(WORDS, k=5)) + "。"
            for _ in range(2)
        )
        for _ in range(count)
    ]


def test_texts_of_one_kind_are_told_apart_no_better_than_by_a_coin() -> None:
    found = superficial(poems(400, 1), poems(400, 2))
    assert found is not None
    assert scipy.stats.binomtest(found.right, found.pairs).pvalue > 0.01
    assert found.ci[0] < 0.5 < found.ci[1]


def test_a_habit_of_the_machine_s_is_found_by_its_form() -> None:
    doubled = [text.replace(text[0], text[1]) for text in poems(400, 2)]
    found = superficial(poems(400, 1), doubled)
    assert found is not None and found.share > 0.7
    marked = [text.replace("，", "；", 1) for text in poems(400, 3)]
    assert superficial(poems(400, 1), marked).share > 0.99  # type: ignore[union-attr]


def test_texts_of_the_same_form_leave_a_coin_to_be_thrown() -> None:
    same = poems(60, 4)
    found = superficial(same, same)
    assert found is not None and (found.right, found.pairs) == (30, 60)


def test_few_pairs_say_nothing_and_an_empty_text_has_a_form() -> None:
    assert superficial(poems(49, 1), poems(49, 2)) is None
    assert np.isfinite(form_of("")).all()
