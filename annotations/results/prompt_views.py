"""Staff pages of single prompts: all of them in a table, and one with its candidates side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from annotations.access.permissions import Right, right_names, study_for
from annotations.models import Page, PageCandidate, Study
from annotations.questionnaire.prompt_parts import passages
from annotations.questionnaire.rendering import rendered
from annotations.questionnaire.turns.questions import dialogue_html
from annotations.results.seal import is_sealed
from annotations.results.spans.heat import heat_maps
from annotations.results.written.cases import written_on_page
from generation.models import prompt_heading

if TYPE_CHECKING:
    from stats.ratings.table import RatingTable
    from stats.scores import Floats


SORTS = ("gain", "fail", "split", "order")


@dataclass(frozen=True)
class PromptRow:
    """One prompt in the table: its address, its means by method, and what makes it a case."""

    subtask: int
    page: int
    prompt: str
    means: tuple[str, ...]
    gain: str
    split: str


def sealed_context(request: HttpRequest, study: Study) -> dict[str, Any]:
    """Return what the page of the prompts shows of a sealed study: that it is sealed."""
    return {"study": study, "rights": right_names(request.user, study), "sealed": True}


def empty_context(request: HttpRequest, study: Study) -> dict[str, Any]:
    """Return what the page of the prompts shows of a draft: that there is nothing to compare yet."""
    return {"study": study, "rights": right_names(request.user, study), "is_empty": True}


def finite(value: float) -> float | None:
    # Loaded where it is used: what computes takes longer to load than all the rest of a web process.
    import numpy as np

    return float(value) if np.isfinite(value) else None


@require_safe
def prompts(request: HttpRequest, slug: str) -> HttpResponse:
    """List all prompts with the mean ratings of their candidates, by what a chosen method gains or loses."""
    from annotations.results.rating_table import valid_table

    study = study_for(request.user, slug, Right.ANALYSE)
    if is_sealed(study):
        return render(request, "annotations/results/prompts.html", sealed_context(request, study))
    table = valid_table(study)
    if not (table.methods and table.criteria):
        return render(request, "annotations/results/prompts.html", empty_context(request, study))
    method = request.GET.get("method", table.methods[-1])
    sort = request.GET.get("sort", SORTS[0])
    if method not in table.methods or sort not in SORTS:
        raise Http404
    labels = study.study_methods.names()
    context = {
        "study": study,
        "rights": right_names(request.user, study),
        "rows": prompt_rows(study, table, table.methods.index(method), sort),
        "methods": [(key, labels[key]) for key in table.methods],
        "method": method,
        "sorts": [
            ("gain", _("gains most")),
            ("fail", _("fails worst")),
            ("split", _("splits the evaluators most")),
            ("order", _("order of the study")),
        ],
        "sort": sort,
    }
    return render(request, "annotations/results/prompts.html", context)


def prompt_rows(study: Study, table: RatingTable, method: int, sort: str) -> list[PromptRow]:
    """Return the prompts' rows for one method, sorted; prompts without ratings come last."""
    import numpy as np

    from annotations.results.report import primary_by_default
    from stats.cases import prompt_gains, prompt_means, prompt_splits
    from stats.reports.numbers import decimal, signed

    criterion = primary_by_default(table)
    means = prompt_means(table, criterion)
    gains, splits = prompt_gains(table, criterion)[:, method], prompt_splits(table, criterion)[:, method]
    keys: dict[str, Floats] = {
        "gain": -gains,
        "fail": gains,
        "split": -splits,
        "order": np.arange(len(gains), dtype=np.float64),
    }
    pages = (
        Page.objects.counted()
        .filter(subtask__study=study)
        .values_list("subtask__number", "number", prompt_heading("prompt__"))
    )
    rows = [
        PromptRow(
            subtask,
            page,
            study.shown_prompt(text),
            tuple(decimal(finite(mean)) for mean in means[index]),
            signed(finite(gains[index])),
            decimal(finite(splits[index])),
        )
        for index, (subtask, page, text) in enumerate(pages)
    ]
    return [rows[index] for index in np.argsort(keys[sort], kind="stable")]


@require_safe
def prompt(request: HttpRequest, slug: str, subtask: int, page: int) -> HttpResponse:
    """Show one prompt with its candidates side by side, named, and their mean ratings on every criterion."""
    import numpy as np

    from annotations.results.rating_table import valid_table
    from annotations.results.turns.scores import mean_key, mean_label, turn_criteria
    from stats.cases import prompt_means
    from stats.reports.numbers import decimal

    study = study_for(request.user, slug, Right.ANALYSE)
    shown = get_object_or_404(
        Page.objects.counted().select_related("prompt", "subtask"),
        subtask__study=study,
        subtask__number=subtask,
        number=page,
    )
    if is_sealed(study):
        return render(request, "annotations/results/prompts.html", sealed_context(request, study))
    table = valid_table(study)
    if f"{subtask}/{page}" not in table.prompts or not table.criteria:
        return render(request, "annotations/results/prompts.html", empty_context(request, study))
    at = table.prompts.index(f"{subtask}/{page}")
    criteria = list(study.criteria.all())
    scored = [(one.key, str(one.label)) for one in criteria]
    scored += [(mean_key(one), mean_label(one)) for one in turn_criteria(study, criteria)]
    means = np.stack([prompt_means(table, key)[at] for key, _label in scored], axis=-1)
    picked = table.picks.method[table.picks.prompt == at]
    picks = np.bincount(picked, minlength=len(table.methods)).tolist()
    maps = heat_maps(study, shown.pk, table.evaluators) if study.asks.marks_errors else {}
    candidates = PageCandidate.objects.filter(page=shown).select_related("study_method__method", "candidate")
    written = written_on_page(study, shown)
    context = {
        "study": study,
        "rights": right_names(request.user, study),
        "reasons": written.of_page,
        "page": shown,
        "title": study.shown_prompt(shown.prompt.heading),
        "passages": passages(shown.prompt, study),
        "description": study.shown_prompt(shown.prompt.description),
        "columns": [
            {
                "label": one.study_method.name,
                "text": dialogue_html(criteria, one.candidate.text, study)
                or rendered(study.shown(one.candidate.text), study),
                "heat": maps.get(one.candidate_id),
                "means": [
                    (label, decimal(finite(means[one.study_method.number, index])))
                    for index, (_key, label) in enumerate(scored)
                ],
                "picks": picks[one.study_method.number],
                "reasons": written.reasons.get(one.candidate_id, []),
                "corrections": written.corrections.get(one.candidate_id, []),
            }
            for one in candidates.order_by("study_method__number")
        ],
    }
    return render(request, "annotations/results/prompt.html", context)
