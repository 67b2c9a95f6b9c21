from __future__ import annotations

from generation.compose.typesetting import Line, breaches, form_of, lines_of
from generation.verse.forms import PoemForm, find_form


def shown(lines: list[Line]) -> list[str]:
    """Return lines with what is given in parentheses."""
    return ["".join(f"({one.text})" if one.kind == "head" else one.text for one in line) for line in lines]


def form(key: str, **options: str) -> PoemForm:
    found = form_of({"form": key, **options})
    assert found is not None
    return found


def test_a_poem_that_is_not_begun_is_all_boxes() -> None:
    assert shown(lines_of("", "poem", form("jueju5"))) == ["□□□□□，□□□□□。"] * 2


def test_boxes_are_filled_sentence_by_sentence() -> None:
    half = lines_of("白日依山尽，黄河入海流。欲穷千里目，", "poem", form("jueju5"))
    assert shown(half) == ["白日依山尽，黄河入海流。", "欲穷千里目，□□□□□。"]
    assert [[piece.kind for piece in line] for line in half] == [["written"], ["written", "unwritten"]]


def test_a_ci_is_set_by_its_full_stops_from_the_first_sentence_to_the_last() -> None:
    tune = form("ci", tune="如梦令")
    blank = ["□□□□□□。", "□□□□□□。", "□□□□□，□□□□□□。", "□□。", "□□。", "□□□□□□。"]
    assert shown(lines_of("", "poem", tune)) == blank
    two = lines_of("常记溪亭日暮。沉醉不知归路。", "poem", tune)
    assert shown(two) == ["常记溪亭日暮。", "沉醉不知归路。", *blank[2:]]


def test_given_first_characters_stand_there_from_the_beginning() -> None:
    acrostic = form("jueju5", heads="春夜")
    assert shown(lines_of("", "poem", acrostic)) == ["(春)□□□□，(夜)□□□□。", "□□□□□，□□□□□。"]
    assert shown(lines_of("春眠不觉晓，", "poem", acrostic))[0] == "(春)眠不觉晓，(夜)□□□□。"


def test_more_sentences_than_the_form_has_are_shown_all_the_same() -> None:
    text = "一，二。三，四。五，六。"
    assert shown(lines_of(text, "poem", form("jueju5")))[-1] == "五，六。"


def test_a_free_poem_has_room_for_four_lines_and_an_answer_none_to_spare() -> None:
    assert shown(lines_of("白日依山尽，黄河入海流。", "poem", None)) == [
        "白日依山尽，黄河入海流。",
        "",
        "",
        "",
    ]
    assert shown(lines_of("It is so. And more", "qa", None)) == ["It is so. And more"]


def test_only_forms_of_chinese_verse_are_forms() -> None:
    assert form_of({}) is None
    assert form_of({"form": "free"}) is None
    assert form_of({"form": "lushi7"}) == find_form("lushi7")


def test_breaches_are_counted_without_marks_and_line_ends() -> None:
    # 王之涣, 登鹳雀楼: 流 and 楼 rhyme, all tones are right, and no character comes twice.
    poem = "白日依山尽，黄河入海流。\n欲穷千里目，更上一层楼。"
    assert breaches(poem, form("jueju5")).total == 0
    assert breaches(poem.replace("楼", "山"), form("jueju5")).repetition == 1
    assert breaches(poem.replace("层楼", "楼"), form("jueju5")).length == 1
