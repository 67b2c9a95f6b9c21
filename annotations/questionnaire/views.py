"""What an evaluator sees: their studies, a study's sub-tasks, a page to rate, and the saving of one answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotations.models import Enrolment
from annotations.offered_languages import follow_page, offer_languages
from annotations.protocols.protocol import BadJudgement
from annotations.questionnaire import judging, saving
from annotations.questionnaire.checklists.saving import save_checklist_answer
from annotations.questionnaire.events import BadEvent, parse_event, save_event
from annotations.questionnaire.forms import (
    BadAnswer,
    PageForm,
    parse_answer,
    parse_judgement,
    parse_marking,
)
from annotations.questionnaire.marking.marks import BadMark
from annotations.questionnaire.marking.saving import save_marking, save_markings
from annotations.questionnaire.page import journal_name, load_page
from annotations.questionnaire.page_rows import find_enrolment
from annotations.questionnaire.progress import study_progress
from annotations.questionnaire.time_left import minutes_left
from annotations.questionnaire.turns.saving import save_score
from annotations.questionnaire.written.saving import BadText, save_texts
from annotations.requests import UserRequest
from generation.refusals import Refused

REFUSALS = {
    saving.UnknownPlace: HTTPStatus.NOT_FOUND,
    saving.AnotherAccount: HTTPStatus.UNAUTHORIZED,
    saving.Closed: HTTPStatus.FORBIDDEN,
    saving.Paused: HTTPStatus.CONFLICT,
    saving.NotAgreed: HTTPStatus.FORBIDDEN,
    saving.OffScale: HTTPStatus.BAD_REQUEST,
    saving.NotMarked: HTTPStatus.PRECONDITION_REQUIRED,
    BadJudgement: HTTPStatus.BAD_REQUEST,
    BadMark: HTTPStatus.BAD_REQUEST,
    BadText: HTTPStatus.BAD_REQUEST,
}


@require_safe
def study(request: UserRequest, slug: str) -> HttpResponse:
    """Show the instructions, the time left and the sub-tasks of a study."""
    own = Enrolment.objects.answering(request.user).select_related("study", "evaluator__link_account")
    enrolment = get_object_or_404(own, study__slug=slug)
    if must_agree_first(enrolment):
        return redirect("annotations:consent", slug)
    offer_languages(request, enrolment.study)
    progress = study_progress(enrolment)
    if progress.training is not None and not progress.total and not enrolment.is_over:
        # Until the training is passed there is nothing else.
        return redirect("annotations:training", slug)
    context = {
        "enrolment": enrolment,
        "study": enrolment.study,
        "progress": progress,
        "minutes_left": None if enrolment.is_over else minutes_left(enrolment, progress),
        "completion": enrolment.open_link if progress.is_finished else None,
        "may_return": hasattr(enrolment.evaluator, "link_account"),
    }
    return render(request, "annotations/questionnaire/study.html", context)


def must_agree_first(enrolment: Enrolment) -> bool:
    """Whether the evaluator is sent to the page of the consent; there is nothing to agree to when the time is over."""
    return enrolment.needs_consent() and not enrolment.is_over


# Django pads what it compresses, so that its length tells nothing.
@gzip_page
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: UserRequest, slug: str, subtask: int, page: int) -> HttpResponse:
    """Show a page to rate; a browser without JavaScript sends it back as one form."""
    enrolment = find_enrolment(request.user.pk, slug)
    if enrolment is None:
        raise Http404
    if enrolment.needs_consent():
        return redirect("annotations:study", slug)
    offer_languages(request, enrolment.study)
    rating_page = load_page(enrolment, subtask, page)
    context: dict[str, Any] = {
        "enrolment": enrolment,
        "rating_page": rating_page,
        "journal": journal_name(enrolment),
        "server_time": time.time_ns() // 1_000_000,
    }
    status = HTTPStatus.OK
    if request.method == "POST":
        form = PageForm(rating_page, request.POST)
        status = save_form(request, form)
        if status == HTTPStatus.OK:
            return redirect(rating_page.next_url)
        context["form"] = form
    return render(request, "annotations/questionnaire/page.html", context, status=status)


def save_form(request: UserRequest, form: PageForm) -> HTTPStatus:
    """Save a page that was sent as one form; what was wrong is added to the form's errors."""
    if not form.is_valid():
        return HTTPStatus.BAD_REQUEST
    try:
        save = save_score if form.rating_page.study.asks.texts is None else save_checklist_answer
        with transaction.atomic():
            save_markings(request.user, form.rating_page.address, form.markings())
            saving.save_page(request.user, form.rating_page.address, form.answers(), save)
            judging.save_judgements(request.user, form.rating_page.address, form.judgements())
            save_texts(request.user, form.rating_page.address, form.texts())
    except Refused as refused:
        form.add_error(None, saving.said_on_page(refused))
        return REFUSALS[type(refused)]
    messages.success(request, _("Your answers are saved."))
    return HTTPStatus.OK


@require_POST
def answers(request: UserRequest, slug: str, subtask: int, page: int) -> JsonResponse:
    """Save one answer sent as JSON and reply with what is stored now."""
    return saved_answer(request, saving.PageAddress(slug, subtask, page), save_score)


@require_POST
def checklist(request: UserRequest, slug: str, subtask: int, page: int) -> JsonResponse:
    """Save one answer to an item of a checklist sent as JSON and reply with what is stored now."""
    return saved_answer(request, saving.PageAddress(slug, subtask, page), save_checklist_answer)


def saved_answer(
    request: UserRequest,
    address: saving.PageAddress,
    save: Callable[[User, saving.PageAddress, saving.Answer], saving.Receipt],
) -> JsonResponse:
    """Save an answer about a text by a function, and reply with what is stored now."""
    follow_page(request)
    try:
        receipt = save(request.user, address, parse_answer(request.body))
    except BadAnswer as error:
        return JsonResponse({"error": str(error)}, status=HTTPStatus.BAD_REQUEST)
    except saving.AnswerRefused as refused:
        return JsonResponse({"error": saving.said_on_page(refused)}, status=REFUSALS[type(refused)])
    return JsonResponse(
        {
            "saved_at": receipt.saved_at.isoformat(),
            "token": receipt.token,
            "criterion": receipt.criterion,
            "score": receipt.score,
            "order": receipt.client_order,
            "latest": receipt.is_latest,
        }
    )


@require_POST
def events(request: UserRequest, slug: str, subtask: int, page: int) -> HttpResponse:
    """Keep that something happened on a page; whether it was kept is not said."""
    try:
        event = parse_event(request.body)
    except BadEvent as bad:
        return JsonResponse({"error": str(bad)}, status=HTTPStatus.BAD_REQUEST)
    save_event(request.user, saving.PageAddress(slug, subtask, page), event)
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


@require_POST
def judgements(request: UserRequest, slug: str, subtask: int, page: int) -> JsonResponse:
    """Save one answer about a page sent as JSON and reply with what is stored now."""
    follow_page(request)
    try:
        sent = parse_judgement(request.body)
        receipt = judging.save_judgement(request.user, saving.PageAddress(slug, subtask, page), sent)
    except BadAnswer as error:
        return JsonResponse({"error": str(error)}, status=HTTPStatus.BAD_REQUEST)
    except Refused as refused:
        return JsonResponse({"error": saving.said_on_page(refused)}, status=REFUSALS[type(refused)])
    return JsonResponse(
        {
            "saved_at": receipt.saved_at.isoformat(),
            "token": receipt.token,
            "criterion": receipt.criterion,
            "score": receipt.number,
            "places": receipt.places,
            "order": receipt.client_order,
            "latest": receipt.is_latest,
        }
    )


@require_POST
def markings(request: UserRequest, slug: str, subtask: int, page: int) -> JsonResponse:
    """Save all marks in a text sent as JSON and reply with what is stored now."""
    follow_page(request)
    try:
        sent = parse_marking(request.body)
        receipt = save_marking(request.user, saving.PageAddress(slug, subtask, page), sent)
    except BadAnswer as error:
        return JsonResponse({"error": str(error)}, status=HTTPStatus.BAD_REQUEST)
    except Refused as refused:
        return JsonResponse({"error": saving.said_on_page(refused)}, status=REFUSALS[type(refused)])
    return JsonResponse(
        {
            "saved_at": receipt.saved_at.isoformat(),
            "token": receipt.token,
            "marks": [asdict(one) for one in receipt.marks],
            "done": receipt.is_done,
            "order": receipt.client_order,
            "latest": receipt.is_latest,
            "widened": receipt.is_widened,
        }
    )
