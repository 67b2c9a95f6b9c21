"""Every page that everybody may see, in a real Chromium, 320 pixels wide: it fits, and axe finds nothing.

Which pages these are is read from the addresses of the site and the table of who may ask for them, so that a new page
is looked at without a word here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.test import Client
from playwright.sync_api import Browser, Page
from playwright.sync_api import Route as Asked

from tests.browsing import NARROW, needs_browser
from tests.permission_world import World
from tests.test_permissions import ROUTES, answer, table, world

# The browser before the world: once its loop runs, the connection to the database is another one.
pytestmark = [*needs_browser, pytest.mark.usefixtures("browser"), pytest.mark.django_db]
__all__ = ["world"]

SITE = "http://testserver"
# As whom the pages are looked at: each as the first of them to whom it is shown.
LOOKERS = ("anonymous",)
# Pages that are not ours: Swagger UI draws it.
DRAWN_BY_OTHERS = {"api_docs"}
FAULTS = """() => {
    const isShown = (one) =>
        one.checkVisibility({opacityProperty: true, visibilityProperty: true}) && !one.closest(".visually-hidden");
    const drawnBySite = (one) => !["hidden", "checkbox", "radio", "range", "file"].includes(one.type);
    const name = (one) => `${one.localName} ${one.getAttribute("name") ?? one.textContent.trim().slice(0, 30)}`;
    const controls = [...document.querySelectorAll("button, select, textarea, input")]
        .filter((one) => isShown(one) && drawnBySite(one));
    const raw = controls.filter((one) => ["inset", "outset"].includes(getComputedStyle(one).borderTopStyle));
    const low = controls.filter((one) => one.getBoundingClientRect().height < 31);
    return [
        ...(document.documentElement.scrollWidth > innerWidth ? ["has to be scrolled sideways"] : []),
        ...(document.querySelectorAll("h1").length === 1 ? [] : ["has not one heading of the first level"]),
        ...raw.map((one) => `${name(one)} is drawn by the browser`),
        ...low.map((one) => `${name(one)} is too low to be pressed`),
    ];
}"""


@dataclass
class Looker:
    """A browser that is given pages as the site answers them in this process; of no request anything stays."""

    page: Page
    response: HttpResponse | None = None

    def faults(self, client: Client, path: str) -> list[str]:
        """Return what is wrong with a page, nothing where it is no page, or a part of one."""
        # Asked for here: in the browser's own context it would be by another connection, which sees nothing.
        self.response = answer(client, "GET", path)
        assert self.response.status_code == HTTPStatus.OK, path
        if not self.response.getvalue().lstrip().startswith(b"<!doctype html>"):
            return []
        self.page.goto(f"{SITE}{path}")
        found = list(self.page.evaluate(FAULTS))
        report = Axe().run(self.page, options={"rules": {"target-size": {"enabled": True}}})
        found += [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in report.response["violations"]]
        return [f"{path} {one}" for one in found]

    def give(self, asked: Asked) -> None:
        path = asked.request.url.removeprefix(SITE)
        if asked.request.resource_type == "document" and self.response is not None:
            headers = {name: value for name, value in self.response.items() if name != "Content-Length"}
            asked.fulfill(status=self.response.status_code, headers=headers, body=self.response.getvalue())
        elif path.startswith("/static/") and (found := finders.find(path.removeprefix("/static/"))):
            asked.fulfill(path=str(found))
        else:
            asked.fulfill(status=HTTPStatus.NO_CONTENT)


@pytest.fixture
def looker(browser: Browser) -> Iterator[Looker]:
    context = browser.new_context(viewport=NARROW, locale="en-GB", has_touch=True)
    context.set_default_timeout(60_000)
    looker = Looker(context.new_page())
    context.route("**/*", looker.give)
    yield looker
    context.close()


def asked_of(visitor: str) -> list[str]:
    """Return the names of the pages that are looked at as one kind of visitor."""
    return [
        name
        for (name, method), row in table().items()
        if method == "GET"
        and name in ROUTES
        and name not in DRAWN_BY_OTHERS
        and not ROUTES[name].template.startswith("api/")
        and next((one for one in LOOKERS if row[one] == "ok"), None) == visitor
    ]


@pytest.mark.parametrize("visitor", LOOKERS)
def test_every_page_fits_and_can_be_used_by_everybody(world: World, looker: Looker, visitor: str) -> None:
    client = world.clients[visitor]
    assert [fault for name in asked_of(visitor) for fault in looker.faults(client, ROUTES[name].path())] == []
