"""Those who run a study see its pages as evaluators will, and nothing of it is saved."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotations.models import PageCandidate, Placement, Rating, Study, StudyRole
from annotations.setup.preview import page_as_previewed
from annotations.tests.cast import build_study, shown

FIRST = "/manage/studies/poems/preview/subtasks/1/pages/1/"


@pytest.fixture
def owner(client: Client, alice: User, study: Study) -> Client:
    StudyRole.objects.create(study=study, user=alice, role="owner")
    client.force_login(alice)
    return client


def test_preview_is_the_page_that_evaluators_rate(owner: Client, study: Study) -> None:
    page = shown(owner, FIRST)
    assert "Preview: an evaluator sees this page" in page
    for words in (
        "poems 古题 1",
        "Does the poem keep to a form?",
        "Which poem is the best?",
        "Prompt 1 of 2",
    ):
        assert words in page
    texts = PageCandidate.objects.filter(page__number=1).values_list("candidate__text", flat=True)
    for text in texts:
        assert text.splitlines()[0] in page
    assert page.count('type="radio"') == 4 * (5 + 10) + 4


def test_preview_leads_from_page_to_page_and_back(owner: Client) -> None:
    second = FIRST.replace("pages/1", "pages/2")
    assert f'id="next" href="{second}"' in shown(owner, FIRST)
    page = shown(owner, second)
    assert f'id="back" href="{FIRST}"' in page
    assert 'id="next" href="/manage/studies/poems/preview/"' in page
    front = shown(owner, "/manage/studies/poems/preview/")
    assert "Read the four poems, rate each of them" in front
    assert f'href="{FIRST}"' in front


def test_nothing_of_a_preview_is_saved(owner: Client) -> None:
    page = owner.get(FIRST).content.decode()
    form = page[page.index("<form method", page.index("<main")) :]
    assert form.startswith('<form method="get"')
    assert "page.js" not in page, "nothing is sent while one chooses"
    assert owner.post(FIRST, {"A.overall": "3"}).status_code == 405
    assert not Rating.objects.exists()
    assert not Placement.objects.exists()


def test_preview_names_no_method_and_no_candidate(owner: Client, study: Study) -> None:
    page = owner.get(FIRST).content.decode()
    assert "method-" not in page
    assert "Method " not in page
    names = set(re.findall(r'type="radio" name="([^"]+)"', page))
    assert names == {f"{letter}.{key}" for letter in "ABCD" for key in ("format", "overall")} | {"best"}


@pytest.mark.django_db
def test_texts_stand_in_a_drawn_order(django_assert_num_queries: Any) -> None:
    study = build_study(prompts=60, pages_per_subtask=60)
    method_of = dict(PageCandidate.objects.values_list("candidate__text", "study_method__number"))
    firsts = []
    for number in range(1, 61):
        with django_assert_num_queries(3):
            rating_page = page_as_previewed(study, 1, number)
        again = page_as_previewed(study, 1, number)
        assert [card.lines for card in again.cards] == [card.lines for card in rating_page.cards]
        firsts.append(method_of["\n".join(rating_page.cards[0].lines)])
    assert all(firsts.count(method) >= 5 for method in range(4)), firsts


@pytest.mark.parametrize("address", ["subtasks/1/pages/9/", "subtasks/9/pages/1/", "subtasks/0/pages/0/"])
def test_page_that_is_not_there_is_not_found(owner: Client, address: str) -> None:
    assert owner.get(f"/manage/studies/poems/preview/{address}").status_code == 404


def test_preview_is_for_those_who_run_the_study(study: Study, client: Client, bob: User) -> None:
    client.force_login(bob)
    assert client.get(FIRST).status_code == 404
    StudyRole.objects.create(study=study, user=bob, role="analyst")
    assert client.get(FIRST).status_code == 403


def test_draft_without_material_has_words_alone(owner: Client, study: Study) -> None:
    Study.objects.create(slug="bare", title={"en": "Bare"}, state="draft")
    StudyRole.objects.create(
        study=Study.objects.get(slug="bare"), user=User.objects.get(username="alice"), role="owner"
    )
    assert "There are no pages yet" in shown(owner, "/manage/studies/bare/preview/")


def test_the_words_of_an_english_study_are_previewed_in_english_by_a_chinese_reader(
    owner: Client, study: Study
) -> None:
    words = {"en": "Read every poem.", "zh-hans": "请读每首诗。"}
    Study.objects.filter(pk=study.pk).update(
        interface_languages=["en"], instructions=words, consent={"en": "I agree.", "zh-hans": "我同意。"}
    )
    page = owner.get(
        "/manage/studies/poems/preview/", headers={"accept-language": "zh-hans"}
    ).content.decode()
    assert '<html lang="zh-hans">' in page
    assert '<div class="words" lang="en" dir="auto"><p>Read every poem.</p>' in page
    assert "请读每首诗。" not in page
    assert "我同意。" not in page
