"""A checklist in a real Chromium: by keys alone on a desktop, by touch on a phone; reasons beside it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from annotations.models import ChecklistAnswer, Study, WrittenAnswer
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_checklist_study, build_user
from tests.browsing import PHONE, needs_browser
from tests.rating_page import FIRST, PASSWORD, SECOND, arrive, expect_saved
from tests.test_judged_browser import fits, is_accessible

pytestmark = needs_browser


@pytest.fixture
def people(transactional_db: None) -> tuple[User, User]:
    """Alice, who sits at a desk, and bob, who has a phone, in a study with a checklist and reasons."""
    users = build_user("alice", password=PASSWORD), build_user("bob", password=PASSWORD)
    study = build_checklist_study()
    Study.objects.update(reasons="candidate", has_corrections=True)
    for user in users:
        enrol(study, user)
    return users


def answers_of(user: User) -> list[int]:
    found = ChecklistAnswer.objects.filter(enrolment__evaluator=user, item__study__slug="poems")
    return list(found.order_by("pk").values_list("answer", flat=True))


def written_by(user: User) -> list[tuple[str, str]]:
    found = WrittenAnswer.objects.filter(enrolment__evaluator=user).order_by("-client_order")
    return list(found.values_list("kind", "text"))


def test_a_page_is_answered_by_keys_alone_with_a_reason(
    visit: Callable[..., Page], people: tuple[User, User]
) -> None:
    page = visit(FIRST, people[0])
    for key in "123":
        page.keyboard.press(key)
    # The second item always applies, so 3 is none of its answers: the third key answered the prompt's own.
    expect(page.locator("#a-study-1 input[value='1']")).to_be_checked()
    expect(page.locator("#a-study-2 input[value='2']")).to_be_checked()
    expect(page.locator("#a-prompt-1 input[value='3']")).to_be_checked()
    page.keyboard.press("r")
    expect(page.locator("#a-reason")).to_be_focused()
    # Digits and letters are words here.
    page.keyboard.type("1 rhyme, no rain")
    page.keyboard.press("Escape")
    expect(page.locator("#b-study-1")).to_be_focused()
    for key in "111111111":
        page.keyboard.press(key)
    expect(page.locator("#answered")).to_have_text("12 of 12 answered")
    expect_saved(page)
    assert answers_of(people[0]) == [1, 2, 3] + [1] * 9
    assert written_by(people[0]) == [("reason", "1 rhyme, no rain")]
    page.keyboard.press("n")
    arrive(page, SECOND)
    page.keyboard.press("p")
    arrive(page, FIRST)
    expect(page.locator("#a-reason")).to_have_value("1 rhyme, no rain")
    is_accessible(page)


def test_a_page_is_answered_and_a_text_corrected_on_a_phone(
    visit: Callable[..., Page], people: tuple[User, User]
) -> None:
    page = visit(FIRST, people[1], PHONE, has_touch=True)
    fits(page)
    page.locator("#a-study-1 label").filter(has_text="does not apply").tap()
    expect_saved(page)
    box = page.locator("#a-study-1 label").first.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    page.locator("summary").filter(has_text="Correct this text").first.tap()
    page.locator("#a-correction").fill("山中一夜雨。")
    page.locator("#b-study-1 label").first.tap()
    expect_saved(page)
    page.reload()
    expect(page.locator("#a-correction")).to_have_value("山中一夜雨。")
    assert answers_of(people[1]) == [3, 1]
    assert written_by(people[1]) == [("correction", "山中一夜雨。")]
    fits(page)
    is_accessible(page)


def test_what_is_written_while_offline_is_kept_and_sent_later(
    visit: Callable[..., Page], people: tuple[User, User]
) -> None:
    page = visit(FIRST, people[0])
    page.context.set_offline(True)
    page.locator("#a-reason").fill("Kept on this device.")
    page.locator("#b-reason").focus()
    expect(page.locator(".written-field.is-unsent")).to_have_count(1)
    assert written_by(people[0]) == []
    page.context.set_offline(False)
    page.reload()
    expect(page.locator("#a-reason")).to_have_value("Kept on this device.")
    expect_saved(page)
    assert written_by(people[0]) == [("reason", "Kept on this device.")]
