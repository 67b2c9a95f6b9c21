"""Marks in a text as its page shows it, and the spans of the text as it was written that they stand for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from http import HTTPStatus

from django.utils.translation import gettext as _

from annotations.models.protocols.spans import LONGEST_NOTE, MOST_MARKS
from annotations.questionnaire.marking.scheme import Scheme
from generation.refusals import Refused
from generation.texts.alignment import Alignment, aligned, page_text, whole_graphemes
from generation.texts.characters import CONTROL
from generation.texts.normalising import shown_text
from generation.texts.typography import INVISIBLE_ALONE


class BadMark(Refused):
    """A mark that cannot be in its text, or that its study does not have."""

    status = HTTPStatus.BAD_REQUEST


@dataclass(frozen=True)
class Mark:
    """One error: its kind, and from where to where it stands, in code points; nowhere where something is missing."""

    category: str
    severity: str
    start: int | None = None
    end: int | None = None
    note: str = ""


@dataclass(frozen=True)
class MarkedText:
    """A text as it was written, and as the page on which errors are marked shows it."""

    written: str
    shown: str

    @property
    def digest(self) -> str:
        """Names the text that is shown: marks in another one are refused."""
        return hashlib.sha256(self.shown.encode()).hexdigest()[:16]

    @property
    def alignment(self) -> Alignment:
        return alignment_of(self.shown, self.written)

    def to_written(self, mark: Mark) -> Mark:
        """Return a mark in the text as it was written, widened to whole characters."""
        if mark.start is None or mark.end is None:
            return mark
        place = whole_graphemes(self.shown, mark.start, mark.end)
        start, end = whole_graphemes(self.written, *self.alignment.to_written(*place))
        return replace(mark, start=start, end=end)

    def to_shown(self, mark: Mark) -> Mark:
        """Return a mark in the text as it is shown, from one in the text as it was written."""
        if mark.start is None or mark.end is None:
            return mark
        start, end = whole_graphemes(self.shown, *self.alignment.to_shown(mark.start, mark.end))
        return replace(mark, start=start, end=end)


alignment_of = lru_cache(maxsize=128)(aligned)


def marked_text(written: str, rule: str, genre: str) -> MarkedText:
    """Return a text as the page of a study of this rule and genre shows it: source, whatever its rendering."""
    return MarkedText(written, page_text(shown_text(written, rule, genre)))


def checked_marks(text: MarkedText, marks: Sequence[Mark], scheme: Scheme) -> list[Mark]:
    """Return marks in a shown text as spans of the written one; raise `BadMark` for the first that cannot be."""
    if len(marks) > MOST_MARKS:
        raise BadMark(_("A text can have at most %(most)d marks.") % {"most": MOST_MARKS})
    spans = [_checked(number, text, mark, scheme) for number, mark in enumerate(marks, start=1)]
    places = [(one.start, one.end, one.category) for one in spans]
    for number, place in enumerate(places, start=1):
        if place[0] is not None and place in places[: number - 1]:
            raise BadMark(
                _("Mark %(number)d: the same words are marked in this category already.") % {"number": number}
            )
    return spans


def _checked(number: int, text: MarkedText, mark: Mark, scheme: Scheme) -> Mark:
    """Return a mark in the written text; raise `BadMark` with what is wrong with it."""

    def wrong(message: str, **values: object) -> BadMark:
        return BadMark(_("Mark %(number)d: ") % {"number": number} + message % values)

    category = scheme.category.get(mark.category)
    if category is None:
        keys = ", ".join(scheme.category)
        raise wrong(_("%(key)s is none of the categories %(keys)s."), key=mark.category, keys=keys)
    if mark.severity not in scheme.severity:
        keys = ", ".join(scheme.severity)
        raise wrong(_("%(key)s is none of the severities %(keys)s."), key=mark.severity, keys=keys)
    if len(mark.note) > LONGEST_NOTE:
        raise wrong(_("a note has at most %(most)d characters."), most=LONGEST_NOTE)
    if CONTROL.search(mark.note):
        raise wrong(_("the note has a character that is none."))
    if mark.start is None or mark.end is None:
        if mark.start is not None or mark.end is not None or not category.is_missing:
            raise wrong(_("say where it begins and where it ends."))
        return mark
    if not 0 <= mark.start <= mark.end <= len(text.shown):
        raise wrong(
            _("it must begin at 0 or later and end after that, at %(length)d at most."),
            length=len(text.shown),
        )
    if category.is_missing and mark.start != mark.end:
        raise wrong(_("what is missing has a place and no words: begin and end are the same."))
    if not category.is_missing and mark.start == mark.end:
        raise wrong(_("it marks no character."))
    span = text.to_written(mark)
    if not category.is_missing and span.start == span.end:
        raise wrong(_("these characters are none that were written: they come of how the text is shown."))
    if not category.is_missing and INVISIBLE_ALONE.fullmatch(text.written[span.start : span.end]):
        raise wrong(_("it marks no character that is seen."))
    return span
