from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from generation.texts.normalising import is_chinese, normalise_text, normalise_title, shown_prompt

# What the rules are about, densely, and any other text.
DENSE = (
    "中文诗か \u3000\t\n\r.。,，、:：;；?？!！()（）\"“”'‘’「」『』…⋯-—─12aBＡ１http://www.\u200b\u0301\u3099"
)
TEXTS = st.one_of(
    st.text(alphabet=DENSE, max_size=40),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40),
)
GENRES = st.sampled_from(["poem", "qa"])
WIDENED = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


@given(TEXTS, GENRES)
@example(".…", "qa")
def test_what_is_normal_stays_as_it_is(text: str, genre: str) -> None:
    normal = normalise_text(text, genre)
    assert normalise_text(normal, genre) == normal
    assert unicodedata.is_normalized("NFC", normal)


@given(TEXTS, GENRES)
def test_line_ends_make_no_difference(text: str, genre: str) -> None:
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    normal = normalise_text(plain, genre)
    assert normalise_text(plain.replace("\n", "\r\n"), genre) == normal
    assert normalise_text(plain.replace("\n", "\r"), genre) == normal
    assert normalise_text(plain.replace("\n", "\u2028"), genre) == normal


@given(TEXTS, GENRES)
def test_width_makes_no_difference(text: str, genre: str) -> None:
    assert normalise_text(text.translate(WIDENED), genre) == normalise_text(text, genre)


@given(TEXTS, GENRES)
def test_kind_and_number_of_spaces_make_no_difference(text: str, genre: str) -> None:
    normal = normalise_text(text, genre)
    assert normalise_text(text.replace(" ", "\u3000\u00a0\t"), genre) == normal
    assert normalise_text(text.replace("\n", " \n\n\u3000"), genre) == normal


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("登高　其二", "登高　其二"),
        ("登高 其二", "登高 其二"),
        ("登高\n其二", "登高其二"),
        ("登高 , 其二", "登高，其二"),
    ],
)
def test_a_blank_between_chinese_words_of_a_title_stays(title: str, shown: str) -> None:
    assert shown_prompt(title, "verse") == shown


@given(TEXTS)
def test_a_title_is_one_line_and_stays_as_it_is(text: str) -> None:
    title = normalise_title(text)
    assert "\n" not in title
    assert normalise_title(title) == title


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        # couplets, whatever the lines were
        ("床前明月光,\n疑是地上霜.\n举头望明月,\n低头思故乡.", "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。"),
        ("床前明月光，疑是地上霜。举头望明月，低头思故乡。", "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。"),
        ("何处是归程？\n长亭更短亭。", "何处是归程？长亭更短亭。"),
        # no marks: a line a short sentence
        ("白日依山尽　黄河入海流\n欲穷千里目 更上一层楼", "白日依山尽\n黄河入海流\n欲穷千里目\n更上一层楼"),
        # of unequal length: a line a sentence
        ("平林漠漠烟如织，\n寒山一带伤心碧。\n\n暝色入高楼。", "平林漠漠烟如织，寒山一带伤心碧。\n暝色入高楼。"),
        ("明月“何时有？”\n把酒问青天。", "明月“何时有？”把酒问青天。"),
    ],
)  # fmt: skip
def test_a_chinese_poem_has_a_couplet_or_a_sentence_a_line(given: str, normal: str) -> None:
    assert normalise_text(given, "poem") == normal


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ('他说:"你好,世界!"', "他说：“你好，世界！”"),
        ("「明月」何时有?", "“明月”何时有？"),
        ("价格是1,000元,时间是10:30(大约)", "价格是1,000元，时间是10:30（大约）"),
        ("圆周率是3.14.", "圆周率是3.14."),
        ("使用 GPT 模型 , 很好", "使用GPT模型，很好"),
        ("走了...真的--走了", "走了……真的——走了"),
        ("调用f(x,y)即可", "调用f(x,y)即可"),
        ("见http://a.example/?b=c,谢谢", "见http://a.example/?b=c，谢谢"),
        ("零\u200b宽\ufeff字符", "零宽字符"),
        ("第一段。\n\n\n　　第二段。", "第一段。\n第二段。"),
    ],
)
def test_chinese_prose_has_full_width_marks(given: str, normal: str) -> None:
    assert normalise_text(given, "qa") == normal


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("Hello，world！It’s “fine”。", 'Hello, world! It\'s "fine".'),
        ("The word 月 ,meaning moon,is old.", "The word 月, meaning moon, is old."),
        ("Well … yes -- no（maybe）", "Well ... yes—no(maybe)"),
        ("At 10:30, for 1,000 or 3.14", "At 10:30, for 1,000 or 3.14"),
        ("See http://a.example/?b=c ,please。", "See http://a.example/?b=c, please."),
        ("1. 2?", "1. 2?"),
    ],
)  # fmt: skip
def test_english_prose_has_no_chinese_marks(given: str, normal: str) -> None:
    assert normalise_text(given, "qa") == normal


def test_an_english_poem_keeps_its_lines() -> None:
    assert (
        normalise_text("The moon\r\n  is bright,\n\nand I ，alone", "poem")
        == "The moon\nis bright,\nand I, alone"
    )


def test_letters_and_their_accents_become_one() -> None:
    assert normalise_text("cafe\u0301", "qa") == "café"


def test_traditional_characters_stay() -> None:
    assert normalise_text("舉頭望明月", "poem") == "舉頭望明月"


def test_a_text_without_words_is_as_chinese_as_is_said() -> None:
    assert not is_chinese("1, 2")
    assert is_chinese("1, 2", otherwise=True)
