"""Pages for staff on the runs of our own workers: all of them, one with its progress, and how one text came about."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generation.models import Candidate, GenerationRun, RunPrompt
from generation.runs.explanation import explanation
from generation.runs.progress import in_words, run_progress, workload
from generation.runs.runs import cancel_run, retry_failed
from generation.web.confirming import Question, ask

RUNS_ON_PAGE = 50
PROMPTS_ON_PAGE = 50
LONGEST_NOTE = 80


def staff_run(request: HttpRequest, uuid: UUID) -> GenerationRun:
    """Return the run for staff and for whoever started it; for anybody else there is none."""
    found = get_object_or_404(GenerationRun.objects.written_here(), uuid=uuid)
    if not request.user.is_staff and (found.started_by_id is None or found.started_by_id != request.user.pk):
        raise Http404
    return found


@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    """List the runs, the latest first, and say how much waits and who is there to write it.

    What visitors had written is listed only where it is asked for.
    """
    if not request.user.is_staff:
        raise Http404
    with_visitors = request.GET.get("visitors") == "1"
    listed = GenerationRun.objects.written_here()
    found = (listed if with_visitors else listed.but_visitors()).annotate(
        texts=Count("run_prompts"),
        written=Count("run_prompts", filter=Q(run_prompts__state=RunPrompt.State.DONE)),
    )
    page = Paginator(found, RUNS_ON_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "workload": workload(),
        "with_visitors": with_visitors,
        "query": "visitors=1" if with_visitors else "",
    }
    return render(request, "generation/runs/runs.html", context)


@require_safe
def run(request: HttpRequest, run: UUID) -> HttpResponse:
    """Show a run: how far it is, its prompts, what went wrong, and what can be done about it."""
    found = staff_run(request, run)
    progress = run_progress(found)
    page = prompts_page(request, found)
    context = {
        "run": found,
        "progress": progress,
        "words": in_words(found, progress),
        "page": page,
        "prompts": prompt_rows(found, page),
    }
    return render(request, "generation/runs/run.html", context)


@require_safe
def progress(request: HttpRequest, run: UUID) -> JsonResponse:
    """Return what changes on the page of a run while it is open in a browser."""
    found = staff_run(request, run)
    progress = run_progress(found)
    return JsonResponse(
        {
            "words": in_words(found, progress),
            "finished": progress.finished,
            "total": progress.total,
            "open": found.is_open(),
            "failed": progress.failed > 0 and found.state != GenerationRun.State.CANCELLED,
            "prompts": prompt_rows(found, prompts_page(request, found)),
        }
    )


def prompts_page(request: HttpRequest, run: GenerationRun) -> Page[RunPrompt]:
    prompts = run.run_prompts.select_related("prompt")
    return Paginator(prompts, PROMPTS_ON_PAGE).get_page(request.GET.get("page"))


def prompt_rows(run: GenerationRun, page: Page[RunPrompt]) -> list[dict[str, Any]]:
    """Return the rows of a page of prompts: state, attempts, and the text so far or what went wrong."""
    prompts = list(page)
    texts: dict[int, str] = dict(
        Candidate.objects.filter(run=run, prompt__in=[one.prompt_id for one in prompts]).values_list(
            "prompt_id", "text"
        )
    )
    return [
        {
            "number": one.number,
            "prompt": one.prompt.text,
            "state": one.state,
            "label": one.get_state_display(),
            "attempts": one.attempts,
            "note": note(one, texts.get(one.prompt_id, "")),
        }
        for one in prompts
    ]


def note(run_prompt: RunPrompt, text: str) -> str:
    """Return the text of a prompt, as far as it is written, or why there is none, in one line."""
    words = text or run_prompt.error or (run_prompt.step or {}).get("text", "")
    return " ".join(words.split())[:LONGEST_NOTE]


@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, run: UUID) -> HttpResponse:
    """Ask whether a run shall end, and end it; what is written stays."""
    found = staff_run(request, run)
    if request.method != "POST":
        progress = run_progress(found)
        question = Question(
            _("Cancel this run?"),
            (
                _("It is never taken up again. The texts that were written stay."),
                _("%(finished)d of %(total)d prompts are done.")
                % {"finished": progress.finished, "total": progress.total},
            ),
            _("Cancel the run"),
            found.get_absolute_url(),
        )
        return ask(request, question)
    if cancel_run(found):
        messages.success(request, _("The run is cancelled. The texts that were written stay."))
    return redirect(found)


@require_POST
def retry(request: HttpRequest, run: UUID) -> HttpResponse:
    """Let the workers try the failed prompts of a run again."""
    found = staff_run(request, run)
    if retried := retry_failed(found):
        said = ngettext("%(count)d prompt is tried again.", "%(count)d prompts are tried again.", retried)
        messages.success(request, said % {"count": retried})
    return redirect(found)


@require_safe
def run_prompt(request: HttpRequest, run: UUID, number: int) -> HttpResponse:
    """Show the text of one prompt of a run and why it was chosen, or why there is none."""
    found = staff_run(request, run)
    shown = get_object_or_404(found.run_prompts.select_related("prompt"), number=number)
    written = Candidate.objects.select_related("provenance").filter(run=found, prompt=shown.prompt).first()
    context = {
        "run": found,
        "run_prompt": shown,
        "candidate": written,
        "explanation": explanation(written.provenance) if written else None,
    }
    return render(request, "generation/runs/run_prompt.html", context)
