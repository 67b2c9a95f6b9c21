"""Of the texts of a page the best is chosen, then the worst.

The score of a text is 1 for the best, 0 for the worst and one half for the others, so that the mean of a method is
(best - worst) / shown on a scale from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from annotations.protocols.orders import KEYS, no_number, read_places
from annotations.protocols.protocol import AnswerToPage, Asks, Judged, Judgements, Page, Protocol

if TYPE_CHECKING:
    from stats.scores import Floats

CHOSEN = 2


def read(study: Asks, number: int | None, places: Sequence[int] | None, texts: int) -> Judged:
    """Return the best, and the worst if it was chosen."""
    return read_places(number, places, most=CHOSEN)


def scores(judgements: Judgements, study: Asks) -> Floats:
    """Return 1 for the place of the best text, 0 for that of the worst and one half for the others (N, most)."""
    import numpy as np

    size = judgements.places.shape[1]
    found = np.where(np.arange(size) < judgements.texts[:, np.newaxis], 0.5, np.nan)
    rows = np.arange(len(found))
    found[rows, judgements.places[:, 0]] = 1.0
    found[rows, judgements.places[:, 1]] = 0.0
    return found


def simulated(study: Asks, worth: Sequence[float]) -> Judged:
    """Return the text that is worth most and the one that is worth least."""
    order = sorted(range(len(worth)), key=lambda place: -worth[place])
    return Judged(places=(order[0], order[-1]))


BEST_WORST = Protocol(
    key="best_worst",
    label=_("best and worst: the best and the worst text of a page"),
    methods_text=_(
        "Evaluators chose the best and the worst text of a page, for each criterion. The score of a text is 1 for the"
        " best, 0 for the worst and one half for the others."
    ),
    answer=AnswerToPage(
        page=Page(
            template="annotations/questionnaire/_order.html",
            keys=KEYS,
            places=lambda texts: CHOSEN,
            hint=_("Choose the best text, then the worst."),
        ),
        read=read,
        number_of=no_number,
        is_whole="cardinality(judgement.places) = 2",
        scores=scores,
        simulated=simulated,
    ),
    fewest=3,
    most=12,
)
