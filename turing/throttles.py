"""How many games a player or an address may begin.

Each has an allowance of so many games, of which one comes back every hour / allowance. The database keeps a single
time of it (`Allowance.used_until`), which one statement reads, compares and moves on, so that requests at once
cannot use the same game. Nothing of an address is stored but a keyed digest, until its allowance is whole again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from turing.models import Allowance

PERIOD = timedelta(hours=1)
# Beyond this share of an allowance rounds are kept, and flagged.
MANY = 0.5

# `part` is the time in which one use comes back, `period` that of the whole allowance.
TAKE = """
INSERT INTO turing_allowance AS allowance (key, used_until) VALUES (%(key)s, clock_timestamp() + %(part)s)
ON CONFLICT (key) DO UPDATE SET used_until = greatest(allowance.used_until, clock_timestamp()) + %(part)s
    WHERE greatest(allowance.used_until, clock_timestamp()) + %(part)s <= clock_timestamp() + %(period)s
RETURNING extract(epoch FROM used_until - clock_timestamp())
"""
USED = "SELECT extract(epoch FROM used_until - clock_timestamp()) FROM turing_allowance WHERE key = %(key)s"


@dataclass(frozen=True)
class Limit:
    """What is limited, and how many of it an hour."""

    name: str
    an_hour: int


class TooMany(Exception):
    """An allowance is used up; `retry_after` says in how many seconds one use will have come back."""

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"used up for {retry_after} s")


def games_of_player() -> Limit:
    return Limit("games of a player", settings.TURING_GAMES_PER_PLAYER)


def games_of_address() -> Limit:
    return Limit("games of an address", settings.TURING_GAMES_PER_ADDRESS)


def take(limit: Limit, who: str) -> float:
    """Use one of somebody's allowance and return the share of it that is used now; raise `TooMany`. One query."""
    if not limit.an_hour:
        return 0.0
    key = salted_hmac("turing.throttles", f"{limit.name}: {who}", algorithm="sha256").hexdigest()
    parameters: dict[str, Any] = {"key": key, "part": PERIOD / limit.an_hour, "period": PERIOD}
    with connection.cursor() as cursor:
        cursor.execute(TAKE, parameters)
        if row := cursor.fetchone():
            return float(row[0]) / PERIOD.total_seconds()
        cursor.execute(USED, parameters)
        used = float(cursor.fetchone()[0]) + (PERIOD / limit.an_hour - PERIOD).total_seconds()
    raise TooMany(max(1, math.ceil(used)))


def forget_whole() -> None:
    """Delete the allowances that are whole again."""
    Allowance.objects.filter(used_until__lt=Now()).delete()
