"""Answers that could not be sent at once, or at a clock of one's own: none is lost and none goes to another."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, Route, expect

from annotations.models import AnswerChange, Rating, Study
from annotations.questionnaire.saving import Answer, PageAddress, save_answer
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_study, build_user, placements
from evalsite.models import Session
from tests.browsing import needs_browser
from tests.rating_page import FIRST, PASSWORD, SECOND, arrive, expect_saved, is_chosen, point, scores

pytestmark = needs_browser


@pytest.fixture
def alice(transactional_db: None) -> User:
    return build_user("alice", password=PASSWORD)


@pytest.fixture
def study(alice: User) -> Study:
    study = build_study()
    enrol(study, alice)
    return study


@pytest.fixture
def server_out_of_order(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let every save fail until `undo` is called. Requests of a page being left cannot be caught in the browser."""

    def fail(*args: object) -> None:
        raise RuntimeError("out of order for the test")

    monkeypatch.setattr("annotations.questionnaire.turns.saving.save_answer", fail)
    return monkeypatch


def test_what_could_not_be_sent_survives_a_reload(
    visit: Callable[..., Page], study: Study, alice: User, server_out_of_order: pytest.MonkeyPatch
) -> None:
    page = visit(FIRST, alice)
    point(page, "b-format", 2).click()
    point(page, "b-format", 5).click()
    expect(page.locator("#state")).to_have_text("not sent yet: kept on this device, trying again")
    page.reload()
    is_chosen(page, "b-format", 5)
    expect(page.locator("#b-format .unsent")).to_be_visible()
    assert not Rating.objects.exists()
    server_out_of_order.undo()
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect_saved(page)
    expect(page.locator("#b-format .unsent")).to_be_hidden()
    assert scores(study, alice) == {"B format": 5}


def test_an_unsent_answer_is_sent_from_any_page_of_the_study(
    visit: Callable[..., Page], study: Study, alice: User, server_out_of_order: pytest.MonkeyPatch
) -> None:
    page = visit(FIRST, alice)
    point(page, "a-format", 4).click()
    expect(page.locator("#state")).to_contain_text("not sent yet")
    page.goto(SECOND)
    expect(page.locator("#state")).to_contain_text("not sent yet")
    server_out_of_order.undo()
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect_saved(page)
    assert scores(study, alice) == {"A format": 4}


def test_an_answer_given_just_before_leaving_arrives(
    visit: Callable[..., Page], study: Study, alice: User
) -> None:
    page = visit(FIRST, alice)
    page.evaluate("""() => {
        for (const row of ["a-format", "a-overall", "b-format"]) document.querySelector(`#${row} input`).click();
        window.location.assign("/studies/");
    }""")
    arrive(page, "/studies/")
    expect(page.get_by_role("heading", name="Your studies")).to_be_visible()
    page.wait_for_timeout(300)
    assert scores(study, alice) == {"A format": 1, "A overall": 1, "B format": 1}


def test_offline_the_page_stays_open_and_sends_by_itself_when_the_network_is_back(
    visit: Callable[..., Page], study: Study, alice: User
) -> None:
    page = visit(FIRST, alice)
    page.context.set_offline(True)
    point(page, "a-format", 4).click()
    page.get_by_role("button", name="Next").click()
    expect(page.locator("#state")).to_contain_text("not sent yet")
    assert page.url.endswith(FIRST)
    page.context.set_offline(False)
    expect_saved(page)
    assert scores(study, alice) == {"A format": 4}


def test_a_doubled_request_makes_one_row(visit: Callable[..., Page], study: Study, alice: User) -> None:
    page = visit(FIRST, alice)

    def send_twice(route: Route) -> None:
        route.fetch()
        route.fulfill(response=route.fetch())

    page.route("**/answers/", send_twice)
    point(page, "a-overall", 9).click()
    point(page, "a-overall", 8).click()
    expect_saved(page)
    assert Rating.objects.get().score == 8
    assert list(AnswerChange.objects.values_list("score", flat=True).order_by("pk"))[-1] == 8
    assert AnswerChange.objects.count() <= 2


def test_an_answer_given_while_the_study_is_paused_is_sent_when_it_goes_on(
    visit: Callable[..., Page], study: Study, alice: User
) -> None:
    page = visit(FIRST, alice)
    Study.objects.update(state=Study.State.PAUSED)
    point(page, "a-format", 4).click()
    expect(page.locator("#state")).to_have_text("not sent yet: kept on this device, trying again")
    expect(page.get_by_role("alert")).to_contain_text("Your answer is not saved yet")
    page.reload()
    expect(page.locator("#state")).to_have_text("not sent yet: kept on this device, trying again")
    is_chosen(page, "a-format", 4)
    assert not Rating.objects.exists()
    Study.objects.update(state=Study.State.OPEN)
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect_saved(page)
    expect(page.get_by_role("alert")).to_be_hidden()
    assert scores(study, alice) == {"A format": 4}


def test_an_evaluator_who_was_logged_out_loses_nothing(
    visit: Callable[..., Page], study: Study, alice: User
) -> None:
    page = visit(FIRST, alice)
    Session.objects.all().delete()
    point(page, "a-format", 3).click()
    expect(page.locator("#state")).to_have_text("not sent yet: log in again")
    page.get_by_role("link", name="Log in again").click()
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    arrive(page, FIRST)
    expect_saved(page)
    assert scores(study, alice) == {"A format": 3}


def test_a_later_answer_from_another_window_is_shown(
    visit: Callable[..., Page], study: Study, alice: User
) -> None:
    page = visit(FIRST, alice)
    page.context.set_offline(True)
    point(page, "a-format", 2).click()
    expect(page.locator("#state")).to_contain_text("not sent yet")
    order = time.time_ns() // 1_000_000
    save_answer(
        alice, PageAddress("poems", 1, 1), Answer(placements(study, alice)[0].token, order, "format", 5)
    )
    page.context.set_offline(False)
    is_chosen(page, "a-format", 5)
    expect(page.get_by_role("alert")).to_contain_text("A Format: a later answer from another window is kept")
    point(page, "a-format", 1).click()
    expect_saved(page)
    is_chosen(page, "a-format", 1)
    assert Rating.objects.get().score == 1


@pytest.mark.parametrize("years", [-1, 1])
def test_a_device_whose_clock_is_wrong_gives_its_answers_by_the_servers(
    visit: Callable[..., Page], study: Study, alice: User, years: int
) -> None:
    page = visit("/studies/", alice)
    page.add_init_script(f"const wrong = Date.now; Date.now = () => wrong() + {years} * 365 * 86400e3;")
    before = time.time_ns() // 1_000_000
    page.goto(FIRST)
    # Another device answers while this one has the page open.
    place = placements(study, alice)[0]
    save_answer(alice, PageAddress("poems", 1, 1), Answer(place.token, before, "format", 5))
    with page.expect_request("**/answers/") as sent:
        point(page, "a-format", 2).click()
    expect_saved(page)
    order = (sent.value.post_data_json or {})["order"]
    assert before <= order <= time.time_ns() // 1_000_000
    assert scores(study, alice) == {"A format": 2}


def test_a_clock_that_jumps_while_the_page_is_open_does_not_put_answers_behind(
    visit: Callable[..., Page], study: Study, alice: User
) -> None:
    page = visit(FIRST, alice)
    for jump, score in ((-86_400e3, 1), (86_400e3, 2), (-2 * 86_400e3, 3)):
        page.evaluate("jump => { const now = Date.now; Date.now = () => now() + jump; }", jump)
        point(page, "a-format", score).click()
        expect_saved(page)
        assert scores(study, alice) == {"A format": score}
    assert Rating.objects.get().client_order <= time.time_ns() // 1_000_000


def test_an_answer_given_after_another_account_has_logged_in_waits_for_its_own(
    visit: Callable[..., Page], study: Study, alice: User
) -> None:
    bob = build_user("bob", password=PASSWORD)
    enrol(study, bob)
    page = visit(FIRST, alice)
    other_tab = page.context.new_page()
    other_tab.goto("/studies/")
    other_tab.get_by_role("button", name="Log out").click()
    other_tab.goto(FIRST)
    log_in_by_form(other_tab, "bob")
    point(page, "a-format", 3).click()
    expect(page.locator("#state")).to_have_text("not sent yet: log in again")
    expect(page.get_by_role("alert")).to_contain_text("Another account is logged in here now.")
    # Nor does Bob send it from his own page, or see it there.
    point(other_tab, "b-overall", 9).click()
    expect_saved(other_tab)
    expect(other_tab.locator("#a-format input:checked")).to_have_count(0)
    assert (scores(study, alice), scores(study, bob)) == ({}, {"B overall": 9})
    other_tab.goto("/studies/")
    other_tab.get_by_role("button", name="Log out").click()
    other_tab.goto(FIRST)
    log_in_by_form(other_tab, "alice")
    expect_saved(other_tab)
    is_chosen(other_tab, "a-format", 3)
    assert (scores(study, alice), scores(study, bob)) == ({"A format": 3}, {"B overall": 9})


def log_in_by_form(page: Page, name: str) -> None:
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    arrive(page, FIRST)
