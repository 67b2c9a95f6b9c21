"""Titles that visitors give: traditional characters, variants, and what no model can read."""

from __future__ import annotations

import pytest

from generation.texts.characters import control_characters, simplified, unknown_characters


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("楓橋夜泊", "枫桥夜泊"),
        ("登鸛雀樓", "登鹳雀楼"),
        ("孤峯", "孤峰"),
        ("雞羣", "鸡群"),
        ("櫂歌", "棹歌"),
        ("劒閣", "剑阁"),
        ("乾坤", "乾坤"),
        ("乾燥", "干燥"),
        ("已是简体", "已是简体"),
    ],
)
def test_traditional_characters_and_variants_become_simplified(given: str, expected: str) -> None:
    assert simplified(given) == expected


def test_compatibility_ideographs_and_radicals_become_the_characters_they_stand_for() -> None:
    # U+F9D8 is 律 and U+F914 is 樂 according to the Unicode character database; U+2F00 is the radical 一.
    assert simplified("\uf9d8\uf914\u2f00") == "律乐一"


def test_marks_and_other_scripts_stay_as_they_are() -> None:
    assert simplified("，。！？（Ａ1）《é》") == "，。！？（Ａ1）《é》"


def test_unknown_characters_are_named_in_order_and_once() -> None:
    assert unknown_characters("登埃菲尔铁塔 登埃", set("登铁塔")) == "埃菲尔"


def test_nothing_is_unknown_in_an_empty_text() -> None:
    assert unknown_characters("", set()) == ""


@pytest.mark.parametrize(
    "character", ["\0", "\n", "\t", "\x7f", "\u200b", "\u202e", "\ufeff", "\u2028", "\ud800"]
)
def test_character_that_prints_nothing_is_found(character: str) -> None:
    assert control_characters(f"春{character}晓{character}") == character


def test_text_of_characters_marks_and_spaces_has_no_control_characters() -> None:
    assert control_characters("《春晓》，ab 12　é😀") == ""
