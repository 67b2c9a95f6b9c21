from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from annotations.data_sheet.sheet import heds_markdown
from annotations.models.texts_by_language import TextsByLanguage, language_codes
from annotations.setup.forms import rubric_choices
from annotations.setup.material import store_material
from annotations.setup.preview import page_as_previewed
from annotations.setup.rubrics import READY_MADE, RubricCriterion, load_rubric
from annotations.setup.study import create_study
from generation.files.candidates import read_candidates
from generation.files.problems import FileRefused

OVERALL = {"key": "overall", "label": {"en": "Overall"}, "maximum": 10, "is_overall": True}
WIT = {"key": "wit", "label": {"zh-hans": "机智"}}
Load = Callable[[Any], list[str]]


@pytest.fixture
def problems(tmp_path: Path) -> Load:
    def load(rubric: Any) -> list[str]:
        path = tmp_path / "mine.json"
        path.write_text(rubric if isinstance(rubric, str) else json.dumps(rubric), encoding="utf-8")
        with pytest.raises(FileRefused) as refused:
            load_rubric(str(path))
        return [line.removeprefix("mine.json").lstrip(",: ，：") for line in refused.value.lines]

    return load


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("poem", ["format", "innovation", "relevance", "aesthetics", "overall"]),
        ("qa", ["fluency", "informativeness", "relevance", "overall"]),
    ],
)
def test_a_ready_made_rubric_has_the_qualities_and_scales_of_the_paper(name: str, keys: list[str]) -> None:
    rubric = load_rubric(name)
    assert rubric.genre == name
    assert [criterion.key for criterion in rubric.criteria] == keys
    assert [criterion.minimum for criterion in rubric.criteria] == [1] * len(keys)
    assert [criterion.maximum for criterion in rubric.criteria] == [5] * (len(keys) - 1) + [10]
    assert [criterion.is_overall for criterion in rubric.criteria] == [False] * (len(keys) - 1) + [True]


@pytest.mark.parametrize(
    ("name", "genre", "keys"),
    [
        ("summary", "summary", ["coherence", "consistency", "fluency", "relevance", "overall"]),
        ("translation", "text", ["adequacy", "fluency", "overall"]),
    ],
)
def test_summaries_and_translations_have_a_rubric(name: str, genre: str, keys: list[str]) -> None:
    rubric = load_rubric(name)
    assert rubric.genre == genre
    assert [criterion.key for criterion in rubric.criteria] == keys
    assert {(criterion.minimum, criterion.maximum) for criterion in rubric.criteria[:-1]} == {(1, 5)}


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Translations: adequacy, fluency, overall"), ("zh-hans", "译文：达意、流畅、总体")],
)
def test_every_ready_made_rubric_is_offered_in_words(language: str, words: str) -> None:
    with translation.override(language):
        choices = dict(rubric_choices())
    assert list(choices) == [*READY_MADE, "file"]
    assert choices["translation"] == words


@pytest.mark.django_db
def test_a_study_of_summaries_is_set_up_by_its_rubric(tmp_path: Path) -> None:
    study = create_study(slug="news", rubric=load_rubric("summary"), by=None)
    path = tmp_path / "news.csv"
    path.write_text("prompt,method,text\nA long report,lead,First. Second.\nA long report,human,All of it.\n")
    store_material(study, read_candidates(path, study.genre), by=None)
    assert not page_as_previewed(study, 1, 1).is_verse
    assert "Summarisation of a text." in heds_markdown(study)


@pytest.mark.parametrize("name", READY_MADE)
def test_a_ready_made_rubric_speaks_both_languages(name: str) -> None:
    rubric = load_rubric(name)
    assert rubric.title.keys() == rubric.instructions.keys() == set(language_codes())
    for criterion in rubric.criteria:
        for field in ("label", "question", "low", "high"):
            english, chinese = getattr(criterion, field).values()
            assert english.isascii()
            assert english
            assert chinese
            assert not chinese.isascii()


def test_what_is_left_out_of_a_rubric_has_a_default(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"genre": "qa", "criteria": [WIT, OVERALL]}), encoding="utf-8-sig")
    rubric = load_rubric(str(path))
    assert rubric.criteria[0] == RubricCriterion(
        key="wit", label=TextsByLanguage({"zh-hans": "机智"}), minimum=1, maximum=5
    )
    assert rubric.instructions == {}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"key": ""}, "criteria[0].key: must be given, and hold only English letters, digits, - and _"),
        ({"key": "a b"}, "criteria[0].key: must be given, and hold only English letters, digits, - and _"),
        ({"key": "k" * 41}, "criteria[0].key: is 41 characters long; at most 40 are allowed"),
        ({"label": {"zh-hans": ""}}, "criteria[0].label: must be given in a language"),
        ({"label": "Wit"}, 'criteria[0].label: must be a text by language, such as {"en": "Wit"}'),
        ({"label": {"en": 3}}, "criteria[0].label.en: must be a text"),
        ({"low_en": "a\x07"}, "criteria[0].low.en: holds a control character"),
        (
            {"question_en": "q" * 301},
            "criteria[0].question.en: is 301 characters long; at most 300 are allowed",
        ),
        ({"minimum": -101}, "criteria[0].minimum: must be a whole number from -100 to 100"),
        ({"minimum": 5}, "criteria[0].minimum: must be below the maximum"),
        ({"maximum": "5"}, "criteria[0].maximum: must be a whole number from -100 to 100"),
        ({"maximum": True}, "criteria[0].maximum: must be a whole number from -100 to 100"),
        ({"maximum": 101}, "criteria[0].maximum: must be a whole number from -100 to 100"),
        ({"is_overall": "no"}, "criteria[0].is_overall: must be true or false"),
        ({"lower_is_better": 1}, "criteria[0].lower_is_better: must be true or false"),
        ({"is_overall": True}, "criteria: at most one criterion can have is_overall set to true, not 2"),
    ],
)
def test_a_wrong_criterion_is_named_with_its_path(
    problems: Load, change: dict[str, Any], problem: str
) -> None:
    assert problems({"genre": "poem", "criteria": [WIT | change, OVERALL]}) == [problem]


@pytest.mark.parametrize(
    ("rubric", "problem"),
    [
        ({"genre": "prose", "criteria": [OVERALL]}, "genre: must be one of poem, qa, summary, text"),
        ({"genre": ["poem"], "criteria": [OVERALL]}, "genre: must be one of poem, qa, summary, text"),
        ({"genre": "qa", "criteria": []}, "criteria: must be a list of 1 to 20 criteria"),
        ({"genre": "qa"}, "criteria: must be a list of 1 to 20 criteria"),
        ({"genre": "qa", "criteria": [WIT, WIT, OVERALL]}, "criteria[1].key: 'wit' stands twice"),
        ({"genre": "qa", "criteria": ["wit", OVERALL]}, "criteria[0]: must be a JSON object"),
        ([1], "must be a JSON object with genre and criteria"),
        ('{"genre": "qa",\n "criteria": }', "line 2, column 14: is not JSON: Expecting value"),
    ],
)
def test_a_wrong_rubric_is_refused(problems: Load, rubric: Any, problem: str) -> None:
    assert problems(rubric) == [problem]


@pytest.mark.parametrize(
    ("rubric", "problem"),
    [
        ({"genre": "qa"}, "criteria：必须是 1 至 20 个评分项的列表"),
        ({"genre": "qa", "criteria": [WIT, WIT, OVERALL]}, "criteria[1].key：'wit' 出现了两次"),
        ({"genre": "qa", "criteria": [WIT | {"minimum": 5}, OVERALL]}, "criteria[0].minimum：必须低于最高分"),
        ('{"genre": "qa",\n "criteria": }', "第 2 行，第 14 列：不是 JSON：此处缺少一个值"),
    ],
)
def test_a_wrong_rubric_is_refused_in_the_reader_s_language(
    problems: Load, rubric: Any, problem: str
) -> None:
    with translation.override("zh-hans"):
        assert problems(rubric) == [problem]


def test_all_problems_are_listed(problems: Load) -> None:
    wrong = {"genre": "qa", "criterion": 1, "criteria": [WIT | {"maximum": 101, "weight": 2}]}
    names = "key, label, question, low, high"
    assert problems(wrong) == [
        "'criterion': is none of genre, criteria, title, instructions, instructions_without_picks,"
        " protocol, severities, error_categories",
        f"criteria[0].'weight': is none of {names}, minimum, maximum, is_overall, lower_is_better,"
        " rates_turns, is_slider, derived",
        "criteria[0].maximum: must be a whole number from -100 to 100",
    ]


def test_a_name_that_is_no_rubric_and_no_file_is_refused() -> None:
    with pytest.raises(FileRefused, match=r"poems\.json: cannot be read"):
        load_rubric("poems.json")
