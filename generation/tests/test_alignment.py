"""Marks on a text as it is shown fall on the same words of the text as it was written."""

from __future__ import annotations

import time

import pytest

from generation.texts.alignment import aligned, page_text, whole_graphemes
from generation.texts.normalising import shown_text

WRITTEN = [
    ("prose", "text", "One line.\r\n\r\n  Two -- with cafe\u0301 and a\ttab.\r\nEnd"),
    ("verse", "qa", "“Hello”,  she said -- and left...   Then:she came\u200b back.\n\n  The end ."),
    ("verse", "qa", '他说:"你好,世界."  然后离开了...\r\n\r\n　　第二段——结束(真的).'),
    ("verse", "poem", "白日依山尽 黄河入海流 欲穷千里目 更上一层楼"),
    ("verse", "qa", "ＡＢＣ，１２３！The cafe\u0301 -- 咖啡馆 -- is open。"),
    ("none", "text", "a\r\nb\rc"),
    ("prose", "text", "שלום \u202bעולם\u202c נאה"),
]
WORDS = [
    *("she", "came", "Two", "cafe\u0301", "tab", "open", "b", "c"),
    *("世界", "第二段", "结束", "黄河", "欲穷", "咖啡馆", "עולם"),
]


@pytest.mark.parametrize(("rule", "genre", "written"), WRITTEN)
def test_a_marked_word_is_the_same_word_of_the_text_as_it_was_written(
    rule: str, genre: str, written: str
) -> None:
    shown = page_text(shown_text(written, rule, genre))
    alignment = aligned(shown, written)
    assert list(alignment.begins) == sorted(alignment.begins)
    assert list(alignment.ends) == sorted(alignment.ends)
    for word in (
        "she",
        "came",
        "Two",
        "cafe\u0301",
        "tab",
        "世界",
        "第二段",
        "结束",
        "黄河",
        "欲穷",
        "咖啡馆",
        "b",
        "c",
        "עולם",
        "open",
    ):
        plain = shown_text(word, "prose", "text")
        if word in written and plain in shown:
            start = shown.rindex(plain)
            found = alignment.to_written(start, start + len(plain))
            assert written[slice(*found)] == word
            assert alignment.to_shown(*found) == (start, start + len(plain))


@pytest.mark.parametrize(("rule", "genre", "written"), WRITTEN)
def test_every_part_of_a_text_comes_back_at_least_as_wide(rule: str, genre: str, written: str) -> None:
    shown = page_text(shown_text(written, rule, genre))
    alignment = aligned(shown, written)
    for start in range(len(shown)):
        for end in range(start, min(start + 9, len(shown)) + 1):
            first, last = alignment.to_written(start, end)
            assert 0 <= first <= last <= len(written)
            if first < last:
                again = alignment.to_shown(first, last)
                assert again[0] <= start or not shown[start : again[0]].strip()
                assert again[1] >= end or not shown[again[1] : end].strip()
    assert alignment.to_written(len(shown), len(shown)) == (len(written), len(written))


@pytest.mark.parametrize(
    ("text", "part", "whole"),
    [
        ("cafe\u0301!", (3, 4), (3, 5)),
        ("a👩\u200d👩\u200d👧b", (2, 3), (1, 6)),
        ("🇨🇳🇫🇷", (1, 3), (0, 4)),
        ("नमस्ते", (2, 3), (2, 4)),
        ("가각", (1, 2), (1, 2)),
        ("a\r\nb", (1, 2), (1, 3)),
        ("👍🏽", (1, 1), (0, 0)),
        ("ab", (2, 2), (2, 2)),
    ],
)
def test_a_mark_is_widened_to_whole_characters(
    text: str, part: tuple[int, int], whole: tuple[int, int]
) -> None:
    found = whole_graphemes(text, *part)
    assert found[0] <= part[0]
    assert found[1] >= part[1] or part[0] == part[1]
    assert whole_graphemes(text, *found) == found
    if text != "नमस्ते":
        # How far a cluster of Devanagari goes is another matter in newer versions of Unicode.
        assert found == whole


def test_three_thousand_words_are_aligned_while_somebody_waits() -> None:
    written = "The quick “brown” fox -- it jumps over\tthe lazy dog...  \r\n\r\n" * 300
    began = time.process_time()
    shown = page_text(shown_text(written, "verse", "qa"))
    alignment = aligned(shown, written)
    assert time.process_time() - began < 2
    assert written[slice(*alignment.to_written(shown.rindex("lazy"), shown.rindex("lazy") + 4))] == "lazy"
