from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client

from annotations.models import Criterion, Study
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.mail import write_letter
from annotations.setup.checklist import checklist
from annotations.setup.lifecycle import sign_off
from annotations.setup.rubrics import load_rubric
from annotations.setup.study import change_study
from annotations.tests.test_api_studies import called

CHINESE, ENGLISH = 'value="zh-hans"', 'value="en"'


@pytest.fixture
def draft(study: Study) -> Study:
    study.state = Study.State.DRAFT
    study.save(update_fields=["state"])
    return study


@pytest.fixture
def pages(study: Study, alice: User, client: Client) -> Any:
    """Return what reads the pages of an evaluator as text: of the study, of its first page and of the withdrawal."""
    enrol(study, alice)
    client.force_login(alice)
    paths = ("/studies/poems/", "/studies/poems/subtasks/1/pages/1/", "/studies/poems/withdraw/")
    return lambda **headers: [client.get(path, headers=headers).content.decode() for path in paths]


def test_a_study_offers_all_languages_until_it_is_told_otherwise(study: Study, pages: Any) -> None:
    assert study.interface_languages == ["en", "zh-hans"]
    for page in pages():
        assert CHINESE in page
        assert ENGLISH not in page, "it is the one that is read"


def test_the_switch_of_an_evaluators_pages_offers_the_languages_of_the_study_alone(
    study: Study, pages: Any
) -> None:
    change_study(study, by=None, interface_languages=["zh-hans"])
    for page in pages():
        assert '<html lang="zh-hans">' in page, "the reader's own language is none of them"
        assert CHINESE not in page
        assert ENGLISH not in page


def test_other_pages_stay_in_the_readers_language(study: Study, pages: Any, client: Client) -> None:
    change_study(study, by=None, interface_languages=["zh-hans"])
    pages()
    assert '<html lang="en">' in client.get("/studies/").content.decode()


@pytest.mark.parametrize("languages", [[], ["xx"], ["en", "en"]])
def test_what_is_no_choice_of_languages_is_refused(study: Study, languages: list[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        change_study(study, by=None, interface_languages=languages)
    assert set(refused.value.message_dict) == {"interface_languages"}


def test_page_command_and_api_set_them(study: Study, carol: User, client: Client) -> None:
    call_command("change_study", "poems", "--interface-languages", "zh-hans")
    assert Study.objects.get().interface_languages == ["zh-hans"]
    changed = called(carol, "patch", "studies/poems/", {"interface_languages": ["en"]})
    assert changed.json()["interface_languages"] == ["en"]
    client.force_login(carol)
    form = client.get("/manage/studies/poems/settings/").context["form"]
    sent = {name: value for name, value in form.initial.items() if name in form.fields and value is not None}
    client.post("/manage/studies/poems/settings/", sent | {"interface_languages": ["en", "zh-hans"]})
    assert Study.objects.get().interface_languages == ["en", "zh-hans"]


def test_the_set_up_asks_for_words_in_these_languages_and_keeps_the_others(
    study: Study, carol: User, client: Client
) -> None:
    Study.objects.update(state="draft", interface_languages=["en"])
    client.force_login(carol)
    for path in ("settings", "criteria", "consent"):
        page = client.get(f"/manage/studies/poems/{path}/").content.decode()
        assert "in English" in page
        assert "in Chinese" not in page
    rows = [
        {
            "key": one.key,
            "label_en": "New",
            "minimum": one.minimum,
            "maximum": one.maximum,
            "is_overall": "on",
        }
        for one in Criterion.objects.filter(key="overall")
    ]
    sent = {f"form-0-{name}": value for name, value in rows[0].items()}
    counts = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1"}
    first = Criterion.objects.order_by("number")[0]
    assert client.post("/manage/studies/poems/criteria/", sent | counts).status_code == 302
    assert Criterion.objects.get().label == {"en": "New", "zh-hans": first.label["zh-hans"]}


def test_the_launch_warns_of_words_that_are_missing_in_a_language(
    draft: Study, carol: User, client: Client, capsys: Any
) -> None:
    assert checklist(draft).missing_words == ()
    change_study(
        draft,
        by=None,
        instructions={"zh-hans": ""},
        questions=[
            {"key": "age", "kind": "text", "label": {"zh-hans": "年龄"}, "choices": [], "is_required": False}
        ],
    )
    draft.criteria.filter(key="overall").update(label={"zh-hans": "总体"})
    missing = (
        "Missing in English: question “年龄”, name of “总体”.",
        "Missing in Chinese: instructions.",
    )
    assert checklist(draft).missing_words == missing
    sign_off(draft, by=None)
    client.force_login(carol)
    for path in ("", "launch/"):
        page = client.get(f"/manage/studies/{draft.slug}/{path}").content.decode()
        assert all(words in page for words in missing)
    call_command("launch_study", draft.slug, without_plan=True)
    said = capsys.readouterr().out
    assert all(words in said for words in missing)
    assert Study.objects.get(pk=draft.pk).state == "open", "it is a warning"


def test_the_launch_warns_of_instructions_that_ask_for_ratings_where_texts_are_compared(draft: Study) -> None:
    said = "The instructions ask for ratings, which this study does not: change them."
    ready_made = load_rubric("qa").instructions_without_picks
    change_study(draft, by=None, instructions=ready_made)
    assert said not in checklist(draft).missing_words
    change_study(draft, by=None, protocol="pairwise")
    assert said in checklist(draft).missing_words
    change_study(draft, by=None, instructions={"en": "Say which is better.", "zh-hans": "请说哪个更好。"})
    assert said not in checklist(draft).missing_words


def test_words_of_a_language_that_is_not_offered_are_not_missed(draft: Study) -> None:
    change_study(draft, by=None, instructions={"zh-hans": ""}, interface_languages=["en"])
    assert checklist(draft).missing_words == ()


def test_letters_are_in_the_languages_of_the_study(study: Study) -> None:
    study.interface_languages = ["zh-hans"]
    letter = write_letter("invitation", "dora@example.org", study, {"address": "https://x", "days": 3})
    assert "古题新诗" in letter.body
    assert "Poems on old themes" not in letter.body
    assert "---" not in letter.body


def test_a_refused_answer_is_told_in_the_language_of_its_page(
    study: Study, alice: User, client: Client
) -> None:
    enrol(study, alice)
    client.force_login(alice)
    address = "/studies/poems/subtasks/1/pages/1/answers/"
    said = [
        client.post(address, "{", content_type="application/json", headers=headers).json()["error"]
        for headers in (
            {"accept-language": "zh-hans"},
            {"accept-language": "zh-hans", "content-language": "en"},
            {"accept-language": "zh-hans", "content-language": "xx"},
        )
    ]
    assert said[1].isascii()
    assert not said[0].isascii()
    assert said[2] == said[0]
