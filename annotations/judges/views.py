"""Pages of the judges of a study: their scores, taking more, deleting one."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from annotations.access.permissions import Right, right_names, study_for
from annotations.judges.forms import ScoresForm
from annotations.judges.judges import delete_judge, judges_of
from annotations.judges.uploads import import_upload
from annotations.judges.wording import LABELS
from annotations.models import Study
from annotations.requests import UserRequest
from generation.refusals import Refused
from generation.web.confirming import Question, ask


@require_http_methods(["GET", "HEAD", "POST"])
def judges(request: UserRequest, slug: str) -> HttpResponse:
    """List the judges of a study, and take the scores of one from a file."""
    study = study_for(request.user, slug, Right.RUN)
    if request.method != "POST":
        return judges_page(request, study, ScoresForm(study))
    form = ScoresForm(study, request.POST, request.FILES)
    if form.is_valid():
        said = form.cleaned_data
        try:
            _judge, is_new, file = import_upload(
                study,
                said["scores"],
                form.about(),
                columns=said["columns"],
                encoding=said["encoding"],
                replaces=said["replaces"],
                by=request.user,
            )
        except Refused as refused:
            form.refuse("scores", refused)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(
                request, stored_words(len(file.scores)) if is_new else _("These scores are there already.")
            )
            return redirect("annotations:judges", study.slug)
    return judges_page(request, study, form)


def stored_words(scores: int) -> str:
    return ngettext("%(count)d score is stored.", "%(count)d scores are stored.", scores) % {"count": scores}


def judges_page(request: UserRequest, study: Study, form: ScoresForm) -> HttpResponse:
    """Return the page with the form, and with what was wrong with it."""
    context = {
        "study": study,
        "rights": right_names(request.user, study),
        "judges": judges_of(study),
        "form": form,
        "metrics": LABELS,
    }
    status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
    return render(request, "annotations/judges/judges.html", context, status=status)


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
