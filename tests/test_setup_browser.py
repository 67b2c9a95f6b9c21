"""A study from nothing to its launch in a real Chromium, by somebody who is no administrator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Permission, User
from playwright.sync_api import FilePayload, Page, expect

from annotations.models import Rating, StaffAct, Study
from annotations.tests.cast import build_user
from tests.browsing import NARROW, needs_browser

pytestmark = needs_browser

LINES = ["山中一夜雨", "江上数峰青", "孤舟随远水", "落日满秋城"]


@pytest.fixture
def alice(transactional_db: None) -> User:
    alice = build_user("alice")
    alice.user_permissions.add(Permission.objects.get(codename="add_study"))
    return alice


def file(content: str, name: str) -> FilePayload:
    return {"name": name, "mimeType": "text/csv", "buffer": content.encode()}


def candidates(prompts: int = 12) -> str:
    rows = [
        f"题{prompt},{method},{LINES[prompt % 4]}{prompt}，{LINES[number]}。"
        for prompt in range(prompts)
        for number, method in enumerate(("human", "jiuge", "mine"))
    ]
    return "\n".join(["prompt,method,text", *rows])


def fits(page: Page) -> None:
    """Check that axe finds nothing, and that nothing hangs over the edge of a narrow screen."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    size = page.viewport_size
    assert size
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url
    page.set_viewport_size(size)


def test_study_is_set_up_and_launched_from_the_browser_alone(visit: Callable[..., Any], alice: User) -> None:
    page: Page = visit("/studies/", alice)
    page.get_by_role("link", name="New study").click()
    page.get_by_label("Title in English").fill("Tang poems")
    page.get_by_label("Name in addresses").fill("tang")
    fits(page)
    page.get_by_role("button", name="Begin the study").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tang poems")
    fits(page)

    page.get_by_role("link", name="Upload the material").click()
    page.get_by_label("File with candidates").set_input_files(
        file("prompt,method,text\n月,human,\n", "bad.csv")
    )
    page.get_by_role("button", name="Upload the candidates").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Columns of the file")
    fits(page)
    page.get_by_role("button", name="Store the candidates").click()
    expect(page.get_by_role("alert")).to_contain_text("The file has problems")
    expect(page.get_by_role("cell", name="is empty")).to_be_visible()
    fits(page)
    page.get_by_role("link", name="Choose another file").click()
    page.get_by_label("File with candidates").set_input_files(file(candidates(), "good.csv"))
    page.get_by_role("button", name="Upload the candidates").click()
    page.get_by_role("button", name="Store the candidates").click()
    expect(page.get_by_text("Every prompt has a text by every method.")).to_be_visible()
    fits(page)

    page.get_by_role("link", name="See the first page").click()
    expect(page.get_by_text("Preview: an evaluator sees this page")).to_be_visible()
    page.get_by_role("radio", name="4").first.check(force=True)
    page.get_by_role("link", name="Next").click()
    expect(page).to_have_url(
        f"{page.url.split('/manage')[0]}/manage/studies/tang/preview/subtasks/1/pages/2/"
    )
    fits(page)
    assert not Rating.objects.exists()

    page.goto("/manage/studies/tang/settings/")
    page.get_by_label("Prompts in a sub-task").fill("6")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("2 sub-tasks")).to_be_visible()
    page.get_by_role("button", name="Sign the material off").click()
    page.get_by_role("link", name="Launch the study").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Launch “Tang poems”?")
    fits(page)
    page.get_by_role("button", name="Launch without a plan").click()
    expect(page.get_by_text("The study is launched.")).to_be_visible()
    expect(page.get_by_role("link", name="Invite evaluators")).to_be_visible()
    fits(page)
    assert Study.objects.get(slug="tang").state == "open"
    assert list(StaffAct.objects.order_by("pk").values_list("act", flat=True)) == [
        "study.created", "study.material", "study.changed", "study.signed_off", "study.launched",
    ]  # fmt: skip


def test_criteria_and_consent_are_written_from_the_browser_alone(
    visit: Callable[..., Any], alice: User
) -> None:
    page: Page = visit("/manage/studies/new/", alice)
    page.get_by_label("Title in English").fill("Tang poems")
    page.get_by_label("Name in addresses").fill("tang")
    page.get_by_role("button", name="Begin the study").click()
    page.get_by_role("link", name="Change the criteria").click()
    fits(page)
    page.get_by_text("Another criterion").first.click()
    another = page.get_by_role("group", name="Another criterion").first
    another.get_by_label("Key").fill("tone")
    another.get_by_label("Name in English").fill("Tone")
    page.get_by_role("button", name="Save the criteria").click()
    expect(page.get_by_text("Overall, Tone")).to_be_visible()

    page.get_by_role("link", name="Change what they agree to").click()
    page.get_by_label("Consent in English").fill("I agree to take part.")
    page.get_by_role("group", name="Question 1").get_by_label("Question in English").fill("Your age")
    fits(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("a text to agree to")).to_be_visible()
    study = Study.objects.get(slug="tang")
    assert study.criteria.last().key == "tone"  # type: ignore[union-attr]
    assert [one["label"] for one in study.questions] == [{"en": "Your age"}]
