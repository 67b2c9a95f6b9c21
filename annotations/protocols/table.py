"""All protocols, by their keys: a study names one of them. Whoever adds one adds a package and a row here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from annotations.protocols.best_worst import BEST_WORST
from annotations.protocols.checklist import CHECKLIST
from annotations.protocols.pairwise import PAIRWISE
from annotations.protocols.ranking import RANKING
from annotations.protocols.ratings import RATINGS
from annotations.protocols.spans import SPANS

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

    from annotations.protocols.protocol import Table

PROTOCOLS: Table = {one.key: one for one in (RATINGS, PAIRWISE, RANKING, BEST_WORST, CHECKLIST, SPANS)}


def protocol_choices() -> list[tuple[str, StrPromise]]:
    """Return the keys of all protocols with their words."""
    return [(key, one.label) for key, one in PROTOCOLS.items()]


def derived_choices() -> list[tuple[str, StrPromise]]:
    """Return what criteria can be reckoned from, with its words."""
    return [choice for one in PROTOCOLS.values() for choice in one.derives.items()]
