"""The address of a visitor cannot be chosen by the visitor, behind however many proxies."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory

from generation.web.addresses import address_of

PROXY = "10.0.0.1"


@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (0, None, PROXY),
        (0, "192.0.2.66", PROXY),
        (1, "192.0.2.7", "192.0.2.7"),
        (1, "192.0.2.66, 192.0.2.7", "192.0.2.7"),
        (1, "192.0.2.66, unknown", PROXY),
        (1, "", PROXY),
        (1, None, PROXY),
        (2, "192.0.2.7, 10.0.0.2", "192.0.2.7"),
        (2, "192.0.2.66,192.0.2.7,10.0.0.2", "192.0.2.7"),
        (2, "192.0.2.66", PROXY),
        (1, "2001:DB8::7", "2001:db8::7"),
        (1, "[2001:db8::7]:443", "2001:db8::7"),
        (1, "192.0.2.7:1234", "192.0.2.7"),
        (1, "192.0.2.7\x00", PROXY),
    ],
)
def test_address_is_the_entry_that_the_first_proxy_wrote(
    settings: Any, proxies: int, header: str | None, address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    sent: dict[str, Any] = {} if header is None else {"HTTP_X_FORWARDED_FOR": header}
    assert address_of(RequestFactory().get("/", REMOTE_ADDR=PROXY, **sent)) == address


def test_wrong_passwords_of_one_client_lock_nobody_else_out_behind_a_proxy(db: None, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    User.objects.create_user("carol", password="a long password")
    client = Client(REMOTE_ADDR=PROXY)

    def status(password: str, sent_header: str) -> int:
        sent = {"username": "carol", "password": password}
        return client.post("/accounts/login/", sent, headers={"X-Forwarded-For": sent_header}).status_code

    # The forged part differs each time; what the proxy wrote does not.
    assert [status("wrong", f"192.0.2.{number}, 203.0.113.5") for number in range(7)][-1] == 429
    assert status("a long password", "203.0.113.5") == 429
    assert status("a long password", "203.0.113.6") == 302
