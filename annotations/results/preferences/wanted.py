"""Which preferences can be asked for, and what goes together: for page, API, command and job alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, get_args

from django.utils.translation import gettext as _

from generation.refusals import Refused

Source = Literal["ratings", "picks"]
SOURCES: tuple[Source, ...] = get_args(Source)
Layout = Literal["pairs", "unpaired", "ranked"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
# A spreadsheet is no place to train from, and its safe cells are not the texts.
PREFERENCE_FORMATS = ("jsonl", "parquet")


class BadPreferences(Refused):
    """What cannot be asked for, or a study does not have."""

    status = HTTPStatus.BAD_REQUEST


class UnfitPreferences(BadPreferences):
    """What does not go together, each of which is fine by itself."""

    status = HTTPStatus.CONFLICT


@dataclass(frozen=True)
class Wanted:
    """Which preferences: pairs by `source`, or all that people said in a `layout`."""

    source: Source = "ratings"
    layout: Layout | None = None
    file_format: str = "jsonl"
    # Of a layout alone: prompts and texts as messages, a row for each evaluator's own answer.
    conversational: bool = False
    by_evaluator: bool = False
    # Of pairs by their source alone.
    min_margin: float = 0.0
    include_inconsistent: bool = False

    @property
    def kind(self) -> str:
        return self.layout or self.source


def is_nested(layout: Layout, *, conversational: bool) -> bool:
    """Whether a layout has lists, which a file of plain columns cannot hold."""
    return conversational or layout == "ranked"


def check_wanted(wanted: Wanted) -> None:
    """Raise `BadPreferences` for what does not go together, naming the option."""
    if wanted.file_format not in PREFERENCE_FORMATS:
        raise BadPreferences(
            _("format: one of %(formats)s; got %(format)s")
            % {"formats": ", ".join(PREFERENCE_FORMATS), "format": wanted.file_format}
        )
    if wanted.layout is None and (wanted.conversational or wanted.by_evaluator):
        raise UnfitPreferences(_("conversational, by evaluator: these are of a layout; say which"))
    if not (math.isfinite(wanted.min_margin) and wanted.min_margin >= 0):
        raise BadPreferences(_("least margin: a number, at least 0"))
    if wanted.layout is not None and (wanted.min_margin or wanted.include_inconsistent):
        raise UnfitPreferences(
            _("least margin, inconsistent pages: these are of pairs by ratings or by picks, not of a layout")
        )
    if (
        wanted.layout is not None
        and wanted.file_format != "jsonl"
        and is_nested(wanted.layout, conversational=wanted.conversational)
    ):
        raise UnfitPreferences(
            _("format %(format)s: lists come as jsonl alone") % {"format": wanted.file_format}
        )
