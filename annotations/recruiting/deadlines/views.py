"""The page on which a new deadline is set for many evaluators at once."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from annotations.access.permissions import Right, right_names, study_for
from annotations.models import Study
from annotations.questionnaire.progress import progress_of
from annotations.recruiting.deadlines import set_deadlines, unfinished, with_deadlines
from annotations.recruiting.mail import can_mail
from annotations.recruiting.people import person_of
from annotations.requests import UserRequest
from generation.files.problems import listed
from generation.refusals import Refused
from generation.web.confirming import Question, ask

WRITTEN = "%Y-%m-%dT%H:%M"
NAMED_AT_MOST = 10


class DeadlinesForm(forms.Form):
    """Whose deadline is set to what; those who are ticked are further fields of one name."""

    whom = forms.ChoiceField(
        choices=[
            ("unfinished", gettext_lazy("Everybody with something left to answer")),
            ("all", gettext_lazy("Everybody")),
            ("chosen", gettext_lazy("Those ticked below")),
        ],
        initial="unfinished",
        label=gettext_lazy("For whom"),
        widget=forms.RadioSelect,
    )
    deadline = forms.DateTimeField(
        label=gettext_lazy("New deadline"),
        input_formats=[WRITTEN],
        widget=forms.DateTimeInput(format=WRITTEN, attrs={"type": "datetime-local"}),
    )
    tell = forms.BooleanField(
        required=False, label=gettext_lazy("Tell those who have an e-mail address by mail")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = timezone.get_current_timezone_name()
        self.fields["deadline"].help_text = _("By the clock of this site (%(zone)s).") % {"zone": zone}
        if not can_mail():
            del self.fields["tell"]

    def ticked(self) -> list[str]:
        return list(self.data.getlist("evaluator")) if self.is_bound else []  # type: ignore[attr-defined]

    def chosen(self, study: Study) -> list[str]:
        """Return the pseudonyms that a valid form means."""
        whom = self.cleaned_data["whom"]
        if whom == "chosen":
            return self.ticked()
        if whom == "unfinished":
            return unfinished(study)
        return list(with_deadlines(study).values_list("pseudonym", flat=True))


@require_http_methods(["GET", "HEAD", "POST"])
def deadlines(request: UserRequest, slug: str) -> HttpResponse:
    """Show the evaluators and the form; name those chosen once more, and set their deadline once that is confirmed."""
    study = study_for(request.user, slug, Right.RUN)
    if request.method != "POST":
        return page(request, study, DeadlinesForm())
    form = DeadlinesForm(request.POST)
    if not form.is_valid():
        return page(request, study, form)
    chosen, deadline = form.chosen(study), form.cleaned_data["deadline"]
    tell = form.cleaned_data.get("tell", False)
    if "is_confirmed" not in request.POST and chosen and deadline > timezone.now():
        return ask(request, question(study, chosen, form))
    try:
        moved = set_deadlines(study, chosen, deadline, by=request.user, tell=tell)
    except Refused as refused:
        form.add_error(None, str(refused))
        return page(request, study, form)
    count = len(moved.enrolments)
    words = ngettext("%(count)d deadline is moved.", "%(count)d deadlines are moved.", count)
    messages.success(request, words % {"count": count})
    if tell:
        words = ngettext("%(count)d letter was sent.", "%(count)d letters were sent.", moved.letters)
        messages.success(request, words % {"count": moved.letters})
    return redirect("annotations:people", study.slug)


def question(study: Study, chosen: list[str], form: DeadlinesForm) -> Question:
    """Return what is asked before anything changes, with what was chosen."""
    deadline, tell = form.cleaned_data["deadline"], form.cleaned_data.get("tell", False)
    local = timezone.localtime(deadline)
    heading = ngettext(
        "Move the deadline of %(count)d evaluator?",
        "Move the deadlines of %(count)d evaluators?",
        len(chosen),
    )
    names = listed(chosen[:NAMED_AT_MOST]) + (" …" if len(chosen) > NAMED_AT_MOST else "")
    at = f"{date_format(local, 'DATETIME_FORMAT')} ({timezone.get_current_timezone_name()})"
    follows = [names, _("The new deadline is %(at)s, whatever it was before.") % {"at": at}]
    if tell:
        follows.append(_("Those who have an e-mail address are told by mail."))
    return Question(
        heading % {"count": len(chosen)},
        tuple(follows),
        _("Move it"),
        reverse("annotations:deadlines", args=[study.slug]),
        (
            ("is_confirmed", "1"),
            ("whom", "chosen"),
            ("deadline", local.strftime(WRITTEN)),
            *([("tell", "on")] if tell else []),
            *(("evaluator", one) for one in chosen),
        ),
    )


def page(request: UserRequest, study: Study, form: DeadlinesForm) -> HttpResponse:
    """Return the page with the form, and every evaluator to be ticked."""
    shown = list(with_deadlines(study))
    progress = progress_of(shown)
    context = {
        "study": study,
        "rights": right_names(request.user, study),
        "form": form,
        "people": [person_of(one, progress[one.pk]) for one in shown],
        "ticked": form.ticked(),
    }
    status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
    return render(request, "annotations/recruiting/deadlines.html", context, status=status)
