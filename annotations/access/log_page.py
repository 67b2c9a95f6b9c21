"""Reading the log of staff acts: who did what to a study, when, and to whom or with what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from annotations.access.log import ACTS
from annotations.models import StaffAct, Study, StudyRole
from generation.files.problems import listed
from generation.models import method_name
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
# What stands beside an act, in words; a name that is not here stays as it is.
DETAILS = {
    "by_evaluator": gettext_lazy("by the evaluator"),
    "days": gettext_lazy("days"),
    "deadline": gettext_lazy("deadline"),
    "told": gettext_lazy("told by mail"),
    "days_valid": gettext_lazy("days valid"),
    "evaluator": gettext_lazy("evaluator"),
    "evaluators": gettext_lazy("evaluators"),
    "fields": gettext_lazy("fields"),
    "file": gettext_lazy("file"),
    "format": gettext_lazy("format"),
    "group": gettext_lazy("group"),
    "judge": gettext_lazy("judge"),
    "probe": gettext_lazy("trial of the judge"),
    "scores": gettext_lazy("scores"),
    "seed": gettext_lazy("seed of the draw"),
    "sha256": gettext_lazy("SHA-256 of the file"),
    "tokens": gettext_lazy("tokens"),
    "without_plan": gettext_lazy("without a plan"),
    "invitation": gettext_lazy("invitation"),
    "invitations": gettext_lazy("invitations"),
    "label": gettext_lazy("label"),
    "letters": gettext_lazy("letters"),
    "limit": gettext_lazy("limit"),
    "link": gettext_lazy("link"),
    "method": gettext_lazy("method"),
    "methods": gettext_lazy("methods"),
    "payment": gettext_lazy("payment"),
    "prompts": gettext_lazy("prompts"),
    "reason": gettext_lazy("reason"),
    "reference": gettext_lazy("reference"),
    "role": gettext_lazy("role"),
    "rows": gettext_lazy("which rows"),
    "run": gettext_lazy("run"),
    "subtask": gettext_lazy("sub-task"),
    "subtasks": gettext_lazy("sub-tasks"),
    "sum": gettext_lazy("sum"),
    "texts": gettext_lazy("texts"),
    "user": gettext_lazy("user"),
}

# Which rows of answers left the site, in words.
ROWS = {
    "ratings": gettext_lazy("ratings"),
    "judgements": gettext_lazy("comparisons and orders"),
    "written": gettext_lazy("what evaluators wrote"),
    "turns": gettext_lazy("ratings of turns"),
    "spans": gettext_lazy("marked errors"),
    "checklist": gettext_lazy("answers to checklists"),
    "preferences": gettext_lazy("preferences"),
    "archive": gettext_lazy("the whole archive"),
}
# Fields of a study as its set-up names them; the others are called so in the model.
FIELDS = {
    "candidates_per_page": gettext_lazy("Texts on a page"),
    "checklist": gettext_lazy("Checklist"),
    "consent": gettext_lazy("Consent"),
    "contact": gettext_lazy("Contact"),
    "criteria": gettext_lazy("Criteria"),
    "currency": gettext_lazy("Currency"),
    "days_to_rate": gettext_lazy("Days to rate"),
    "error_categories": gettext_lazy("Errors that are marked"),
    "evaluators_per_subtask": gettext_lazy("Evaluators for each sub-task"),
    "hours_to_give_back": gettext_lazy("Hours until a sub-task is given back"),
    "inconsistency_threshold": gettext_lazy("Largest share of inconsistent pages"),
    "instructions": gettext_lazy("Instructions"),
    "payment": gettext_lazy("Payment of a valid evaluator"),
    "prompts_per_subtask": gettext_lazy("Prompts in a sub-task"),
    "questions": gettext_lazy("Questions of the form"),
    "subtasks_per_evaluator": gettext_lazy("Sub-tasks for each evaluator"),
    "title": pgettext_lazy("study", "Title"),
}


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
    """Return details as 'name: value; name: value', with the names in the reader's language."""
    pairs = (
        _("%(name)s: %(value)s") % {"name": name_in_words(name), "value": detail_in_words(name, value)}
        for name, value in details.items()
    )
    return pgettext("between two of a list", "; ").join(pairs)


def name_in_words(name: str) -> str:
    return str(DETAILS.get(name, name.replace("_", " ")))


def detail_in_words(name: str, value: object) -> str:
    if name == "role" and value in StudyRole.Role.values:
        return str(StudyRole.Role(value).label)
    if name == "method":
        return method_name(str(value))
    if name == "rows" and str(value) in ROWS:
        return str(ROWS[str(value)])
    if name == "fields" and isinstance(value, list):
        return listed(map(field_in_words, value))
    return value_in_words(value)


def field_in_words(name: str) -> str:
    """Return a field of a study in the reader's language; one that is no longer known keeps its name."""
    if name in FIELDS:
        return str(FIELDS[name])
    known = {field.name: field for field in Study._meta.fields}
    return str(known[name].verbose_name) if name in known else name


def value_in_words(value: object) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return listed(map(value_in_words, value))
    if isinstance(value, dict):
        return listed(f"{name_in_words(name)} {value_in_words(one)}" for name, one in value.items())
    return "–" if value is None else str(value)


def acts_csv(study: Study) -> Iterator[bytes]:
    """Return the log of a study as a CSV file that is safe in a spreadsheet, the earliest act first, in chunks."""
    return csv_chunks(COLUMNS, act_rows(study))


def act_rows(study: Study) -> Iterator[Row]:
    for act in acts_of(study).order_by("pk").iterator(chunk_size=FETCHED_AT_ONCE):
        entry = log_entry(act)
        at = entry.at.isoformat(timespec="seconds")
        yield (study.slug, at, entry.actor or _("command line"), act.act, entry.words, entry.details)
