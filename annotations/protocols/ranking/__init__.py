"""All texts of a page are put in order, the best first.

An answer grows text by text and is whole with the last. The score of a text is the share of the others of its page that
it stands before, from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from annotations.protocols.orders import KEYS, no_number, read_places
from annotations.protocols.protocol import AnswerToPage, Asks, Judged, Judgements, Page, Protocol

if TYPE_CHECKING:
    from stats.scores import Floats


def read(study: Asks, number: int | None, places: Sequence[int] | None, texts: int) -> Judged:
    """Return the order of the texts that were chosen so far."""
    return read_places(number, places, most=texts)


def scores(judgements: Judgements, study: Asks) -> Floats:
    """Return for each place the share of the other texts that its text stands before (N, most)."""
    import numpy as np

    chosen = judgements.places
    found = np.full(chosen.shape, np.nan)
    rows, ranks = np.nonzero(chosen >= 0)
    others = judgements.texts[rows] - 1
    found[rows, chosen[rows, ranks]] = (others - ranks) / others
    return found


def simulated(study: Asks, worth: Sequence[float]) -> Judged:
    """Return the texts from the one that is worth most to the one that is worth least."""
    return Judged(places=tuple(sorted(range(len(worth)), key=lambda place: -worth[place])))


RANKING = Protocol(
    key="ranking",
    label=_("ranking: all texts of a page in order"),
    methods_text=_(
        "Evaluators put the texts of a page in order, for each criterion. The score of a text is the share of the other"
        " texts of its page that it stands before, from 0 to 1."
    ),
    answer=AnswerToPage(
        page=Page(
            template="annotations/questionnaire/_order.html",
            keys=KEYS,
            places=lambda texts: texts,
            hint=_("Choose the texts one after the other, the best first."),
        ),
        read=read,
        number_of=no_number,
        is_whole="cardinality(judgement.places) = {texts}",
        scores=scores,
        simulated=simulated,
    ),
    fewest=2,
    most=12,
)
