"""The editor of criteria: a line each, keys made of names, their order by buttons, files with rubrics up and down."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from annotations.access.roles import give_role
from annotations.models import Study, StudyRole
from annotations.setup.row_forms import Move, key_of
from annotations.setup.rubrics import READY_MADE, load_rubric, read_rubric, rubric_document
from annotations.setup.study import create_study, rubric_of
from annotations.tests.cast import build_user, shown

URL = "/manage/studies/tang/criteria/"


@pytest.fixture
def owner(db: None) -> Client:
    user, client = build_user("dora"), Client()
    create_study(slug="tang", title={"en": "Tang"}, rubric=load_rubric("poem"), by=user)
    client.force_login(user)
    return client


def fields_of(page: str) -> dict[str, str]:
    """Return what the form of the page would send, as a browser does."""
    form = page[page.index("criteria-form") : page.index("<aside")]
    sent = dict(re.findall(r'<input type="(?:hidden|text|number)" name="([^"]+)" value="([^"]*)"', form))
    sent |= dict.fromkeys(re.findall(r'<input type="checkbox" name="([^"]+)"[^>]* checked', form), "on")
    sent |= {
        name: ""
        for name in re.findall(r'<input type="text" name="([^"]+)"(?! value)', form)
        if name not in sent
    }
    return sent


def keys() -> list[str]:
    return list(Study.objects.get(slug="tang").criteria.values_list("key", flat=True))


def test_each_criterion_is_a_line_that_is_opened_alone(owner: Client) -> None:
    page = owner.get(URL).content.decode()
    assert len(re.findall(r'<details class="criterion-row" name="criterion"', page)) == 6
    assert not re.search(r'<details class="criterion-row"[^>]* open', page)
    assert "1. Format" in page
    assert "As evaluators see it" in page


def test_a_criterion_is_moved_by_a_button_and_what_was_typed_is_kept(owner: Client) -> None:
    before = keys()
    sent = fields_of(owner.get(URL).content.decode()) | {"form-0-label_en": "Shape"}
    response = owner.post(URL, sent | {"move": "1:-1"})
    assert response.headers["Location"] == URL
    assert keys() == [before[1], before[0], *before[2:]]
    assert "Shape" in shown(owner, URL)
    owner.post(URL, fields_of(owner.get(URL).content.decode()) | {"move": "0:-1"})
    assert keys()[0] == before[1]


def test_a_key_is_made_of_the_name(owner: Client) -> None:
    sent = fields_of(owner.get(URL).content.decode())
    owner.post(URL, sent | {"form-5-label_en": "Tone of voice", "form-5-minimum": "1", "form-5-maximum": "5"})
    assert keys()[-1] == "tone-of-voice"


@pytest.mark.parametrize(
    ("label", "taken", "key"),
    [
        ({"en": "Tone of voice"}, set(), "tone-of-voice"),
        ({"zh-hans": "声调", "en": "Tone"}, {"tone"}, "tone-2"),
        ({"zh-hans": "声调"}, {"criterion-1"}, "criterion-2"),
        ({"en": "x" * 100}, set(), "x" * 37),
    ],
)
def test_keys_are_letters_and_free(label: dict[str, str], taken: set[str], key: str) -> None:
    from annotations.models.texts_by_language import TextsByLanguage

    assert key_of(TextsByLanguage(label), taken) == key


@pytest.mark.parametrize("value", ["", "a:1", "1:2", "1:-1:1", "111:1"])
def test_only_a_button_moves(value: str) -> None:
    assert Move.sent(value) is None


def test_criteria_come_as_a_file_that_makes_the_same_criteria(owner: Client) -> None:
    response = owner.get(f"{URL}rubric.json")
    assert 'filename="tang-rubric.json"' in response.headers["Content-Disposition"]
    again = read_rubric(response.content, "tang-rubric.json")
    assert again.criteria == rubric_of(Study.objects.get()).criteria == load_rubric("poem").criteria
    other, client = build_user("bea"), Client()
    give_role(Study.objects.get(), other, StudyRole.Role.ANALYST, by=None)
    client.force_login(other)
    assert client.get(f"{URL}rubric.json").status_code == 403


@pytest.mark.parametrize("name", READY_MADE)
def test_every_ready_made_rubric_survives_the_way_out_and_in(name: str) -> None:
    rubric = load_rubric(name)
    assert read_rubric(json.dumps(rubric_document(rubric)).encode(), name) == rubric


def test_there_are_rubrics_for_dialogue_and_for_helpful_and_harmless_replies() -> None:
    assert {"dialogue", "helpful-harmless"} <= set(READY_MADE)
    assert [one.key for one in load_rubric("helpful-harmless").criteria][:3] == [
        "helpfulness",
        "honesty",
        "harmlessness",
    ]
