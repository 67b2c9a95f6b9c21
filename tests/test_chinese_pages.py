"""No page asked for in Chinese has an English sentence, whoever asks and whatever is wrong with what was sent."""

from __future__ import annotations

from copy import deepcopy

import pytest
from django.db import transaction
from django.test import Client

from tests.chinese_pages import english_on
from tests.permission_world import World
from tests.test_permissions import ROUTES, world

__all__ = ["world"]
# Why the world's study was unblinded, as somebody typed it.
TYPED = "So that the matrix can ask for everything."


def chinese_page(client: Client, method: str, path: str) -> str:
    """Return the page that a request in Chinese gets, or nothing where it gets none; of the request nothing stays."""
    cookies = deepcopy(client.cookies)
    try:
        with transaction.atomic():
            response = client.generic(method, path, headers={"accept-language": "zh-hans"})
            transaction.set_rollback(True)
    finally:
        client.cookies = cookies
    return (
        response.content.decode() if response.headers.get("Content-Type", "").startswith("text/html") else ""
    )


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("visitor", ["anonymous", "player", "evaluator", "owner", "administrator"])
def test_no_page_has_an_english_sentence_in_chinese(world: World, visitor: str, method: str) -> None:
    found = {
        f"{method} {name}: {sentence}"
        for name, route in ROUTES.items()
        if not route.template.startswith("api/v1/")
        for sentence in english_on(
            chinese_page(world.clients[visitor], method, route.path()).replace(TYPED, "")
        )
    }
    assert not found, "\n".join(sorted(found))


def test_the_search_finds_what_is_planted() -> None:
    page = '<html lang="zh-hans"><p>没有 <b>No row was stored.</b></p><p lang="en">A text of a study.</p>'
    assert english_on(f'{page}<input placeholder="Type a title here"></html>') == [
        "No row was stored.",
        "Type a title here",
    ]
