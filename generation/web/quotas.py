"""How much of something one visitor or one address may use.

Each has an allowance of so many uses, of which one comes back every hour / allowance. The database keeps a single
time of it (`Allowance.used_until`), which one statement reads, compares and moves on, so that requests at once
cannot have the same use. Nothing of an address is stored but a keyed digest, until its allowance is whole again.
"""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.db import connection
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext

from generation.models import Allowance
from generation.refusals import Refused

PERIOD = timedelta(hours=1)
# An IPv6 address is one of so many that a household has, which are told apart by what comes after these bits.
NETWORK_BITS = 64

# `part` is the time in which one use comes back, `period` that of the whole allowance.
TAKE = """
INSERT INTO generation_allowance AS allowance (key, used_until) VALUES (%(key)s, clock_timestamp() + %(part)s)
ON CONFLICT (key) DO UPDATE SET used_until = greatest(allowance.used_until, clock_timestamp()) + %(part)s
    WHERE greatest(allowance.used_until, clock_timestamp()) + %(part)s <= clock_timestamp() + %(period)s
RETURNING extract(epoch FROM used_until - clock_timestamp())
"""
USED = (
    "SELECT extract(epoch FROM used_until - clock_timestamp()) FROM generation_allowance WHERE key = %(key)s"
)


@dataclass(frozen=True)
class Limit:
    """What is limited, and how many of it an hour; 0 is no limit."""

    name: str
    an_hour: int


class TooMany(Refused):
    """An allowance is used up; `retry_after` says in how many seconds one use will have come back."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    retry_after: int

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        minutes = -(-retry_after // 60)
        said = ngettext(
            "This has been asked for very often from here. Try again in %(minutes)d minute.",
            "This has been asked for very often from here. Try again in %(minutes)d minutes.",
            minutes,
        )
        super().__init__(said % {"minutes": minutes})


def take(limit: Limit, who: str) -> float:
    """Use one of somebody's allowance and return the share of it that is used now; raise `TooMany`. One query.

    In a transaction the use is undone with it, and others of the same allowance wait for its end.
    """
    if not limit.an_hour:
        return 0.0
    parameters: dict[str, Any] = {
        "key": digest_of(limit.name, who),
        "part": PERIOD / limit.an_hour,
        "period": PERIOD,
    }
    with connection.cursor() as cursor:
        cursor.execute(TAKE, parameters)
        if row := cursor.fetchone():
            return float(row[0]) / PERIOD.total_seconds()
        cursor.execute(USED, parameters)
        used = float(cursor.fetchone()[0]) + (PERIOD / limit.an_hour - PERIOD).total_seconds()
    raise TooMany(max(1, math.ceil(used)))


def digest_of(use: str, who: str) -> str:
    """Return by what somebody's use of something is known in the database, which names nobody."""
    return salted_hmac("generation.quotas", f"{use}: {who}", algorithm="sha256").hexdigest()


def network_of(address: str) -> str:
    """Return what of an address stands for whoever uses it: all of IPv4, of IPv6 the network.

    >>> network_of("192.0.2.7"), network_of("2001:db8:1:2:3:4:5:6"), network_of("::ffff:192.0.2.7"), network_of("None")
    ('192.0.2.7', '2001:db8:1:2::/64', '192.0.2.7', 'None')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, NETWORK_BITS), strict=False))


def forget_whole() -> None:
    """Delete the allowances that are whole again."""
    Allowance.objects.filter(used_until__lt=Now()).delete()
