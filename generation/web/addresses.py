"""From which address a visitor comes: for the brake on wrong passwords, for allowances and for logs alike."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request


def address_of(request: HttpRequest | Request) -> str:
    """Return the address of whoever sent a request; empty where the server does not know it."""
    return address_in(request.META)


def address_in(environ: Mapping[str, Any]) -> str:
    """Return the address of whoever sent a request, from its WSGI environment.

    Behind `TRUSTED_PROXIES` = n proxies, each of which adds whom it heard from at the end of X-Forwarded-For, that is
    the n-th entry from the right: what stands left of it the visitor may have written. Where the header is shorter,
    the request came past the proxies, and only the connection itself can be believed.
    """
    connected: str = environ.get("REMOTE_ADDR", "")
    proxies: int = settings.TRUSTED_PROXIES
    if not proxies:
        return connected
    entries = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if len(entries) < proxies:
        return connected
    return parsed(entries[-proxies]) or connected


def parsed(entry: str) -> str:
    """Return the address in an entry of X-Forwarded-For, to which some proxies add the port; empty where it is none.

    >>> parsed(" 192.0.2.7:1234"), parsed("[2001:DB8::7]:443"), parsed("2001:db8::7"), parsed("unknown")
    ('192.0.2.7', '2001:db8::7', '2001:db8::7', '')
    """
    text = entry.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""
