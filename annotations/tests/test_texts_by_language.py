from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import translation

from annotations.models import Criterion, EvaluatorGroup, Study
from annotations.models.texts_by_language import TextsByLanguage, gathered
from annotations.setup.forms import NewStudyForm
from annotations.setup.study import change_study
from annotations.tests.test_api_studies import called
from annotations.text_forms import TextsForm

TITLES = TextsByLanguage({"zh-hans": "诗", "en": "Poems"})
BEFORE, AFTER = [("annotations", "0020_scales")], [("annotations", "0021_texts_by_language")]


@pytest.mark.parametrize(
    ("reader", "texts", "found", "lang"),
    [
        ("en", TITLES, "Poems", "en"),
        ("zh-hans", TITLES, "诗", "zh-Hans"),
        ("zh-hans", TextsByLanguage({"en": "Poems"}), "Poems", "en"),
        ("en", TextsByLanguage({"zh-hans": "诗"}), "诗", "zh-Hans"),
        ("en-gb", TITLES, "Poems", "en"),
        ("en", TextsByLanguage({"en": ""}), "", ""),
    ],
)
def test_a_reader_gets_their_own_language_or_the_first_that_there_is(
    reader: str, texts: TextsByLanguage, found: str, lang: str
) -> None:
    with translation.override(reader):
        assert (str(texts), texts.lang) == (found, lang)


def test_texts_stand_in_the_order_of_the_languages_and_empty_ones_are_none() -> None:
    assert list(TITLES) == ["en", "zh-hans"]
    assert TITLES.by_lang() == [("en", "Poems"), ("zh-Hans", "诗")]
    assert TITLES.changed_by({"en": ""}) == {"zh-hans": "诗"}


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ({"title_en": "A", "title_zh": "诗"}, {"title": {"en": "A", "zh-hans": "诗"}}),
        ({"title_zh_hans": "诗"}, {"title": {"zh-hans": "诗"}}),
        ({"title": {"en": "A"}, "title_zh": "诗"}, {"title": {"en": "A"}, "title_zh": "诗"}),
        ({"subtitle_en": "A"}, {"subtitle_en": "A"}),
    ],
)
def test_places_of_single_languages_are_put_together(sent: dict[str, Any], found: dict[str, Any]) -> None:
    assert gathered(sent, ["title"]) == found


def test_a_row_takes_plain_data_and_gives_texts_back(study: Study) -> None:
    made = Study(title={"en": "A", "zh-hans": ""})
    assert isinstance(made.title, TextsByLanguage)
    assert made.title == {"en": "A"}
    assert Study.objects.values_list("title__en", flat=True).get() == study.title["en"]
    assert isinstance(Study.objects.only("slug").get().title, TextsByLanguage)


@pytest.mark.parametrize(
    "texts", [{"en": "x" * 201}, {"en": 1}, {"English": "A"}, ["A"], {}], ids=lambda texts: str(texts)[:20]
)
def test_the_database_refuses_what_is_no_title(study: Study, texts: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE annotations_study SET title = %s::jsonb", [json.dumps(texts)])
    assert Study.objects.get().title == study.title


@pytest.mark.parametrize(
    ("model", "name", "longest"),
    [(Criterion, "question", 300), (Criterion, "label", 80), (EvaluatorGroup, "name", 80)],
)
def test_the_database_counts_characters_not_bytes(study: Study, model: Any, name: str, longest: int) -> None:
    EvaluatorGroup.objects.create(study=study, key="experts", name={"en": "Experts"})
    model.objects.update(**{name: {"zh-hans": "诗\n" * (longest // 2)}})
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.update(**{name: {"zh-hans": "诗" * (longest + 1)}})


@pytest.mark.parametrize("texts", [{"xx": "A"}, {"en": 3}, {"en": ""}])
def test_a_study_is_refused_with_a_text_that_is_none(texts: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        Study(slug="new", title=texts).clean_fields()
    assert set(refused.value.message_dict) == {"title"}


def test_a_change_in_one_language_leaves_the_others(study: Study) -> None:
    change_study(study, by=None, title={"en": "New"})
    assert study.title == {"en": "New", "zh-hans": "古题新诗"}


def test_the_api_takes_a_text_as_one_and_by_the_places_of_before(study: Study, carol: Any) -> None:
    assert called(carol, "get", "studies/poems/").json()["title"] == dict(study.title)
    for body in ({"title_zh": "新"}, {"title_zh_hans": "新"}, {"title": {"zh-hans": "新"}}):
        change_study(study, by=None, title={"zh-hans": "旧"})
        assert called(carol, "patch", "studies/poems/", body).json()["title"]["zh-hans"] == "新"
    wrong = called(carol, "patch", "studies/poems/", {"title": {"xx": "A"}})
    assert (wrong.status_code, list(wrong.json()["fields"])) == (400, ["title.xx"])


def test_a_third_language_is_an_entry_of_the_settings(
    study: Study, settings: Any, client: Client, carol: Any
) -> None:
    client.force_login(carol)
    settings.LANGUAGES = [*settings.LANGUAGES, ("ar", "Arabic")]
    assert [name for name in NewStudyForm().fields if name.startswith("title")] == [
        "title_en",
        "title_zh_hans",
        "title_ar",
    ]
    Study.objects.update(interface_languages=["en", "ar"])
    assert 'name="instructions_ar"' in client.get("/manage/studies/poems/settings/").content.decode()
    called(carol, "patch", "studies/poems/", {"title": {"ar": "قصائد"}})
    with translation.override("ar"):
        assert str(Study.objects.get().title) == "قصائد"


def test_a_form_asks_for_some_languages_and_keeps_the_others() -> None:
    form = NewStudyForm(
        {"title_zh_hans": "新", "slug": "new", "rubric": "poem"},
        initial={"title": {"en": "Old"}},
        languages=["zh-hans"],
    )
    assert isinstance(form, TextsForm)
    assert form.is_valid()
    assert form.cleaned_data["title"] == {"en": "Old", "zh-hans": "新"}
    assert "title_en" not in form.fields


def test_the_columns_of_before_become_texts_and_texts_columns_again(without_tables: None) -> None:
    def migrated(to: list[tuple[str, str]]) -> Any:
        executor = MigrationExecutor(connection)
        executor.migrate(to)
        return executor.loader.project_state(to).apps.get_model("annotations", "Study")

    question = {"key": "age", "kind": "text", "choices": [], "is_required": True}
    asked = [question | {"label_en": "Age", "label_zh": ""}, question | {"label_en": "", "label_zh": "专业"}]
    study = migrated(BEFORE).objects.create(
        slug="old", title_en="Old", title_zh="旧", consent_zh="同意", questions=asked
    )
    study.criteria.create(number=0, key="wit", label_zh="机智", low_en="dull")
    found = migrated(AFTER).objects.get()
    assert (found.title, found.consent, found.instructions) == (
        {"en": "Old", "zh-hans": "旧"},
        {"zh-hans": "同意"},
        {},
    )
    assert [one["label"] for one in found.questions] == [{"en": "Age"}, {"zh-hans": "专业"}]
    criterion = found.criteria.get()
    assert (criterion.label, criterion.low, criterion.high) == ({"zh-hans": "机智"}, {"en": "dull"}, {})
    again = migrated(BEFORE).objects.get()
    assert (again.title_en, again.title_zh, again.consent_en, again.consent_zh) == (
        "Old",
        "旧",
        "",
        "同意",
    )
    assert again.questions == asked
    assert (again.criteria.get().label_en, again.criteria.get().label_zh) == ("", "机智")
