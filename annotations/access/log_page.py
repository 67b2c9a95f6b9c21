"""Reading the log of staff acts: who did what to a study, when, and to whom or with what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from annotations.access.log import ACTS
from annotations.models import StaffAct, Study
from stats.reports.write_rows import Columns, Row, csv_chunks

COLUMNS: Columns = {
    "study": "text",
    "at": "time",
    "actor": "text",
    "act": "text",
    "words": "text",
    "details": "text",
}
FETCHED_AT_ONCE = 2_000


@dataclass(frozen=True)
class LogEntry:
    """One act in words."""

    at: datetime
    # Empty for the command line and the clock.
    actor: str
    words: str
    details: str


def acts_of(study: Study) -> QuerySet[StaffAct]:
    """Return the acts on a study, the latest first."""
    return StaffAct.objects.filter(study=study).select_related("actor").order_by("-pk")


def log_entry(act: StaffAct) -> LogEntry:
    """Return an act in the reader's language; one that is no longer known keeps its name."""
    return LogEntry(
        at=act.created_at,
        actor=act.actor.get_username() if act.actor else "",
        words=str(ACTS.get(act.act, act.act)),
        details=in_words(act.details),
    )


def in_words(details: dict[str, Any]) -> str:
    """Return details as 'name: value; name: value'."""
    return "; ".join(f"{name.replace('_', ' ')}: {value_in_words(value)}" for name, value in details.items())


def value_in_words(value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(value_in_words, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {value_in_words(one)}" for name, one in value.items())
    return "–" if value is None else str(value)


def acts_csv(study: Study) -> Iterator[bytes]:
    """Return the log of a study as a CSV file that is safe in a spreadsheet, the earliest act first, in chunks."""
    return csv_chunks(COLUMNS, act_rows(study))


def act_rows(study: Study) -> Iterator[Row]:
    for act in acts_of(study).order_by("pk").iterator(chunk_size=FETCHED_AT_ONCE):
        entry = log_entry(act)
        at = entry.at.isoformat(timespec="seconds")
        yield (study.slug, at, entry.actor or _("command line"), act.act, entry.words, entry.details)
