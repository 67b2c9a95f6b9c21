"""The page on which those who run a study watch it while people answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from annotations.access.permissions import Right, right_names, study_for
from annotations.models import QualityControl, Study
from annotations.monitoring.dashboard import SORTS, EvaluatorRow, Stage, dashboard, sorted_rows
from annotations.monitoring.strictness import strictness
from stats.reports.numbers import DASH, decimal, exact_percent, percent, signed

SUBTASKS_ON_PAGE = 100
# The stages of the funnel that a row of the table is in, by the word in the address.
FUNNEL_STAGES = {
    "enrolled": frozenset(Stage) - {Stage.WITHDRAWN},
    "started": frozenset({Stage.STARTED, Stage.EXCLUDED, Stage.VALID}),
    "finished": frozenset({Stage.EXCLUDED, Stage.VALID}),
    "valid": frozenset({Stage.VALID}),
    "withdrawn": frozenset({Stage.WITHDRAWN}),
    "unstarted": frozenset({Stage.ENROLLED}),
    "unfinished": frozenset({Stage.STARTED}),
    "excluded": frozenset({Stage.EXCLUDED}),
}


@dataclass(frozen=True)
class Head:
    """A column by which the table can be sorted: where its head leads, and how it is sorted now."""

    label: str
    address: str
    sorted: str
    is_number: bool


@dataclass(frozen=True)
class ShownRow:
    """One evaluator in the words of the table."""

    row: EvaluatorRow
    progress: str
    pace: str
    last_seen: datetime | None
    page_seconds: str
    inconsistent: str
    agreement: str


@require_safe
def progress(request: HttpRequest, slug: str) -> HttpResponse:
    """Show how far the evaluators of a study are and how they do."""
    study = study_for(request.user, slug, Right.WATCH)
    context = {
        "study": study,
        "rights": right_names(request.user, study),
        "live": live_part(request, study),
        "query": request.GET.urlencode(),
        "strictness": strictness_context(study),
        "has_checks": QualityControl.objects.filter(study=study).exists(),
    }
    return render(request, "annotations/monitoring/progress.html", context)


@require_safe
def progress_checks(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the checks and flags of every evaluator; raise Http404 where none are declared."""
    # With numpy, which is loaded only where somebody looks at what is computed.
    from annotations.monitoring.quality import checks_context

    study = study_for(request.user, slug, Right.WATCH)
    found = checks_context(study)
    if found is None:
        raise Http404
    context = {"study": study, "rights": right_names(request.user, study), **found}
    return render(request, "annotations/monitoring/checks.html", context)


@require_safe
def progress_live(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the part of the page that changes with every answer."""
    return HttpResponse(live_part(request, study_for(request.user, slug, Right.WATCH)))


def live_part(request: HttpRequest, study: Study) -> str:
    """Return the part of the page that changes, with the digest of its words as its state."""
    context = progress_context(request, study)
    body = render_to_string("annotations/monitoring/_progress_body.html", context, request)
    state = hashlib.sha256(body.encode()).hexdigest()[:16]
    return render_to_string("annotations/monitoring/_progress_live.html", {"body": body, "state": state})


def progress_context(request: HttpRequest, study: Study) -> dict[str, Any]:
    """Return what is shown of a study, sorted and filtered as the address says; raise Http404 for nonsense there."""
    sort, stage, group = (request.GET.get(name, "") for name in ("sort", "stage", "group"))
    sort = sort or "evaluator"
    found = dashboard(study)
    groups = {one.group.key: one.group for one in found.enrolments if one.group}
    if sort.removeprefix("-") not in SORTS or stage not in {"", *FUNNEL_STAGES} or group not in {"", *groups}:
        raise Http404
    rows = [
        row
        for row in sorted_rows(found.evaluators, sort)
        if (not stage or row.stage in FUNNEL_STAGES[stage])
        and (not group or row.enrolment.group == groups[group])
    ]
    return {
        "study": study,
        "dashboard": found,
        "funnel": funnel_steps(request, study, found.funnel),
        "rows": [shown_row(row) for row in rows],
        "heads": heads(request.GET, sort),
        "stages": stage_choices(),
        "groups": groups.values(),
        "sort": sort,
        "stage": stage,
        "group": group,
        "subtasks": Paginator(found.matrix.rows, SUBTASKS_ON_PAGE).get_page(request.GET.get("page")),
        "alphas": [
            (one.criterion.label, one.texts, decimal(one.ordinal), decimal(one.interval))
            for one in found.alphas
        ],
        "threshold": exact_percent(float(study.inconsistency_threshold)),
    }


def strictness_context(study: Study) -> dict[str, Any] | None:
    """Return how strict the evaluators are in the words of the table, or why that cannot be told."""
    found = strictness(study)
    if found is None:
        return None
    # With numpy, which is loaded only where somebody has rated.
    from annotations.results.document.ordinal import severity_refusal
    from annotations.results.document.wording import interval

    return {
        "criterion": found.criterion.label,
        "reason": severity_refusal(found.found),
        "rows": [
            {
                "name": row.found.evaluator,
                "low": row.low,
                "place": row.place,
                "high": row.high,
                "severity": signed(row.found.severity),
                "ci": interval(row.found.ci, with_sign=True),
                "infit": decimal(row.found.infit),
                "fits": row.found.fits,
                "ratings": row.found.ratings,
            }
            for row in found.rows
        ],
    }


def stage_choices() -> list[tuple[str, str]]:
    """Return by what the table can be filtered, in words."""
    return [
        ("", _("everybody")),
        ("unstarted", _("not started")),
        ("unfinished", _("started, not finished")),
        ("finished", _("finished")),
        ("valid", _("finished and valid")),
        ("excluded", _("finished, not valid")),
        ("withdrawn", _("withdrawn")),
    ]


def funnel_steps(request: HttpRequest, study: Study, funnel: Any) -> list[tuple[str, int, str, int]]:
    """Return the steps of the funnel: word, number, where the number leads, and its share of the first in percent."""
    steps = [
        (_("enrolled"), funnel.enrolled, "?stage=enrolled#evaluators"),
        (_("started"), funnel.started, "?stage=started#evaluators"),
        (_("finished"), funnel.finished, "?stage=finished#evaluators"),
        (_("valid"), funnel.valid, "?stage=valid#evaluators"),
    ]
    if funnel.invited is not None:
        steps.insert(0, (_("invited"), funnel.invited, ""))
    most = max(number for _word, number, _address in steps)
    return [
        (word, number, address, round(100 * number / most) if most else 0) for word, number, address in steps
    ]


def heads(query: QueryDict, sort: str) -> list[Head]:
    """Return the heads of the table: a press sorts by a column, another one turns it round."""
    labels = {
        "evaluator": _("Evaluator"),
        "stage": _("State"),
        "progress": _("Answered"),
        "pace": _("Pace (answers a day)"),
        "last_seen": _("Last answer"),
        "page_seconds": _("Time a page (median, s)"),
        "inconsistent": _("Inconsistent pages"),
        "agreement": _("Agreement with the others (r)"),
    }
    found = []
    for key, label in labels.items():
        changed = query.copy()
        changed["sort"] = f"-{key}" if sort == key else key
        sorted_now = {key: "ascending", f"-{key}": "descending"}.get(sort, "none")
        found.append(
            Head(label, f"?{changed.urlencode()}#evaluators", sorted_now, key not in ("evaluator", "stage"))
        )
    return found


def shown_row(row: EvaluatorRow) -> ShownRow:
    """Return one evaluator's row in words."""
    one = row.sums
    return ShownRow(
        row=row,
        progress=percent(row.progress),
        pace=decimal(row.pace, 1),
        last_seen=row.last_seen,
        page_seconds=decimal(row.page_seconds, 0),
        inconsistent=f"{percent(one.inconsistent_share)} ({one.pages_inconsistent}/{one.pages_judged})"
        if one.pages_judged
        else DASH,
        agreement=decimal(row.agreement),
    )
