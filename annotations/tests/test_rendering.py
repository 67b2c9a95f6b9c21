"""Texts stand on a page as the study renders all of them, in their own language and direction."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client

from annotations.models import Study
from annotations.questionnaire.rendering import markdown, rendered
from annotations.setup.material import store_material
from annotations.setup.rubrics import load_rubric
from annotations.setup.study import change_study, create_study
from generation.files.candidates import read_candidates
from generation.texts.languages import guessed_language

FIRST = "/manage/studies/words/preview/subtasks/1/pages/1/"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# A\n\n###### B", '<h3 dir="auto">A</h3>\n<h6 dir="auto">B</h6>\n'),
        ("- a\n- b", '<ul dir="auto">\n<li dir="auto">a</li>\n<li dir="auto">b</li>\n</ul>\n'),
        ("3. c", '<ol start="3" dir="auto">\n<li dir="auto">c</li>\n</ol>\n'),
        ("one\ntwo", '<p dir="auto">one<br>\ntwo</p>\n'),
        ("**b** _i_ ~~s~~ `c`", "<strong>b</strong> <em>i</em> <s>s</s> <code>c</code>"),
        ("```py\nif x:\n\ty -- 1\n```", "<pre><code>if x:\n\ty -- 1\n</code></pre>"),
        ("|a|\n|--:|\n|1|", '<th dir="auto">a</th>'),
        ("std::vector<int> v;", "std::vector&lt;int&gt; v;"),
    ],
)
def test_markdown_becomes_what_it_means(text: str, html: str) -> None:
    assert html in markdown(text)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<a href="https://model.example">maker</a>',
        "<style>* {display: none}</style>",
        "![alt](https://model.example/pixel.png)",
        "[maker](javascript:alert(1))",
        "<https://model.example>",
        "[ref]\n\n[ref]: https://model.example",
    ],
)
def test_html_images_and_links_stay_as_they_were_written(text: str) -> None:
    html = markdown(text)
    assert not re.search(r"<(?!/?(p|br)\b)", html), html
    shown = (
        re.sub(r"</?(p|br)[^>]*>", "", html).replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    )
    assert shown.split() == text.split()


@pytest.mark.parametrize(
    "formula", ["$a_1 * b_2 * c_3$", r"\(x_1\) and \(y_1\)", r"$$\frac{a}{b}\\ c$$", r"\[*a* b\]"]
)
def test_mathematics_stays_as_it_was_written(formula: str) -> None:
    assert markdown(formula) == f'<p dir="auto">{formula}</p>\n'


def test_prices_are_no_mathematics() -> None:
    assert "<em>b</em>" in markdown("It costs $5, *b* or $10.")


def test_code_keeps_every_blank_and_its_first_line() -> None:
    html = rendered("\n  a <b>\n\n\tc", Study(rendering="code"))
    assert html == '<pre class="code" dir="ltr">\n\n  a &lt;b&gt;\n\n\tc</pre>'


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("القمر جميل في هذه الليلة", "ar"),
        ("القمر جميل (GPT-4).\nليلة هادئة: 3 + 4 = 7!\n\nEnglish line.", "ar"),
        ("הירח יפה הלילה", "he"),
        ("今夜は月が綺麗ですね。", "ja"),
        ("आज रात चाँद सुंदर है।", "hi"),
        ("오늘 밤 달이 아름답네요", "ko"),
        ("Сегодня луна красива", "ru"),
        ("床前明月光，疑是地上霜。", "zh"),
        ("The moon is beautiful tonight, he said to her (月が綺麗).", "en"),
    ],
)
def test_language_is_guessed_by_the_script(text: str, tag: str) -> None:
    assert guessed_language([text] * 3) == tag


@pytest.fixture
def draft(alice: User) -> Study:
    return create_study(slug="words", rubric=load_rubric("qa"), by=alice)


def store(study: Study, tmp_path: Path, *texts: str) -> None:
    rows = [{"prompt": "¿Qué?", "method": f"m{number}", "text": text} for number, text in enumerate(texts)]
    (tmp_path / "words.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    store_material(study, read_candidates(tmp_path / "words.jsonl", "qa"), by=None)


def test_page_says_language_and_direction_of_what_is_foreign(
    draft: Study, client: Client, alice: User, tmp_path: Path
) -> None:
    client.force_login(alice)
    store(draft, tmp_path, "القمر جميل (GPT).", "ليلة هادئة.")
    page = client.get(FIRST).content.decode()
    assert page.count('<div class="prose" lang="ar" dir="auto" translate="no">') == 2
    assert '<h1 lang="ar" dir="auto"' in page
    assert "Arabic (ar)" in client.get("/manage/studies/words/material/").content.decode()


def test_language_that_was_chosen_is_not_guessed_again(draft: Study, tmp_path: Path) -> None:
    change_study(draft, by=None, text_language="fa")
    store(draft, tmp_path, "ماه زیباست", "شب آرام است")
    assert Study.objects.get(slug="words").text_language == "fa"


@pytest.mark.parametrize("tag", ["", "english", "en_US", "x", "en;q=1", "123"])
def test_what_is_no_language_tag_is_refused(draft: Study, tag: str) -> None:
    with pytest.raises(ValidationError, match="text_language"):
        change_study(draft, by=None, text_language=tag)


def test_all_texts_of_a_page_are_rendered_alike(
    draft: Study, client: Client, alice: User, tmp_path: Path
) -> None:
    client.force_login(alice)
    store(draft, tmp_path, "# A\n\n**one**", "two <b>x</b>")
    plain = client.get(FIRST).content.decode()
    assert "# A\n\n**one**" in plain
    change_study(draft, by=None, rendering="markdown")
    page = client.get(FIRST)
    assert page.content.decode().count('<div class="markdown">') == 2
    assert "<strong>one</strong>" in page.content.decode()
    assert "&lt;b&gt;x&lt;/b&gt;" in page.content.decode()
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
    change_study(draft, by=None, rendering="code")
    assert client.get(FIRST).content.decode().count('<pre class="code" dir="ltr">') == 2


@pytest.mark.parametrize(("opening", "end"), [("\\(", "\\)"), ("\\[", "\\]"), ("$$", "$$")])
def test_a_formula_is_not_looked_for_over_a_whole_text(opening: str, end: str) -> None:
    assert "<em>" not in markdown(f"{opening} a *b* {end}")
    assert "<em>b</em>" in markdown(f"{opening} {'a' * 3_000} *b* {end}")
