"""What the surface tells of one text and of a boundary: nothing where both are alike, and what is planted."""

from __future__ import annotations

import random

import pytest

from stats.game.superficial_kinds import guess, superficial_of_boundaries, superficial_of_one

COMMON, OTHER = "山水风月花鸟天地人心", "云雨江河草木日星夜秋"


def sentence(rng: random.Random, characters: str = COMMON) -> str:
    return "".join(rng.choice(characters) for _ in range(5)) + "，"


def poems(count: int, seed: int, characters: str = COMMON) -> list[str]:
    rng = random.Random(seed)
    return ["".join(sentence(rng, characters) for _ in range(4)) for _ in range(count)]


def test_one_text_of_two_alike_is_named_at_chance() -> None:
    found = superficial_of_one(poems(300, 1), poems(300, 2))
    assert found is not None
    assert found.pairs == 600
    assert found.ci[0] < 0.5 < found.ci[1] + 0.04


@pytest.mark.parametrize(
    ("machines", "by"),
    [(poems(300, 2, OTHER), "characters"), ([text + "！！" for text in poems(300, 2)], "form")],
)
def test_one_text_that_its_surface_tells_is_named_by_it(machines: list[str], by: str) -> None:
    found = superficial_of_one(poems(300, 1), machines)
    assert found is not None
    assert found.share > 0.95
    assert found.by in (by, "rarity", "form")


def boundaries(count: int, characters: str) -> tuple[list[list[str]], list[int]]:
    rng = random.Random(5)
    texts, takeovers = [], []
    for _ in range(count):
        sentences = rng.choice([4, 8])
        takeover = rng.randint(2, sentences)
        human = [sentence(rng) for _ in range(takeover - 1)]
        texts.append(human + [sentence(rng, characters) for _ in range(sentences - takeover + 1)])
        takeovers.append(takeover)
    return texts, takeovers


def test_a_boundary_that_the_characters_tell_is_found_and_one_that_nothing_tells_is_guessed() -> None:
    plain = superficial_of_boundaries(*boundaries(300, COMMON))
    planted = superficial_of_boundaries(*boundaries(300, OTHER))
    assert plain is not None and planted is not None
    assert planted.share > 0.9
    # One in three of four sentences, one in seven of eight; the best of three classifiers is flattered a little.
    assert plain.guessing == pytest.approx(guess(boundaries(300, COMMON)[0]))
    assert 0.2 < plain.guessing < 0.27
    assert abs(plain.share - plain.guessing) < 0.08


def test_of_fewer_than_fifty_nothing_is_said() -> None:
    assert superficial_of_one(poems(49, 1), poems(49, 2)) is None
    assert superficial_of_boundaries(*boundaries(49, OTHER)) is None
