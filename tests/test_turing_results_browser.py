"""The results page in a real Chromium: it brings itself up to date, but never under a hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browsing import needs_browser
from turing.models import PoemPair
from turing.tests.cast import build_pairs
from turing.tests.results_cast import Answered, record
from turing.tests.test_results import simulated

pytestmark = needs_browser


@pytest.fixture
def pairs(transactional_db: None) -> list[PoemPair]:
    pairs = build_pairs(20)
    record(simulated(pairs))
    return pairs


@pytest.fixture
def page(visit: Callable[..., Page], pairs: list[PoemPair]) -> Page:
    """The page as it was opened, with a clock that the test moves on."""
    page = visit("about:blank")
    page.clock.install()
    page.goto("/turing/results/")
    return page


def records(page: Page) -> Any:
    """Return the cell with the number of all records."""
    return (
        page.locator("#live table tr", has=page.get_by_role("rowheader", name="Records", exact=True))
        .locator("td")
        .first
    )


def one_more(pairs: list[PoemPair], player: int) -> None:
    record([Answered(player=player, game=player, number=1, pair=pairs[0], selected=True)])


def test_figures_follow_the_game_without_a_reload(page: Page, pairs: list[PoemPair]) -> None:
    before = int(records(page).inner_text().replace(",", ""))
    one_more(pairs, 1000)
    page.clock.fast_forward(20_000)
    expect(records(page)).to_have_text(f"{before + 1:,}")


def test_figures_stay_while_they_are_in_use(page: Page, pairs: list[PoemPair]) -> None:
    before = records(page).inner_text()
    page.get_by_role("region", name="Table of the figures").focus()
    one_more(pairs, 1000)
    page.clock.fast_forward(40_000)
    page.wait_for_timeout(500)
    assert records(page).inner_text() == before
    page.get_by_role("link", name="JSON").focus()
    page.clock.fast_forward(20_000)
    expect(records(page)).not_to_have_text(before)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_and_nothing_sticks_out(page: Page, scheme: Any, width: int) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
