"""The page on which severities and categories of errors are edited a row each."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from annotations.models import Study
from annotations.setup.rubrics import load_rubric
from annotations.setup.study import create_study
from annotations.tests.cast import build_user

URL = "/manage/studies/marked/errors/"


@pytest.fixture
def owner(db: None) -> Client:
    user, client = build_user("dora"), Client()
    create_study(slug="marked", rubric=load_rubric("mqm"), by=user)
    client.force_login(user)
    return client


def fields_of(page: str) -> dict[str, str]:
    """Return what the form of the page would send, as a browser does."""
    form = page[page.index("<form", page.index("<h1")) :]
    sent: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]*>", form):
        found = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if found.get("type") == "checkbox":
            if " checked" in tag:
                sent[found["name"]] = "on"
        elif "name" in found:
            sent[found["name"]] = found.get("value", "")
    return sent


def kinds() -> tuple[list[str], list[str]]:
    study = Study.objects.get()
    return [one.key for one in study.severities.all()], [one.key for one in study.error_categories.all()]


def test_what_is_saved_without_a_change_is_what_there_was(owner: Client) -> None:
    study = Study.objects.get()
    before = list(
        study.error_categories.values("key", "label", "description", "weight", "penalties", "is_missing")
    )
    page = owner.get(URL).content.decode()
    assert f'href="{URL}"' in owner.get("/manage/studies/marked/").content.decode()
    assert f'href="{URL}"' in owner.get("/manage/studies/marked/criteria/").content.decode()
    response = owner.post(URL, fields_of(page))
    assert response.headers["Location"] == "/manage/studies/marked/criteria/"
    names = ("key", "label", "description", "weight", "penalties", "is_missing")
    assert list(study.error_categories.values(*names)) == before


def test_rows_are_added_changed_moved_and_taken_out(owner: Client) -> None:
    severities, categories = kinds()
    last, new = len(categories) - 1, len(categories)
    sent = fields_of(owner.get(URL).content.decode()) | {
        f"severities-{len(severities)}-label_en": "Critical",
        f"severities-{len(severities)}-weight": "10",
        f"categories-{new}-label_en": "Hallucination",
        f"categories-{new}-weight": "2.5",
        f"categories-{last}-DELETE": "on",
        "categories-0-penalty_minor": "0.5",
    }
    assert owner.post(URL, sent).status_code == 302
    study = Study.objects.get()
    assert kinds() == ([*severities, "critical"], [*categories[:-1], "hallucination"])
    first, made = study.error_categories.first(), study.error_categories.get(key="hallucination")
    minor, _major, critical = study.severities.all()
    assert first is not None
    assert (first.penalty(minor), made.penalty(critical)) == (0.5, 25)
    moved = fields_of(owner.get(URL).content.decode()) | {"move": "categories:1:-1"}
    assert owner.post(URL, moved).headers["Location"] == URL
    assert kinds()[1][:2] == [categories[1], categories[0]]
    owner.post(URL, fields_of(owner.get(URL).content.decode()) | {"move": "severities:1:1"})
    assert kinds()[0] == ["minor", "critical", "major"]


def test_penalties_of_a_severity_that_is_taken_out_go_with_it(owner: Client) -> None:
    sent = fields_of(owner.get(URL).content.decode()) | {"severities-0-DELETE": "on"}
    assert owner.post(URL, sent).status_code == 302
    assert kinds()[0] == ["major"]
    penalties = Study.objects.get().error_categories.values_list("penalties", flat=True)
    assert all("minor" not in one for one in penalties)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"severities-0-weight": "-1"}, "greater than or equal to 0"),
        ({"categories-0-label_en": "", "categories-0-label_zh_hans": ""}, "Give it a name, or take it out."),
        ({"categories-1-key": "accuracy"}, "stands twice"),
        ({"categories-1-key": "Big One"}, "Only English letters"),
        ({"categories-1-key": "Big"}, "only small English letters"),
        ({"categories-0-penalty_minor": "1001"}, "less than or equal to 1000"),
        ({f"severities-{place}-DELETE": "on" for place in (0, 1)}, "at least one severity and one category"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_changes(owner: Client, change: dict[str, str], said: str) -> None:
    before = kinds()
    sent = fields_of(owner.get(URL).content.decode())
    response = owner.post(URL, sent | change)
    assert response.status_code == 400
    assert said in response.content.decode()
    assert kinds() == before


def test_after_the_launch_they_are_fixed_and_another_protocol_says_so(owner: Client, carol: User) -> None:
    sent = fields_of(owner.get(URL).content.decode())
    Study.objects.update(state=Study.State.OPEN, launched_at=timezone.now())
    page = owner.get(URL).content.decode()
    assert "Save the kinds of errors" not in page
    assert owner.post(URL, sent).status_code == 400
    Study.objects.update(state=Study.State.DRAFT, launched_at=None, protocol="ratings")
    assert "No errors are marked in this study" in owner.get(URL).content.decode()


def test_the_page_takes_as_many_queries_for_many_categories(
    owner: Client, django_assert_max_num_queries: object
) -> None:
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        owner.get(URL)
