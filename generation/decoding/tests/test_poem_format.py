"""Violations of a poem's form; which poems keep it is known from the handbooks of prosody."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.orders import OrderRefused
from generation.verse.forms import FormatPenalty, PoemForm, find_form

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"

HERON_TOWER = "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。"
REGULAR = {
    "王之涣 登鹳雀楼": ("jueju5", HERON_TOWER),
    "李白 早发白帝城": ("jueju7", "朝辞白帝彩云间，千里江陵一日还。两岸猿声啼不住，轻舟已过万重山。"),
    "张继 枫桥夜泊": ("jueju7", "月落乌啼霜满天，江枫渔火对愁眠。姑苏城外寒山寺，夜半钟声到客船。"),
    "杜牧 泊秦淮": ("jueju7", "烟笼寒水月笼沙，夜泊秦淮近酒家。商女不知亡国恨，隔江犹唱后庭花。"),
    "杜甫 春望": (
        "lushi5",
        "国破山河在，城春草木深。感时花溅泪，恨别鸟惊心。烽火连三月，家书抵万金。白头搔更短，浑欲不胜簪。",
    ),
    "王维 山居秋暝": (
        "lushi5",
        "空山新雨后，天气晚来秋。明月松间照，清泉石上流。竹喧归浣女，莲动下渔舟。随意春芳歇，王孙自可留。",
    ),
    # 遥怜小儿女 and 何时倚虚幌 have 平平仄平仄 in place of 平平平仄仄.
    "杜甫 月夜": (
        "lushi5",
        "今夜鄜州月，闺中只独看。遥怜小儿女，未解忆长安。香雾云鬟湿，清辉玉臂寒。何时倚虚幌，双照泪痕干。",
    ),
    "杜甫 登高": (
        "lushi7",
        "风急天高猿啸哀，渚清沙白鸟飞回。无边落木萧萧下，不尽长江滚滚来。"
        "万里悲秋常作客，百年多病独登台。艰难苦恨繁霜鬓，潦倒新停浊酒杯。",
    ),
}
# The first short sentence ends in the rhyme 文, the others in its neighbour 元.
CLEAR_BRIGHT = "清明时节雨纷纷，路上行人欲断魂。借问酒家何处有，牧童遥指杏花村。"


def penalty(key: str, text: str, *, tune: str = "", heads: str = "") -> FormatPenalty:
    return find_form(key, tune=tune, heads=heads).penalty(sentences(text))


def sentences(text: str) -> list[str]:
    return re.findall("[^，。？！；\n]+", text)


@pytest.mark.parametrize("poem", REGULAR)
def test_regular_poem_of_the_handbooks_has_no_violation(poem: str) -> None:
    assert penalty(*REGULAR[poem]) == FormatPenalty()


def test_first_short_sentence_may_borrow_the_neighbouring_rhyme() -> None:
    assert penalty("jueju7", CLEAR_BRIGHT) == FormatPenalty()
    assert penalty("jueju7", CLEAR_BRIGHT.replace("纷纷", "涟涟")).rhyme == 0
    assert penalty("jueju7", CLEAR_BRIGHT.replace("纷纷", "茫茫")).rhyme == 1


def test_poem_that_does_not_adhere_has_wrong_tones() -> None:
    # 王维 渭城曲 is the handbooks' example of couplets that do not adhere (失粘).
    text = "渭城朝雨浥轻尘，客舍青青柳色新。劝君更尽一杯酒，西出阳关无故人。"
    assert penalty("jueju7", text).tones >= 4


def test_old_style_quatrain_is_told_from_a_regular_one() -> None:
    quiet_night = penalty("jueju5", "床前明月光，疑是地上霜。举头望明月，低头思故乡。")
    assert (quiet_night.length, quiet_night.rhyme, quiet_night.repetition) == (0, 0, 3)
    assert quiet_night.tones > 0
    # 春晓 rhymes on oblique tones.
    assert penalty("jueju5", "春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。").rhyme == 2


def test_shifted_tone_counts_once() -> None:
    assert penalty("jueju5", HERON_TOWER.replace("黄河", "黄水")) == FormatPenalty(tones=1)


def test_first_and_third_characters_are_free() -> None:
    assert penalty("jueju5", HERON_TOWER.replace("白日", "红日").replace("千里", "万里")) == FormatPenalty()


def test_lone_level_tone_and_three_level_endings_are_wrong() -> None:
    # 孤平: 黄 was all that kept 河 company, 入 being oblique; 三平尾: 一 kept 层楼 from being three.
    assert penalty("jueju5", HERON_TOWER.replace("黄河", "白河").replace("白日", "红日")).tones == 1
    assert penalty("jueju5", HERON_TOWER.replace("一层", "高层")).tones == 1


def test_oblique_sentence_with_a_level_end_has_a_wrong_tone() -> None:
    assert penalty("jueju5", HERON_TOWER.replace("目", "烟")) == FormatPenalty(tones=1)


def test_wrong_rhyme_counts_once() -> None:
    assert penalty("jueju5", HERON_TOWER.replace("层楼", "层台")) == FormatPenalty(rhyme=1)


def test_rhyme_on_an_oblique_tone_is_a_wrong_rhyme_and_not_also_a_wrong_tone() -> None:
    assert penalty("jueju5", HERON_TOWER.replace("层楼", "层塔")) == FormatPenalty(rhyme=1)


def test_character_outside_of_the_table_fits_any_tone_and_rhymes_with_nothing() -> None:
    assert penalty("jueju5", HERON_TOWER.replace("黄河", "黄氧")) == FormatPenalty()
    assert penalty("jueju5", HERON_TOWER.replace("层楼", "层氧")) == FormatPenalty(rhyme=1)


def test_missing_and_surplus_characters_count_one_each() -> None:
    assert penalty("jueju5", HERON_TOWER.replace("白日依山尽", "日依山尽")).length == 1
    assert penalty("jueju5", HERON_TOWER.replace("更上一层楼", "更上一层高高楼")).length == 2


def test_short_sentence_too_many_counts_all_its_characters() -> None:
    assert penalty("jueju5", HERON_TOWER + "大漠孤烟直，").length == 5


def test_character_of_an_earlier_short_sentence_is_a_repetition() -> None:
    assert penalty("jueju5", HERON_TOWER.replace("千里", "山里")).repetition == 1


def test_reduplication_within_a_short_sentence_is_free_and_a_third_time_is_not() -> None:
    assert penalty("jueju5", "离离原上草，一岁一枯荣。") == FormatPenalty()
    assert penalty("jueju5", "离离原上离，").repetition == 1


@pytest.mark.parametrize("line", ["萧萧碧水寒，", "碧水处处寒，", "年年碧水寒，", "青草复离离，"])
def test_double_that_verse_has_is_free(line: str) -> None:
    assert penalty("jueju5", line).repetition == 0


@pytest.mark.parametrize("line", ["远望碧山山，", "金画画梭寒，", "云云碧水寒，", "一别水水寒，"])
def test_double_that_verse_has_not_counts(line: str) -> None:
    assert penalty("jueju5", line).repetition == 1


def test_three_of_a_character_in_a_row_count_for_the_double_and_for_the_third() -> None:
    assert penalty("jueju5", "山山山水寒，").repetition == 2
    assert penalty("jueju5", "年年年水寒，").repetition == 1


def test_whole_short_sentence_that_comes_again_counts_twice() -> None:
    assert penalty("jueju5", "白日依山尽，黄河入海流。白日依山尽，").repetition == 10


def test_prose_of_the_same_length_is_far_from_verse() -> None:
    prose = "今天天气很好，我们去了公园，那里有很多花，还有小朋友们。"
    assert penalty("jueju5", prose).total >= 6


def test_beginning_of_a_poem_is_judged_by_what_is_there() -> None:
    assert penalty("jueju7", "月落乌啼霜满天，") == FormatPenalty()
    assert penalty("jueju7", "月落乌啼霜满天，江枫渔火对愁眠。") == FormatPenalty()
    assert penalty("jueju7", "") == FormatPenalty()


CHARACTERS = st.text("白日依山尽黄河入海流欲穷千里目更上一层楼氧中看", min_size=1, max_size=8)


@given(
    written=st.lists(CHARACTERS, max_size=9),
    form=st.sampled_from(
        [
            find_form("jueju5"),
            find_form("lushi5", heads="白日"),
            find_form("lushi7"),
            find_form("ci", tune="西江月"),
            find_form("ci", tune="如梦令"),
        ]
    ),
)
def test_no_count_is_lower_for_a_poem_than_for_its_beginning(written: list[str], form: PoemForm) -> None:
    before = FormatPenalty()
    for end in range(1, len(written) + 1):
        here = form.penalty(written[:end])
        assert here.length >= before.length
        assert here.tones >= before.tones
        assert here.rhyme >= before.rhyme
        assert here.repetition >= before.repetition
        before = here


def test_total_is_the_sum_of_all_violations() -> None:
    assert FormatPenalty(length=1, tones=2, rhyme=3, repetition=4).total == 10


def test_form_says_lengths_marks_and_the_name_that_the_model_knows() -> None:
    form = find_form("lushi7")
    assert form.lengths == (7,) * 8
    assert form.marks == ("，", "。") * 4
    assert [find_form(key).name for key in ("jueju5", "jueju7", "lushi5", "lushi7")] == [
        "五绝",
        "七绝",
        "五律",
        "七律",
    ]


def test_heads_are_simplified_and_may_repeat() -> None:
    assert find_form("jueju5", heads="風風").heads == "风风"
    text = "白日依山尽，白河入海流。"
    assert penalty("jueju5", text).repetition == 1
    assert penalty("jueju5", text, heads="白白").repetition == 0


def test_given_first_character_that_comes_again_elsewhere_is_a_repetition() -> None:
    assert penalty("jueju5", "白日依山尽，黄河入白流。", heads="白黄").repetition == 1


@pytest.mark.parametrize(
    ("key", "tune", "heads", "named"),
    [
        ("haiku", "", "", "form: there is no form 'haiku'"),
        ("", "", "", "form:"),
        ("jueju5", "", "春夏秋冬春", "heads: 5 first characters"),
        ("jueju5", "", "abc", "heads:"),
        ("jueju5", "", "春 夏", "heads:"),
        ("jueju5", "西江月", "", "tune: only a ci"),
        ("ci", "", "", "tune:"),
        ("ci", "西江", "", "西江月"),
    ],
)
def test_order_for_no_form_is_refused_with_the_field(key: str, tune: str, heads: str, named: str) -> None:
    with pytest.raises(OrderRefused, match=named):
        find_form(key, tune=tune, heads=heads)


def test_poems_of_the_tang_keep_the_form_far_better_than_their_shuffled_characters() -> None:
    rng = random.Random(7)
    form = find_form("lushi5")
    rows = [json.loads(line) for line in (FIXTURES / "tang-poets.jsonl").open(encoding="utf-8")]
    poems = [sentences(row["text"]) for row in rows]
    real = [form.penalty(poem) for poem in poems]
    characters = [rng.sample("".join(poem), 40) for poem in poems]
    shuffled = [
        form.penalty(["".join(one[start : start + 5]) for start in range(0, 40, 5)]) for one in characters
    ]
    assert len(real) == 80
    assert sum(one.tones for one in real) < sum(one.tones for one in shuffled) / 2
    assert sum(one.rhyme for one in real) < sum(one.rhyme for one in shuffled) / 4


def test_pauses_are_written_where_the_tune_has_them() -> None:
    # 虞美人: the fourth and the eighth short sentence are of nine characters with a pause after the sixth.
    form = find_form("ci", tune="虞美人")
    sentences = [
        "春花秋月何时了，",
        "往事知多少。",
        "小楼昨夜又东风，",
        "故国不堪回首月明中。",
        "雕阑玉砌应犹在，",
    ]
    text = form.with_pauses(sentences)
    assert text == "春花秋月何时了，往事知多少。小楼昨夜又东风，故国不堪回首、月明中。雕阑玉砌应犹在，"
    assert form.with_pauses([*sentences[:3], "故国不堪回首。"]).endswith("故国不堪回首。"), "another length"
    assert form.with_pauses([*sentences[:3], "故国不堪、回首月明。"]).endswith("不堪、回首月明。")
    assert find_form("jueju5").with_pauses(["白日依山尽，"]) == "白日依山尽，"
