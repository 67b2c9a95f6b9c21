"""The templates, word for word as the paper's Table 1 has them."""

from __future__ import annotations

import pytest

from generation.decoding.templates import TEMPLATES

REQUEST = {
    "title": "T",
    "author": "A",
    "question": "Q",
    "description": "D",
    "genre": "G",
    "emotion": "E",
    "keywords": "K",
}
# Prompt, inverse prompt and inverse text for the text 'X': Zou et al., Table 1.
TABLE_1 = {
    "qa_zh": ("问题：Q？描述：D 回答：", "“X”回答了问题“", "Q？"),
    "poem_zh": ("标题：T 体裁：诗歌 正文：", "“X”出自", "诗歌《T》"),
    "poem_by_author_en": ("Title: T Genre: Poem Author: A Text:", '"X" is written by', " A."),
    "genre_en": ("Title: T Genre: G Text:", "X is from", " G T"),
    "emotion_en": ("Title: T Emotion: E Text:", "X expresses the emotion", " E"),
    "keywords_en": (
        "Title: T Keywords: K Genre: Research Paper Text:",
        "X studies the research field of",
        " K",
    ),
}


@pytest.mark.parametrize("key", TABLE_1)
def test_template_is_that_of_the_paper(key: str) -> None:
    template = TEMPLATES[key]
    written = (
        template.write_prompt(REQUEST),
        template.write_inverse_prompt(REQUEST, "X"),
        template.write_inverse_text(REQUEST),
    )
    assert written == TABLE_1[key]


@pytest.mark.parametrize("key", TEMPLATES)
def test_every_template_asks_the_inverse_of_what_it_is_told(key: str) -> None:
    template = TEMPLATES[key]
    asked = {name for name in template.fields() if f"{{{name}}}" in template.inverse_text}
    assert asked
    assert all(f"{{{name}}}" in template.prompt for name in asked)


def test_empty_description_leaves_no_trace() -> None:
    assert TEMPLATES["qa_zh"].write_prompt({"question": "Q", "description": ""}) == "问题：Q？回答："
    assert TEMPLATES["qa_en"].write_prompt({"question": "Q", "description": ""}) == "Question: Q? Answer:"


def test_braces_of_a_request_are_only_text() -> None:
    assert TEMPLATES["poem_zh"].write_prompt({"title": "{author}"}) == "标题：{author} 体裁：诗歌 正文："
