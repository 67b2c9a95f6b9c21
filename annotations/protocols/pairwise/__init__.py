"""Two texts share a page, and for each criterion one says which is better.

On the scale `choice` the answers are A, equally good, B, both bad; on `steps` there are five steps from A to B;
letters, because on a phone the texts stand one below the other. The score of a text is the share of the preference that
goes to it, from 0 to 1, so that the difference of the two texts of a page is the preference on a scale from -1 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotations.protocols.protocol import (
    AnswerToPage,
    Asks,
    BadJudgement,
    Judged,
    Judgements,
    Option,
    Page,
    Protocol,
)

if TYPE_CHECKING:
    from stats.scores import Floats

STEPS = "steps"
# The preference of each number on a scale; the last one of `choice` says that both are bad.
PREFERENCES = {"choice": (-1, 0, 1, 0), STEPS: (-2, -1, 0, 1, 2)}
BOTH_BAD = 4
# Within such a distance of latent scores, in their own units, simulated evaluators call two texts equally good.
TIE = 0.25
MUCH = 2.0


def options(study: Asks) -> list[Option]:
    """Return the answers of a page in the order of its texts."""
    words = (
        [
            gettext("A is much better"), gettext("A is a little better"), gettext("equally good"),
            gettext("B is a little better"), gettext("B is much better"),
        ]
        if study.preference_scale == STEPS
        else [
            gettext("A is better"), gettext("equally good"), gettext("B is better"), gettext("both bad"),
        ]
    )  # fmt: skip
    return [Option(number, word) for number, word in enumerate(words, start=1)]


def read(study: Asks, number: int | None, places: Sequence[int] | None, texts: int) -> Judged:
    """Return the preference that a number stands for."""
    preferences = PREFERENCES[study.preference_scale]
    if places is not None or number is None or not 1 <= number <= len(preferences):
        raise BadJudgement(gettext("An answer is a number from 1 to %(most)d.") % {"most": len(preferences)})
    is_both_bad = study.preference_scale != STEPS and number == BOTH_BAD
    return Judged(preference=preferences[number - 1], both_bad=is_both_bad)


def number_of(study: Asks, judged: Judged) -> int | None:
    """Return the number of an answer."""
    if judged.preference is None:
        return None
    return BOTH_BAD if judged.both_bad else 1 + PREFERENCES[study.preference_scale].index(judged.preference)


def scores(judgements: Judgements, study: Asks) -> Floats:
    """Return the share of the preference that goes to each of the two texts (N, 2)."""
    import numpy as np

    steps = max(PREFERENCES[study.preference_scale])
    right = 0.5 + judgements.preference / (2 * steps)
    return np.stack([1 - right, right], axis=1)


def simulated(study: Asks, worth: Sequence[float]) -> Judged:
    """Return the preference of somebody to whom the two texts are worth so much."""
    difference = worth[1] - worth[0]
    if abs(difference) < TIE:
        return Judged(preference=0)
    size = 2 if study.preference_scale == STEPS and abs(difference) >= MUCH else 1
    return Judged(preference=size if difference > 0 else -size)


PAIRWISE = Protocol(
    key="pairwise",
    label=_("pairwise: which of two texts is better"),
    methods_text=_(
        "Evaluators saw two texts of a prompt at a time and said for each criterion which is better. The score of a"
        " text is the share of the preference that goes to it, one half where both are equally good or bad, so that the"
        " difference of two methods is the preference, from −1 to 1."
    ),
    answer=AnswerToPage(
        page=Page(
            template="annotations/questionnaire/_preference.html",
            keys=(("1 … 5", _("choose the answer of that number, and go on to the next question")),),
            options=options,
        ),
        read=read,
        number_of=number_of,
        is_whole="judgement.preference IS NOT NULL",
        scores=scores,
        simulated=simulated,
    ),
    fewest=2,
    most=2,
    settings=frozenset({"preference_scale"}),
)
