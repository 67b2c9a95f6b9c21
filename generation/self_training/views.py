"""Pages for staff on self-training: all chains and a form for a new one, and one chain with its progress."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generation.models import RunPrompt, SelfTraining, TrainingCycle, Worker
from generation.refusals import Refused
from generation.self_training.chain import cancel_self_training, start_self_training, try_again
from generation.self_training.forms import SelfTrainingForm
from generation.self_training.loss_curves import Curve, loss_curves
from generation.self_training.titles import TitlesRefused
from generation.training.settings import GAP, GAP_A_CHARACTER
from generation.web.confirming import Question, ask
from generation.web.once import NonceForm, make_once

CHAINS_ON_PAGE = 50
# What is measured on held-out verse (generation.training.losses), in the page's words.
MEASURES = {
    "forward tang": gettext_noop("whole poems of the Tang"),
    "forward song": gettext_noop("whole poems of the Song"),
    "text tang": gettext_noop("their text after the title, Tang"),
    "inverse true": gettext_noop("titles after their own couplets"),
    "inverse mismatched": gettext_noop("titles after couplets of other poems"),
    GAP: gettext_noop("how much own couplets tell of a title"),
    GAP_A_CHARACTER: gettext_noop("the same, for a character of the title"),
}


@dataclass(frozen=True)
class CycleRow:
    """One cycle in the words of the page: poems written of all, steps taken, its curve."""

    cycle: TrainingCycle
    model: str
    total: int
    written: int
    curve: Curve | None

    @property
    def steps(self) -> int:
        return len(self.cycle.losses)

    @property
    def held_out(self) -> list[tuple[str, float, float]]:
        """What was measured on held-out verse: its name, by the model before, by the new one."""
        return [(_(MEASURES[name]), before, after) for name, before, after in self.cycle.held_out]


@dataclass(frozen=True)
class Sample:
    """A fixed title with the poem of the base model and that of the newest one."""

    title: str
    before: str
    after: str


def refuse_others(request: HttpRequest) -> User:
    """Return the user if that is staff; for anybody else there is no self-training."""
    if not isinstance(request.user, User) or not request.user.is_staff:
        raise Http404
    return request.user


def find(request: HttpRequest, uuid: UUID) -> SelfTraining:
    refuse_others(request)
    return get_object_or_404(SelfTraining.objects.select_related("started_by"), uuid=uuid)


@require_http_methods(["GET", "HEAD", "POST"])
def self_trainings(request: HttpRequest) -> HttpResponse:
    """List the chains, the latest first, and begin a new one."""
    by = refuse_others(request)
    is_sent = request.method == "POST"
    form = SelfTrainingForm(request.POST, request.FILES) if is_sent else SelfTrainingForm()
    if is_sent and form.is_valid():
        try:
            nonce = NonceForm(request.POST).sent_nonce()
            sender = f"self-training by {by.pk}"
            return redirect(make_once(nonce, sender, partial(begin, form, by), SelfTraining.objects.all()))
        except TitlesRefused:
            pass  # the form says so beside its field
        except Refused as refused:
            form.add_error(None, str(refused))
    chains = SelfTraining.objects.select_related("started_by").annotate(
        finished=Count("training_cycles", filter=Q(training_cycles__finished_at__isnull=False))
    )
    context = {
        "form": form,
        "page": Paginator(chains.order_by("-pk"), CHAINS_ON_PAGE).get_page(request.GET.get("page")),
    }
    status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
    return render(request, "generation/self_training/self_trainings.html", context, status=status)


def begin(form: SelfTrainingForm, by: User) -> SelfTraining:
    """Start the chain of a valid form; raise `TitlesRefused` or `Refused`."""
    cleaned = form.cleaned_data
    return start_self_training(
        cleaned["name"],
        form.lists_of_titles(),
        base_model=cleaned["base_model"],
        keep_share=cleaned["percent"] / 100,
        steps=cleaned["steps"],
        cycles=cleaned["cycles"],
        seed=cleaned["seed"],
        by=by,
    )


@require_safe
def self_training(request: HttpRequest, chain: UUID) -> HttpResponse:
    """Show a chain: what it is, how far, its losses, its poems before and after."""
    found = find(request, chain)
    context = {
        "chain": found,
        "titles": len(found.titles_of(1)),
        "percent": round(100 * found.keep_share),
        "live": live_part(request, found),
    }
    return render(request, "generation/self_training/self_training.html", context)


@require_safe
def state(request: HttpRequest, chain: UUID) -> HttpResponse:
    """Return the part of the page that changes while it is open in a browser."""
    return HttpResponse(live_part(request, find(request, chain)))


def live_part(request: HttpRequest, chain: SelfTraining) -> str:
    """Return what changes, with a digest that says whether it did, and what can be done; two queries."""
    rows = cycle_rows(chain)
    latest = rows[-1]
    finished = [row.cycle for row in rows if row.cycle.finished_at]
    has_worker = Worker.objects.seen_lately().taking(latest.cycle.run.queue).exists()
    body = render_to_string(
        "generation/self_training/_self_training_state.html",
        {
            "chain": chain,
            "rows": rows,
            "latest": latest,
            "percent": percent_done(chain, rows),
            "trouble": chain.is_open() and not has_worker,
            "samples": samples(finished),
            "newest": chain.model_of(finished[-1].number) if finished else "",
        },
    )
    digest = hashlib.sha256(body.encode()).hexdigest()[:16]
    # Outside of what is digested: the token of a form is another one each time.
    context: dict[str, Any] = {"chain": chain, "state": digest, "body": body}
    return render_to_string("generation/self_training/_self_training_live.html", context, request=request)


def cycle_rows(chain: SelfTraining) -> list[CycleRow]:
    """Return the cycles that have begun, with one query."""
    cycles = list(
        chain.training_cycles.select_related("run__method")
        .annotate(
            total=Count("run__run_prompts"),
            written=Count("run__run_prompts", filter=Q(run__run_prompts__state=RunPrompt.State.DONE)),
        )
        .order_by("number")
    )
    curves = loss_curves([cycle.losses for cycle in cycles], chain.steps)
    return [
        CycleRow(cycle, chain.model_of(cycle.number), cycle.total, cycle.written, curve)
        for cycle, curve in zip(cycles, curves, strict=True)
    ]


def percent_done(chain: SelfTraining, rows: list[CycleRow]) -> int:
    """Return how much of the whole chain is done, poems and steps counting half of a cycle each."""
    done = sum(row.written / row.total + row.steps / chain.steps for row in rows)
    return round(100 * done / (2 * chain.cycles))


def samples(finished: list[TrainingCycle]) -> list[Sample]:
    """Return the poems for the fixed titles by the base model and by that of the last finished cycle."""
    if not finished:
        return []
    after = {title: text for title, _before, text in finished[-1].samples}
    return [
        Sample(title, before, after[title]) for title, before, _after in finished[0].samples if title in after
    ]


@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, chain: UUID) -> HttpResponse:
    """Ask whether a chain shall end, and end it; models and poems that are there stay."""
    found = find(request, chain)
    if request.method != "POST":
        question = Question(
            _("Cancel the self-training “%(name)s”?") % {"name": found.name},
            (_("It is never taken up again. Models and poems that are finished stay."),),
            _("Cancel the self-training"),
            found.get_absolute_url(),
        )
        return ask(request, question)
    if cancel_self_training(found):
        messages.success(request, _("The self-training is cancelled. What is finished stays."))
    return redirect(found)


@require_POST
def retry(request: HttpRequest, chain: UUID) -> HttpResponse:
    """Let a chain that failed go on."""
    found = find(request, chain)
    if try_again(found):
        messages.success(request, _("The self-training goes on."))
    return redirect(found)
