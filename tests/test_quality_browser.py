"""A study with training, known answers and repeats, in a real Chromium: at a desk by keys, on a phone by touch."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from annotations.models import Enrolment, PageEvent, Placement, Study, TrainingAttempt
from annotations.models import Page as StudyPage
from annotations.models.texts_by_language import TextsByLanguage
from annotations.recruiting.enrolment import enrol
from annotations.setup.lifecycle import launch
from annotations.setup.quality.declaration import Declaration, DeclaredAnswer, DeclaredPage, declare
from annotations.tests.cast import build_study, build_user
from tests.browsing import DESKTOP, PHONE, needs_browser
from tests.rating_page import PASSWORD, arrive, expect_saved

pytestmark = needs_browser
TRAINING = "/studies/poems/training/"


@pytest.fixture
def people(transactional_db: None) -> tuple[User, User]:
    """Alice, who sits at a desk, and bob, who has a phone."""
    return build_user("alice", password=PASSWORD), build_user("bob", password=PASSWORD)


@pytest.fixture
def study(people: tuple[User, User]) -> Study:
    """One training page, six pages that count, one with a known answer, and a repeat; both are enrolled."""
    study = build_study(prompts=8, methods=2)
    Study.objects.filter(pk=study.pk).update(
        state="draft", launched_at=None, signed_off_at="2026-01-01T00:00Z", has_best_picks=False
    )
    study.refresh_from_db()
    explained = TextsByLanguage({"en": "Its lines rhyme.", "zh-hans": "它押韵。"})
    pages = (
        DeclaredPage("1/1", "training", (DeclaredAnswer("method-1", "overall"),), explained),
        DeclaredPage("1/8", "known", (DeclaredAnswer("method-0", "overall"),)),
    )
    rules = {"repeats_per_subtask": 1, "training_share": 1, "training_attempts": 2, "has_flags": True}
    declare(study, Declaration(rules, pages), by=None)
    launch(study, by=None, without_plan=True)
    for user in people:
        enrol(study, user)
    return study


def look(page: Page, name: str) -> None:
    """Keep a picture where somebody asked for them."""
    if os.environ.get("PICTURES"):
        page.screenshot(path=Path(os.environ["PICTURES"]) / f"{name}.png", full_page=True)


def fits(page: Page) -> None:
    """A page never needs to be scrolled sideways, and has nothing that axe finds."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def best_first(user: User, number: int, method: int) -> list[int]:
    """Return the overall scores of the texts of a page in their order, the best for one method's."""
    placed = Placement.objects.filter(
        enrolment__evaluator=user, page__subtask__number=0, page__number=number
    ).order_by("position")
    return [9 if one.candidate.pagecandidate_set.get().study_method.number == method else 3 for one in placed]


def rate_by_keys(page: Page, overall: list[int]) -> None:
    """Rate two texts by format and as a whole, with digits alone."""
    for score in overall:
        page.keyboard.press("3")
        page.keyboard.press(str(score))
    expect(page.locator("#none-missing")).to_be_visible()
    expect_saved(page)


def test_training_is_passed_at_the_second_attempt_by_keys_alone(
    visit: Callable[..., Page], study: Study, people: tuple[User, User]
) -> None:
    alice = people[0]
    page = visit(TRAINING, alice)
    look(page, "training-begin-en")
    page.get_by_role("link", name="Start").focus()
    page.keyboard.press("Enter")
    arrive(page, "/studies/poems/subtasks/0/pages/1/")
    rate_by_keys(page, best_first(alice, 1, 0))
    look(page, "training-page-en")
    page.keyboard.press("n")
    arrive(page, TRAINING)
    page.get_by_role("button", name="See how you did").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("0 of 1 were right; it takes a few more.")).to_be_visible()
    # What is right is told once no attempt is left.
    expect(page.get_by_text("Its lines rhyme.")).to_have_count(0)
    look(page, "training-failed-en")
    fits(page)
    page.get_by_role("link", name="Change your answers").focus()
    page.keyboard.press("Enter")
    arrive(page, "/studies/poems/subtasks/0/pages/1/")
    for row, score in zip(
        page.locator('[data-question$=".overall"]').all(), best_first(alice, 1, 1), strict=True
    ):
        row.focus()
        page.keyboard.press(str(score))
    expect_saved(page)
    page.locator("#next").focus()
    page.keyboard.press("n")
    arrive(page, TRAINING)
    page.get_by_role("button", name="See how you did").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 of 1 were right: you have passed.")).to_be_visible()
    expect(page.get_by_text("Its lines rhyme.")).to_be_visible()
    look(page, "training-passed-en")
    assert list(TrainingAttempt.objects.values_list("is_passed", flat=True)) == [False, True]
    page.get_by_role("link", name="Go to the study").focus()
    page.keyboard.press("Enter")
    arrive(page, "/studies/poems/")
    expect(page.get_by_text("0 of 32 answered")).to_be_visible()


def test_the_whole_study_is_rated_on_a_phone_and_looks_the_same_on_every_page(
    visit: Callable[..., Page], study: Study, people: tuple[User, User]
) -> None:
    bob = people[1]
    Study.objects.filter(pk=study.pk).update(instructions={})
    study.quality_control.training_share = None
    study.quality_control.save()
    carl = build_user("carl", password=PASSWORD)
    enrol(study, carl)
    page = visit("/studies/poems/", carl, PHONE, has_touch=True)
    look(page, "study-phone-en")
    fits(page)
    page.get_by_role("link", name="Start", exact=True).first.tap()
    numbers = StudyPage.objects.filter(subtask__study=study, subtask__number=1).count()
    assert numbers == 8
    for number in range(1, numbers + 1):
        arrive(page, f"/studies/poems/subtasks/1/pages/{number}/")
        assert page.locator(".foot-facts span").first.inner_text().strip() == f"Prompt {number} of {numbers}"
        for row in page.locator("[data-question]").all():
            row.locator('label:has(input[value="4"])').tap()
        expect(page.locator("#none-missing")).to_be_visible()
        expect_saved(page)
        if number == 1:
            look(page, "page-phone-en")
            fits(page)
        page.locator("#next").tap()
    arrive(page, "/studies/poems/")
    expect(page.get_by_text("You have finished. Thank you.")).to_be_visible()
    assert Enrolment.objects.get(evaluator=carl).ratings.count() == 32
    assert bob.pk


def test_leaving_a_page_is_noted_where_the_study_says_so(
    visit: Callable[..., Page], study: Study, people: tuple[User, User]
) -> None:
    study.quality_control.training_share = None
    study.quality_control.save()
    carl = build_user("carl", password=PASSWORD)
    enrol(study, carl)
    page = visit("/studies/poems/subtasks/1/pages/1/", carl)
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
    page.evaluate(hide % "true" + "document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(1300)
    with page.expect_response("**/events/") as response:
        page.evaluate(hide % "false" + "document.dispatchEvent(new Event('visibilitychange'))")
    assert response.value.status == 204
    event = PageEvent.objects.get()
    assert (event.kind, event.enrolment.evaluator) == ("left", carl)
    assert (event.seconds or 0) >= 1


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_it_is_declared_and_watched_in_both_languages(
    visit: Callable[..., Page], study: Study, language: str
) -> None:
    olga = build_user("olga", password=PASSWORD, is_staff=True)
    locale = {"en": "en-GB", "zh-hans": "zh-CN"}[language]
    for size in (DESKTOP, PHONE):
        name = f"{language}-{size['width']}"
        page = visit("/manage/studies/poems/quality/", olga, size, locale=locale)
        look(page, f"quality-fixed-{name}")
        fits(page)
        page.goto(page.url.replace("quality/", "progress/checks/"))
        expect(page.locator("h1")).to_contain_text({"en": "Checks and flags", "zh-hans": "检查"}[language])
        look(page, f"checks-{name}")
        fits(page)
        page.context.close()
    draft = build_study(slug="draft", prompts=3, methods=2)
    Study.objects.filter(pk=draft.pk).update(state="draft", launched_at=None)
    declare(
        draft,
        Declaration({}, (DeclaredPage("1/2", "known", (DeclaredAnswer("method-0"),)),)),
        by=None,
    )
    for size in (DESKTOP, PHONE):
        page = visit("/manage/studies/draft/quality/", olga, size, locale=locale)
        page.locator("details summary").first.click()
        look(page, f"quality-draft-{language}-{size['width']}")
        fits(page)
        page.context.close()
