"""What the protocols share whose answer is an order of texts: each chosen after the other (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotations.protocols.protocol import Asks, BadJudgement, Judged

KEYS = (
    ("a b c", _("choose the text of that letter next; once more takes it out")),
    ("Backspace", _("take the last one out")),
)


def read_places(number: int | None, places: Sequence[int] | None, *, most: int) -> Judged:
    """Return the order that was sent, whole or not yet; raise `BadJudgement`."""
    if number is not None or places is None or len(set(places)) != len(places) or len(places) > most:
        raise BadJudgement(
            gettext("An answer is an order of at most %(most)d texts, each once.") % {"most": most}
        )
    return Judged(places=tuple(places))


def no_number(study: Asks, judged: Judged) -> None:
    """Return nothing: an order has no number."""
