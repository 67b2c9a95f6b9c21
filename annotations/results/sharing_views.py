"""Making and ending links to a report, and the report as it is read by one."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotations.access.permissions import Right, study_for
from annotations.models import ReportLink
from annotations.requests import UserRequest
from annotations.results.forms import ShareForm
from annotations.results.sharing import document_of, end_report_link, link_opened, share_report
from generation.refusals import Refused
from generation.web.confirming import Question, ask
from generation.web.once import NonceForm


@require_POST
def share(request: UserRequest, slug: str) -> HttpResponse:
    """Make a link to the report; the page of the results shows it."""
    study = study_for(request.user, slug, Right.RUN)
    form = ShareForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose for how long the link shall be good."))
        return redirect("annotations:results", slug)
    try:
        share_report(
            study,
            days=form.cleaned_data["days"],
            by=request.user,
            nonce=NonceForm(request.POST).sent_nonce(),
        )
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect(reverse("annotations:results", args=[slug]) + "#share")


@require_http_methods(["GET", "HEAD", "POST"])
def unshare(request: UserRequest, slug: str, link: UUID) -> HttpResponse:
    """Ask whether a link to the report shall end, and end it."""
    study = study_for(request.user, slug, Right.RUN)
    found = get_object_or_404(ReportLink.objects.select_related("study"), study=study, uuid=link)
    back = reverse("annotations:results", args=[slug])
    if request.method != "POST":
        question = Question(
            _("End this link to the report?"),
            (_("Whoever has it can then read the report by it no longer. You can make another one."),),
            _("End the link"),
            back,
        )
        return ask(request, question)
    if end_report_link(found, by=request.user):
        messages.success(request, _("The link is ended."))
    return redirect(back)


@login_not_required
@require_safe
def shared_report(request: HttpRequest, token: str) -> HttpResponse:
    """Show a report to whoever has a link to it; nothing can be done there but reading."""
    link = link_opened(token)
    if link is None:
        raise Http404
    context = {"link": link, "document": document_of(link)}
    response = render(request, "annotations/results/shared_report.html", context)
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
