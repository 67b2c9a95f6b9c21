"""Tones and rhymes as the rhyme books have them."""

from __future__ import annotations

import pytest

from generation.verse.rhymes import ci_classes_of, neighbours_of, rhymes_of, tone_of, unmatched


@pytest.mark.parametrize(
    ("characters", "tone"),
    [
        ("东山花人楼", "平"),
        # Level in the speech of today; of old they ended in a stop and were oblique.
        ("白一国竹独", "仄"),
        ("水尽月照鸟", "仄"),
        # Both: to look, to teach, to pass, a while.
        ("看教过间", ""),
        ("氧她", ""),
    ],
)
def test_tone_is_that_of_the_rhyme_book(characters: str, tone: str) -> None:
    assert [tone_of(character) for character in characters] == [tone] * len(characters)


def test_rhyming_characters_share_a_rhyme() -> None:
    assert rhymes_of("沙") & rhymes_of("家") & rhymes_of("花") & rhymes_of("斜")
    assert not rhymes_of("东") & rhymes_of("冬")


def test_simplified_character_has_the_rhymes_of_all_it_stands_for() -> None:
    assert rhymes_of("后") & rhymes_of("後")
    assert rhymes_of("发") == rhymes_of("發") | rhymes_of("髮")


def test_common_character_that_the_table_lacks_has_the_rhymes_of_its_like() -> None:
    assert rhymes_of("啼") & rhymes_of("西")
    assert rhymes_of("炉") & rhymes_of("湖")


@pytest.mark.parametrize(
    "characters", ["东冬", "江阳", "支微", "鱼虞", "真文", "寒山", "萧豪", "庚青蒸", "屋沃", "骤酒"]
)
def test_ci_rhymes_where_regulated_verse_does_not(characters: str) -> None:
    first = characters[0]
    for other in characters[1:]:
        assert ci_classes_of(first) & ci_classes_of(other)
        assert not rhymes_of(first) & rhymes_of(other)


@pytest.mark.parametrize("characters", ["东真", "侵真", "覃寒", "东董", "屋月"])
def test_other_classes_of_the_ci_stay_apart(characters: str) -> None:
    assert not ci_classes_of(characters[0]) & ci_classes_of(characters[1])


def test_halved_rhyme_is_in_both_classes() -> None:
    assert ci_classes_of("元") & ci_classes_of("真")
    assert ci_classes_of("元") & ci_classes_of("寒")


def test_neighbours_are_the_level_rhymes_of_a_class() -> None:
    assert neighbours_of("东") & rhymes_of("冬")
    assert not neighbours_of("东") & rhymes_of("阳")
    assert not neighbours_of("董")


@pytest.mark.parametrize(
    ("places", "count"),
    [([], 0), ([0b1], 0), ([0], 1), ([0b11, 0b01, 0b10], 1), ([0b1, 0b10, 0b100], 2), ([1, 1, 0], 1)],
)
def test_places_outside_of_the_commonest_rhyme_are_counted(places: list[int], count: int) -> None:
    assert unmatched(places) == count
