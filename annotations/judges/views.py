"""Pages of the judges of a study: their scores, taking more, deleting one."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from annotations.access.permissions import Right, right_names, study_for
from annotations.judges.forms import AskingForm, BudgetForm, ScoresForm
from annotations.judges.judges import delete_judge, judges_of
from annotations.judges.runs import runs_of, start_run, stop_run, take_up
from annotations.judges.uploads import ScoresRead, import_upload
from annotations.judges.wording import LABELS, judge_name, judge_version
from annotations.models import Job, JudgeRun, PromptDraw, Study
from annotations.requests import UserRequest
from generation.refusals import Refused
from generation.web.confirming import Question, ask
from generation.web.once import NonceForm, make_once


@require_http_methods(["GET", "HEAD", "POST"])
def judges(request: UserRequest, slug: str) -> HttpResponse:
    """List the judges of a study, and take the scores of one from a file."""
    study = study_for(request.user, slug, Right.RUN)
    if request.method != "POST":
        return judges_page(request, study)
    form = ScoresForm(study, request.POST, request.FILES)
    if form.is_valid():
        said = form.cleaned_data
        try:
            reading = ScoresRead(form.about(), said["columns"], said["encoding"], replaces=said["replaces"])
            done = import_upload(study, said["scores"], reading, by=request.user)
        except Refused as refused:
            form.refuse("scores", refused)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            if isinstance(done, Job):
                return redirect(done)
            _judge, is_new, file = done
            messages.success(
                request, stored_words(len(file.scores)) if is_new else _("These scores are there already.")
            )
            return redirect("annotations:judges", study.slug)
    return judges_page(request, study, form=form)


def stored_words(scores: int) -> str:
    return ngettext("%(count)d score is stored.", "%(count)d scores are stored.", scores) % {"count": scores}


def judges_page(
    request: UserRequest, study: Study, *, form: ScoresForm | None = None, asking: AskingForm | None = None
) -> HttpResponse:
    """Return the page with its forms, and with what was wrong with one of them."""
    from annotations.judges.metrics import offered_metrics  # with all that computes them

    offered = offered_metrics(study)
    wrong = next((one for one in (form, asking) if one is not None and one.errors), None)
    context = {
        "study": study,
        "rights": right_names(request.user, study),
        "judges": [(judge, judge_name(judge), judge_version(judge)) for judge in judges_of(study)],
        "wrong": wrong,
        "form": form or ScoresForm(study),
        "asking": asking or AskingForm(study),
        "servers": settings.LANGUAGE_MODEL_SERVERS,
        "runs": runs_of(study),
        "metrics": {key: label for key, label in LABELS.items() if key in offered},
        "not_offered": [label for key, label in LABELS.items() if key not in offered],
        "draw": PromptDraw.objects.filter(study=study).select_related("drawn_by").counted().first(),
    }
    status = HTTPStatus.BAD_REQUEST if wrong else HTTPStatus.OK
    return render(request, "annotations/judges/judges.html", context, status=status)


@require_POST
def start(request: UserRequest, slug: str) -> HttpResponse:
    """Have a served language model rate the texts of a study."""
    study = study_for(request.user, slug, Right.RUN)
    form = AskingForm(study, request.POST)
    if form.is_valid():
        said = form.cleaned_data
        try:
            make_once(
                NonceForm(request.POST).sent_nonce(),
                f"judge of study {study.pk} by {request.user.pk}",
                lambda: start_run(
                    study,
                    said["key"],
                    form.asking(),
                    most_tokens=said["most_tokens"],
                    most_money=said["most_money"],
                    probe=said["probe"],
                    by=request.user,
                ),
                JudgeRun.objects.all(),
            )
        except (Refused, ValidationError) as refused:
            form.add_error(None, refused.messages if isinstance(refused, ValidationError) else str(refused))
        else:
            messages.success(request, _("The judge is asked as soon as a worker is free."))
            return redirect("annotations:judges", study.slug)
    return judges_page(request, study, asking=form)


@require_POST
def change_run(request: UserRequest, slug: str, judge_run: UUID, act: str) -> HttpResponse:
    """Stop a run of a judge, or let it go on."""
    study = study_for(request.user, slug, Right.RUN)
    run = get_object_or_404(
        JudgeRun.objects.select_related("judge__study"), uuid=judge_run, judge__study=study
    )
    if act == "stop":
        stop_run(run, by=request.user)
    else:
        form = BudgetForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("Give the most tokens as a whole number."))
            return redirect("annotations:judges", study.slug)
        take_up(run, most_tokens=form.cleaned_data["most_tokens"], by=request.user)
    return redirect("annotations:judges", study.slug)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: UserRequest, slug: str, judge: str) -> HttpResponse:
    """Ask whether a judge shall go with its scores, and delete it."""
    study = study_for(request.user, slug, Right.RUN)
    found = get_object_or_404(study.judges.select_related("study"), key=judge)
    if request.method == "POST":
        delete_judge(found, by=request.user)
        messages.success(request, _("The judge is deleted."))
        return redirect("annotations:judges", study.slug)
    question = Question(
        _("Delete the judge %(judge)s?") % {"judge": found.label},
        (_("Its scores go with it, and what the report says of it."), _("This cannot be undone.")),
        _("Delete it"),
        reverse("annotations:judges", args=[study.slug]),
    )
    return ask(request, question)
