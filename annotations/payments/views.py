"""The page on which those who run a study approve payments and mark them as paid."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from annotations.access.permissions import Right, right_names, study_for
from annotations.models import Payment, Study
from annotations.payments.ledger import (
    LONGEST_REFERENCE,
    State,
    approve_payments,
    lines_to_pay,
    mark_paid,
    payment_lines,
    payments_csv,
    revoke_approvals,
    sums,
    totals,
)
from annotations.requests import UserRequest
from generation.refusals import Refused


class EvaluatorsForm(forms.Form):
    """Which evaluators an act is about, by pseudonym; several fields of one name."""

    reference = forms.CharField(required=False, max_length=LONGEST_REFERENCE)
    # Said on the page that names the sum and the people once more.
    is_confirmed = forms.BooleanField(required=False)

    def evaluators(self) -> list[str]:
        """Return the pseudonyms that were ticked; raise `Refused` where none was."""
        ticked: list[str] = self.data.getlist("evaluator")  # type: ignore[attr-defined]
        if not ticked:
            raise Refused(_("Tick at least one evaluator."))
        if not self.is_valid():
            raise Refused(_("A reference has at most %(length)d characters.") % {"length": LONGEST_REFERENCE})
        return ticked

    def reference_given(self) -> str:
        reference: str = self.cleaned_data["reference"]
        return reference


@require_safe
def payments(request: UserRequest, slug: str) -> HttpResponse:
    """List what every evaluator is owed."""
    return payments_page(request, study_for(request.user, slug, Right.RUN))


def payments_page(
    request: UserRequest, study: Study, *, refused: str = "", status: int = HTTPStatus.OK
) -> HttpResponse:
    """Return the page of the payments, with why an act on it was refused."""
    lines = payment_lines(study)
    context = {
        "study": study,
        "rights": right_names(request.user, study),
        "refused": refused,
        "totals": [(total, [total.in_state(state) for state in State.owed()]) for total in totals(lines)],
        "ticked": request.POST.getlist("evaluator"),
        "tick_all": request.GET.get("tick", ""),
        "reference": request.POST.get("reference", ""),
        **{state.value: [line for line in lines if line.state == state] for state in State},
    }
    return render(request, "annotations/payments/payments.html", context, status=status)


Act = Callable[[Study, EvaluatorsForm], list[Payment]]


def act_on_payments(request: UserRequest, slug: str, act: Act, done: Callable[[int], str]) -> HttpResponse:
    """Do an act to the payments that were ticked, and say how many it changed."""
    study = study_for(request.user, slug, Right.RUN)
    try:
        changed = act(study, EvaluatorsForm(request.POST))
    except Refused as refused:
        return payments_page(request, study, refused=str(refused), status=HTTPStatus.BAD_REQUEST)
    if changed:
        messages.success(request, done(len(changed)) % {"count": len(changed)})
    return redirect("annotations:payments", study.slug)


@require_POST
def approve(request: UserRequest, slug: str) -> HttpResponse:
    """Approve the payments that were ticked."""
    return act_on_payments(
        request,
        slug,
        lambda study, form: approve_payments(study, form.evaluators(), by=request.user),
        lambda count: ngettext("%(count)d payment is approved.", "%(count)d payments are approved.", count),
    )


@require_POST
def paid(request: UserRequest, slug: str) -> HttpResponse:
    """Name the approved payments that were ticked and their sum once more; mark them as paid once that is confirmed."""
    study = study_for(request.user, slug, Right.RUN)
    form = EvaluatorsForm(request.POST)
    try:
        lines = lines_to_pay(study, form.evaluators())
    except Refused as refused:
        return payments_page(request, study, refused=str(refused), status=HTTPStatus.BAD_REQUEST)
    if lines and not form.cleaned_data["is_confirmed"]:
        context = {
            "study": study,
            "rights": right_names(request.user, study),
            "lines": lines,
            "sums": sums((line.amount, line.currency) for line in lines),
            "reference": form.reference_given(),
        }
        return render(request, "annotations/payments/mark_paid.html", context)
    return act_on_payments(
        request,
        slug,
        lambda study, form: mark_paid(
            study, form.evaluators(), by=request.user, reference=form.reference_given()
        ),
        lambda count: ngettext(
            "%(count)d payment is marked as paid.", "%(count)d payments are marked as paid.", count
        ),
    )


@require_POST
def revoke(request: UserRequest, slug: str) -> HttpResponse:
    """Take the approvals that were ticked back."""
    return act_on_payments(
        request,
        slug,
        lambda study, form: revoke_approvals(study, form.evaluators(), by=request.user),
        lambda count: ngettext(
            "%(count)d approval is taken back.", "%(count)d approvals are taken back.", count
        ),
    )


@require_safe
def payments_file(request: UserRequest, slug: str) -> StreamingHttpResponse:
    """Send the payments to the finance office: all of them, or those in one state."""
    study = study_for(request.user, slug, Right.RUN)
    state = request.GET.get("state", "")
    if state not in {"", *State.values}:
        raise Http404
    lines = [line for line in payment_lines(study) if state in ("", line.state)]
    name = f"{study.slug}-payments" + (f"-{state}" if state else "")
    return StreamingHttpResponse(
        payments_csv(study, lines, by=request.user),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )
