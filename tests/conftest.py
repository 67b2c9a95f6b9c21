"""The browser of the tests that look at pages, and a home for the servers of those that kill some."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from evalsite.tests.cast import clear
from tests.browsing import CHROMIUM, DESKTOP, log_in

# What the browser logs where the network or the site refuses something, as some of the tests have it do.
REFUSED = "Failed to load resource"


@pytest.fixture(scope="session")
def own_home() -> Iterator[Path]:
    """A directory for servers of their own, which the tests of one process share (`worker_site.own_site`)."""
    home = Path(tempfile.mkdtemp(prefix="ev")).resolve()
    home.chmod(0o755)
    yield home
    clear(home / "site")
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Playwright's own loop runs in this thread, and Django would take every query for one inside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def visit(browser: Browser, live_server: Any) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a path in a fresh browser; at the end no error may have been logged."""
    # The first request imports all of the site, which no page should be waited for with.
    Client().get("/")
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def note(message: Any) -> None:
        if message.type in ("error", "warning") and REFUSED not in message.text:
            errors.append(message.text)

    def open_page(path: str, user: User | None = None, size: ViewportSize = DESKTOP, **options: Any) -> Page:
        context = browser.new_context(
            base_url=live_server.url, viewport=size, **{"locale": "en-GB", **options}
        )
        # Two processes of tests may share one slow core.
        context.set_default_timeout(60_000)
        contexts.append(context)
        if user:
            log_in(context, user, live_server.url)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
