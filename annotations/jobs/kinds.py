"""What can be done as a job: one table of kinds, each with its parameters and the function that does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy, pgettext_lazy

from annotations.access.permissions import Right
from annotations.jobs import files, storing
from annotations.jobs.outcome import Made, Progress, Stored
from annotations.judges.wording import LABELS as METRICS
from annotations.models import AnalysisPlan, Job
from annotations.plan.forms import RehearsalForm
from annotations.results.preferences.wanted import LAYOUTS, PREFERENCE_FORMATS, SOURCES
from stats.reports import write_rows

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True)
class Kind:
    """A kind of job: its name for people, the values that each of its parameters can have, and what does it."""

    label: _StrPromise
    parameters: Mapping[str, tuple[str, ...]]
    make: Callable[[Job, Progress], Made | Stored]
    # What is meant where a parameter is left out, and what raises `Refused` for values that do not go together.
    defaults: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[Mapping[str, str]], object] = bool
    # Who may ask for it and see it.
    right: Right = Right.ANALYSE
    # Which rows of single answers leave the site with its file, for the log.
    rows: str = ""
    # The page of the study in which something is stored; none where a file comes of it.
    page: str = ""
    # An upload that waits is stored: it is asked for where that waits, with what was said there.
    is_import: bool = False

    @property
    def makes_file(self) -> bool:
        return not self.page


def import_kind(
    label: _StrPromise, make: Callable[[Job, Progress], Stored], page: str, right: Right = Right.RUN
) -> Kind:
    return Kind(label, {}, make, right=right, page=page, is_import=True)


KINDS: dict[str, Kind] = {
    "report": Kind(
        gettext_lazy("Report"),
        {"format": ("pdf", "xlsx"), "off_scale": tuple(AnalysisPlan.OffScale.values)},
        files.make_report,
        defaults={"off_scale": AnalysisPlan.OffScale.KEPT},
    ),
    "answers": Kind(
        gettext_lazy("All answers"),
        {"format": tuple(write_rows.FORMATS)},
        files.make_answers,
        rows="ratings",
    ),
    "pairs": Kind(
        gettext_lazy("Preference pairs"),
        {
            "format": PREFERENCE_FORMATS,
            "source": SOURCES,
            "layout": (files.NO, *LAYOUTS),
            "conversational": (files.NO, files.YES),
            "by_evaluator": (files.NO, files.YES),
        },
        files.make_pairs,
        rows="preferences",
        defaults={
            "source": "ratings",
            "layout": files.NO,
            "conversational": files.NO,
            "by_evaluator": files.NO,
        },
        check=files.wanted_of,
    ),
    "archive": Kind(
        gettext_lazy("Archive to make the results again"),
        {"format": ("zip",)},
        files.make_archive,
        rows="archive",
    ),
    "rehearsal": Kind(
        pgettext_lazy("job", "Rehearsal"),
        {"evaluators": RehearsalForm.EVALUATORS, "effect": RehearsalForm.EFFECTS},
        storing.rehearse,
        right=Right.RUN,
        page="annotations:results",
    ),
    "metric": Kind(
        gettext_lazy("Scores of a metric"),
        {"metric": tuple(METRICS)},
        storing.compute_metric,
        right=Right.RUN,
        page="annotations:judges",
    ),
    "import_candidates": import_kind(
        gettext_lazy("Import of candidates"), storing.import_material, "annotations:material"
    ),
    "import_prompts": import_kind(
        gettext_lazy("Import of prompts"), storing.import_material, "annotations:material"
    ),
    "import_scores": import_kind(
        gettext_lazy("Import of scores"), storing.import_scores, "annotations:judges"
    ),
    "import_ratings": import_kind(
        gettext_lazy("Import of ratings"), storing.import_ratings, "annotations:results", Right.ANALYSE
    ),
}
