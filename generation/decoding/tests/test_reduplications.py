"""Which characters verse doubles."""

from __future__ import annotations

from generation.verse.corpus import Part, Poem
from generation.verse.reduplications import derive_reduplications


def poem(text: str, part: Part = "train") -> Poem:
    return Poem("tang", part, "五绝", "", "题", "", text)


def test_character_is_doubled_often_enough_in_number_and_in_share() -> None:
    poems = [poem("萧萧风雨夜，")] * 20 + [poem("山山落叶飞，")] * 20 + [poem("日日春江上，")] * 19
    # A 山 that is not doubled stands in 4,000 more places.
    poems += [poem("千山暮雪深，")] * 4000
    assert derive_reduplications(poems) == "萧"


def test_only_the_training_part_is_looked_at() -> None:
    assert derive_reduplications([poem("萧萧风雨夜，", "held_out")] * 30) == ""
