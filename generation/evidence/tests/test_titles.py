"""The titles that methods are compared on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from generation.evidence.copies import Corpus
from generation.evidence.titles import held_out_poems, load_titles, titles_in_corpus
from generation.verse.corpus import HAN, Collection, Part, Poem

MODERN = Path(__file__).resolve().parents[3] / "fixtures" / "titles" / "modern.json"
SEEN = "床前明月光，疑是地上霜。举头望明月，低头思故乡。"
NEW = "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。"


def poem(
    title: str, text: str = NEW, part: Part = "held_out", form: str = "五绝", collection: Collection = "tang"
) -> Poem:
    return Poem(collection, part, form, "", title, "", text)


def drawn(*poems: Poem, number: int = 10, seed: int = 1) -> list[str]:
    training = Corpus([SEEN])
    return [poem.title for poem in held_out_poems(poems, training, number, seed)]


def test_held_out_regulated_tang_poem_with_a_telling_title_is_taken() -> None:
    assert drawn(poem("登鹳雀楼")) == ["登鹳雀楼"]


@pytest.mark.parametrize(
    "other",
    [
        poem("登鹳雀楼", part="train"),
        poem("登鹳雀楼", collection="song"),
        poem("登鹳雀楼", form="古体"),
        poem("登楼"),
        poem("与高适薛据同登慈恩寺浮图"),
        poem("宫中行乐词三"),
        poem("享太庙乐章肃和"),
        poem("登鹳雀楼", text="疑是地上霜，举头望明月。欲穷千里目，更上一层楼。"),
    ],
    ids=["train", "song", "old style", "short", "long", "series", "ceremony", "another version"],
)
def test_other_poem_is_not_taken(other: Poem) -> None:
    assert drawn(other) == []


def test_title_of_many_poems_is_not_taken() -> None:
    assert drawn(poem("登鹳雀楼"), poem("登鹳雀楼", part="train")) == ["登鹳雀楼"]
    assert drawn(poem("登鹳雀楼"), *[poem("登鹳雀楼", part="train")] * 2) == []


def test_each_title_is_drawn_once_and_the_seed_says_which() -> None:
    poems = [poem(f"登{character}雀楼") for character in "甲乙丙丁戊己庚辛" for _ in range(2)]
    assert len(set(drawn(*poems, number=5))) == len(drawn(*poems, number=5)) == 5
    assert drawn(*poems, seed=1) == drawn(*poems, seed=1) != drawn(*poems, seed=2)


def test_title_of_the_corpus_is_found_in_titles_and_across_marks() -> None:
    poems = [poem("夜登铁塔有感"), poem("无题", text="高处不胜寒铁，塔下有行人。")]
    assert titles_in_corpus(["登铁塔", "寒铁塔下", "地铁", "感高"], poems) == ["登铁塔", "寒铁塔下"]


def test_modern_titles_are_a_hundred_short_chinese_ones() -> None:
    titles = load_titles(MODERN)
    assert len(titles) == len(set(titles)) == 100
    assert all(re.fullmatch(f"[{HAN}]{{2,8}}", title) for title in titles)
