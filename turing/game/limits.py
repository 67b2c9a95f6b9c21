"""How many games a player or an address may begin."""

from __future__ import annotations

from django.conf import settings

from generation.web.quotas import Limit

# Beyond this share of an allowance rounds are kept, and flagged.
MANY = 0.5


def games_of_player() -> Limit:
    return Limit("games of a player", settings.TURING_GAMES_PER_PLAYER)


def games_of_address() -> Limit:
    return Limit("games of an address", settings.TURING_GAMES_PER_ADDRESS)
