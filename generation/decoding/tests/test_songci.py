"""Tunes of the ci: what the handbooks say of them, and how they are found in a corpus."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from generation.verse.corpus import Poem
from generation.verse.forms import FormatPenalty, find_form
from generation.verse.songci import Tune, derive_tunes, find_tune, read_tunes, tune_book, write_tunes

# Characters of a tune by the handbooks (词谱).
CHARACTERS = {
    "浣溪沙": 42,
    "菩萨蛮": 44,
    "鹧鸪天": 55,
    "西江月": 50,
    "蝶恋花": 60,
    "如梦令": 33,
    "满江红": 93,
    "水调歌头": 95,
    "念奴娇": 100,
    "沁园春": 114,
    "贺新郎": 116,
    "忆秦娥": 46,
    "卜算子": 44,
    "青玉案": 67,
}


def written(tune: str, text: str) -> FormatPenalty:
    return find_form("ci", tune=tune).penalty(re.findall("[^，。？！；]+", text))


@pytest.mark.parametrize(("name", "characters"), CHARACTERS.items())
def test_tune_has_the_characters_that_the_handbooks_give_it(name: str, characters: int) -> None:
    tune = find_tune(name)
    assert tune is not None
    assert sum(tune.lengths) == characters


def test_every_tune_is_whole() -> None:
    tunes = tune_book().tunes
    assert len(tunes) >= 75
    for tune in tunes.values():
        assert len(tune.lengths) == len(tune.marks) == len(tune.rhymes) == len(tune.tones) == len(tune.pauses)
        assert tuple(len(tones) for tones in tune.tones) == tune.lengths
        assert set(tune.marks) <= {"，", "。"}
        assert tune.marks[-1] == "。"


@pytest.mark.parametrize(
    ("name", "rhymes"),
    [
        ("浣溪沙", "AAA-AA"),
        ("卜算子", "-a-a-a-a"),
        # The rhyme changes with every couplet, between oblique and level.
        ("菩萨蛮", "aaBBccDD"),
        ("虞美人", "aaBBccDD"),
        # One rhyme on level tones, and at the end of each half on an oblique one.
        ("西江月", "-AAa-AAa"),
    ],
)
def test_rhymes_are_where_the_handbooks_have_them(name: str, rhymes: str) -> None:
    tune = find_tune(name)
    assert tune is not None
    assert tune.rhymes == rhymes


@pytest.mark.parametrize("name", ["忆江南", "憶江南", "望江南", " 望江南 ", "江南好"])
def test_tune_is_found_by_its_other_names_and_in_traditional_characters(name: str) -> None:
    tune = find_tune(name)
    assert tune is not None
    assert tune.name == "望江南"


def test_unknown_tune_is_none() -> None:
    assert find_tune("没有这个牌子") is None


def test_well_known_ci_keep_their_tunes() -> None:
    # 李清照, 辛弃疾 and 李煜; the last one was not of the Song and is in no corpus of its ci.
    assert (
        written("如梦令", "昨夜雨疏风骤，浓睡不消残酒。试问卷帘人，却道海棠依旧。知否，知否，应是绿肥红瘦。")
        == FormatPenalty()
    )
    assert (
        written(
            "西江月",
            "明月别枝惊鹊，清风半夜鸣蝉。稻花香里说丰年，听取蛙声一片。七八个星天外，两三点雨山前。旧时茅店社林边，路转溪桥忽见。",
        )
        == FormatPenalty()
    )
    assert (
        written(
            "虞美人",
            "春花秋月何时了，往事知多少。小楼昨夜又东风，故国不堪回首、月明中。"
            "雕栏玉砌应犹在，只是朱颜改。问君能有几多愁，恰似一江春水、向东流。",
        )
        == FormatPenalty()
    )


def test_pause_mark_is_no_character() -> None:
    assert written("虞美人", "春花秋月何时了，往事知多少。小楼昨夜又东风，故国不堪回首月明中。").length == 0
    assert find_form("ci", tune="虞美人").pauses == (0, 0, 0, 6, 0, 0, 0, 6)


def test_wrong_rhyme_and_tone_of_a_ci_are_counted() -> None:
    assert written("如梦令", "昨夜雨疏风骤，浓睡不消残雪。").rhyme == 1
    assert written("如梦令", "昨夜雨疏风骤，浓睡不消残天。").rhyme == 1
    assert written("如梦令", "昨天雨疏风骤，").tones == 1


def test_level_place_does_not_rhyme_with_the_oblique_tone_of_its_class() -> None:
    assert written("西江月", "明月别枝惊鹊，清风半夜鸣蝉。稻花香里说丰见，").rhyme == 1


def test_oblique_tones_that_rhyme_among_themselves_are_wrong_in_level_places() -> None:
    assert written("浣溪沙", "一曲新词酒一斗，去年天气旧亭柳。").rhyme == 2


def test_ci_may_use_a_character_in_two_short_sentences_but_not_in_three() -> None:
    assert written("浣溪沙", "一曲新词酒一杯，去年天气旧亭台。夕阳西下几时回，").repetition == 0
    assert written("浣溪沙", "春水东流不肯回，一春花事尽成灰。").repetition == 0
    assert written("浣溪沙", "春水东流不肯回，一春花事尽成灰。莫将春恨上楼台，").repetition == 1


def test_pair_of_characters_that_comes_again_in_a_ci_is_a_repetition() -> None:
    assert written("浣溪沙", "春水东流不肯回，一江春水尽成灰。").repetition == 1


def test_refrain_is_free_where_the_tune_has_it_and_nowhere_else() -> None:
    assert (
        written("如梦令", "昨夜雨疏风骤，浓睡不消残酒。试问卷帘人，却道海棠依旧。知否，知否，").repetition
        == 0
    )
    # Four characters a second time, three pairs of them, and the whole of four once more.
    assert written("减字木兰花", "春庭月午，摇荡香醪光欲舞。春庭月午，").repetition == 3 + 4


def ci(tune: str, text: str, part: str = "train") -> Poem:
    return Poem("ci", part, "词", tune, "", "", text)  # type: ignore[arg-type]


MADE_UP = [
    ci("甲", "山中有明月，楼高、水自流。人来花落，独上小舟。"),
    ci("甲", "风前无旧梦，江清、人正愁。云开雁去，又见新秋。"),
]


def test_shape_marks_rhymes_tones_and_pauses_are_those_of_the_poems() -> None:
    book = derive_tunes(MADE_UP * 10 + [ci("甲", "一二三，四五六。")] * 5)
    assert book.tunes == {
        "甲": Tune(
            name="甲",
            poems=20,
            lengths=(5, 5, 4, 4),
            marks=("，", "。", "，", "。"),
            rhymes="-A-A",
            tones=("平平中中仄", "平平中仄中", "平平中仄", "仄仄中中"),
            refrains=(),
            pauses=(0, 2, 0, 0),
        )
    }


def test_few_poems_and_those_held_out_make_no_tune() -> None:
    assert not derive_tunes(MADE_UP).tunes
    held_out = [ci("甲", poem.text, "held_out") for poem in MADE_UP * 20]
    assert not derive_tunes(held_out).tunes


def test_double_names_make_aliases_unless_a_name_has_poems_of_another_shape() -> None:
    poems = [ci("甲调", poem.text) for poem in MADE_UP * 10]
    poems += [ci("丙调", MADE_UP[0].text), ci("丁调", "一二三，四五六。")]
    names = ["乙调・甲调", "乙调・戊调", "丙调・甲调", "丁调・甲调", "□□・甲调", "己调"]
    assert derive_tunes(poems, names).aliases == {"乙调": "甲调", "丙调": "甲调", "戊调": "甲调"}


def test_written_tunes_read_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "tunes.json"
    write_tunes(tune_book(), path)
    assert read_tunes(path) == tune_book()
