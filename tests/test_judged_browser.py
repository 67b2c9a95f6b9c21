"""Pages that are judged as a whole, in a real Chromium: by keys alone on a desktop, by touch on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from annotations.models import Judgement, Study
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_study, build_user, placements
from tests.browsing import PHONE, needs_browser
from tests.rating_page import FIRST, PASSWORD, SECOND, arrive, expect_saved

pytestmark = needs_browser

Begun = Callable[..., Study]


@pytest.fixture
def people(transactional_db: None) -> tuple[User, User]:
    """Alice, who sits at a desk, and bob, who has a phone."""
    return build_user("alice", password=PASSWORD), build_user("bob", password=PASSWORD)


@pytest.fixture
def begun(people: tuple[User, User]) -> Begun:
    """Return a function that enrols both in a study of a protocol."""

    def begin(protocol: str, size: int, **fields: Any) -> Study:
        study = build_study()
        fields |= {"protocol": protocol, "candidates_per_page": size, "has_best_picks": False}
        Study.objects.filter(pk=study.pk).update(**fields)
        study.refresh_from_db()
        for user in people:
            enrol(study, user)
        return study

    return begin


def stored(user: User, page: int = 1) -> dict[str, tuple[int | None, bool, list[int] | None]]:
    """Return what is stored of a page by criterion: preference, whether both are bad, and places."""
    found = Judgement.objects.filter(enrolment__evaluator=user, page__number=page)
    return {
        key: (preference, both_bad, places)
        for key, preference, both_bad, places in found.values_list(
            "criterion__key", "preference", "both_bad", "places"
        )
    }


def is_accessible(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def fits(page: Page) -> None:
    """A page never needs to be scrolled sideways."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_two_texts_are_compared_by_keys_alone(
    visit: Callable[..., Page], begun: Begun, people: tuple[User, User]
) -> None:
    begun("pairwise", 2)
    page = visit(FIRST, people[0])
    page.keyboard.press("1")
    expect(page.locator("#page-overall")).to_be_focused()
    page.keyboard.press("4")
    expect(page.locator("#answered")).to_have_text("2 of 2 answered")
    expect(page.locator("#none-missing")).to_be_visible()
    expect_saved(page)
    assert stored(people[0]) == {"format": (-1, False, None), "overall": (0, True, None)}
    page.keyboard.press("n")
    arrive(page, SECOND)
    page.keyboard.press("p")
    arrive(page, FIRST)
    expect(page.locator('#page-overall input[value="4"]')).to_be_checked()


def test_two_texts_are_compared_in_five_steps_on_a_phone(
    visit: Callable[..., Page], begun: Begun, people: tuple[User, User]
) -> None:
    begun("pairwise", 2, preference_scale="steps")
    page = visit(FIRST, people[1], PHONE, has_touch=True)
    fits(page)
    page.locator("#page-overall label").filter(has_text="B is a little better").tap()
    expect_saved(page)
    assert stored(people[1]) == {"overall": (1, False, None)}
    box = page.locator("#page-overall label").first.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    is_accessible(page)


def test_texts_are_put_in_order_by_letters_and_taken_out_again(
    visit: Callable[..., Page], begun: Begun, people: tuple[User, User]
) -> None:
    study = begun("ranking", 4)
    page = visit(FIRST, people[0])
    page.keyboard.press("ArrowDown")
    for key in ("c", "a", "Backspace", "b"):
        page.keyboard.press(key)
    expect(page.locator("#page-format .chosen b")).to_have_text(["C", "B"])
    expect(page.locator("#page-format")).to_be_focused()
    # The third choice leaves one text, which has no choice.
    page.keyboard.press("a")
    expect(page.locator("#page-format .chosen b")).to_have_text(["C", "B", "A", "D"])
    expect(page.locator("#page-overall")).to_be_focused()
    expect_saved(page)
    assert stored(people[0]) == {"format": (None, False, [2, 1, 0, 3])}
    expect(page.locator("#answered")).to_have_text("1 of 2 answered")
    page.reload()
    expect(page.locator("#page-format .chosen b")).to_have_text(["C", "B", "A", "D"])
    assert len(placements(study, people[0])) == 4
    is_accessible(page)


def test_texts_are_put_in_order_and_moved_on_a_phone(
    visit: Callable[..., Page], begun: Begun, people: tuple[User, User]
) -> None:
    begun("ranking", 3)
    page = visit(FIRST, people[1], PHONE, has_touch=True)
    row = page.locator("#page-overall")
    for letter in ("B", "A"):
        row.locator(".texts button").filter(has_text=letter).tap()
    expect(row.locator(".chosen b")).to_have_text(["B", "A", "C"])
    row.get_by_label("Move C up").tap()
    expect(row.locator(".chosen b")).to_have_text(["B", "C", "A"])
    expect_saved(page)
    assert stored(people[1]) == {"overall": (None, False, [1, 2, 0])}
    fits(page)


def test_the_best_and_the_worst_are_chosen_by_keys(
    visit: Callable[..., Page], begun: Begun, people: tuple[User, User]
) -> None:
    begun("best_worst", 4)
    page = visit(FIRST, people[0])
    # Nothing is in focus yet: letters, like digits, answer the first question that misses an answer.
    for key in ("d", "b"):
        page.keyboard.press(key)
    expect(page.locator("#page-format .chosen b")).to_have_text(["best: D", "worst: B"])
    expect(page.locator("#page-overall")).to_be_focused()
    expect_saved(page)
    assert stored(people[0]) == {"format": (None, False, [3, 1])}


def test_an_order_waits_for_the_network_and_is_sent_later(
    visit: Callable[..., Page], begun: Begun, people: tuple[User, User]
) -> None:
    begun("best_worst", 3)
    page = visit(FIRST, people[1], PHONE, has_touch=True)
    page.context.set_offline(True)
    row = page.locator("#page-overall")
    row.locator(".texts button").filter(has_text="C").tap()
    expect(row.locator(".unsent")).to_be_visible()
    assert stored(people[1]) == {}
    page.context.set_offline(False)
    row.locator(".texts button").filter(has_text="A").tap()
    expect_saved(page)
    assert stored(people[1]) == {"overall": (None, False, [2, 0])}
