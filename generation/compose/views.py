"""Pages on which anybody has a poem or an answer written, watches it come, and keeps its link."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import get_conditional_response, set_response_etag
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generation.compose.composing import compose, first_seed, next_try
from generation.compose.forms import (
    FORMS,
    NOT_PREPARED,
    OFFERED,
    PREPARED_BY,
    AnswerForm,
    OrderForm,
    PoemForm,
)
from generation.compose.typesetting import breaches, form_of, lines_of
from generation.compose.wording import scores_in_words, state_in_words
from generation.engines.model_library import ENGLISH, VERSE, is_there
from generation.genres import GENRES
from generation.models import Candidate, Composition, RunPrompt, Worker
from generation.orders import Order
from generation.refusals import Refused
from generation.runs.explanation import explanation, figure
from generation.runs.notifications import QUEUE
from generation.texts.normalising import is_chinese
from generation.web.addresses import address_of
from generation.web.answers import answered_with
from generation.web.once import NonceForm

# The prefix binds the cookie to this host and to HTTPS, where there is HTTPS.
COOKIE = "__Host-composer" if settings.SESSION_COOKIE_SECURE else "composer"
COOKIE_AGE = 365 * 24 * 3600
SALT = "generation.composing"
# Short sentences, as the presets of the search have them, where no form says how many.
MOST_SENTENCES = {"poem": 8, "qa": 30}


@login_not_required
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Lead to the page for poems."""
    return redirect("generation:compose_poem")


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def poem(request: HttpRequest) -> HttpResponse:
    """Take the title of a poem, and how it is to be written."""
    return ask(request, PoemForm)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest) -> HttpResponse:
    """Take a question, and how it is to be answered; offered only where the model is that answers."""
    return ask(request, AnswerForm)


def ask(request: HttpRequest, form_class: type[OrderForm]) -> HttpResponse:
    """Show a form, filled in by the address where it says how; queue what is sent with it."""
    refusal: Refused | None = None
    if request.method == "POST":
        form = form_class(request.POST)
        if form.is_valid():
            try:
                return begin(request, form.order(first_seed()))
            except Refused as refused:
                refusal = refused
    else:
        known = {name: request.GET[name] for name in form_class.base_fields if name in request.GET}
        form = form_class(initial=known)
    genre = GENRES[form.genre]
    has_english = is_there(ENGLISH)
    context = {
        "form": form,
        "genre": genre,
        "refusal": refusal,
        "missing": "" if has_english else NOT_PREPARED[ENGLISH],
        "command": PREPARED_BY[ENGLISH],
        "can_write": has_english or (genre.is_verse and is_there(VERSE)),
        "has_english": has_english,
        "has_worker": Worker.objects.seen_lately().taking(QUEUE).exists(),
    }
    response = render(request, "generation/compose/compose.html", context)
    if form.errors:
        response.status_code = HTTPStatus.BAD_REQUEST
    return answered_with(response, refusal) if refusal else response


def begin(request: HttpRequest, order: Order) -> HttpResponse:
    """Queue an order and lead to its page; raise `Refused`."""
    token = request.get_signed_cookie(COOKIE, default="", salt=SALT, max_age=COOKIE_AGE)
    token = token or secrets.token_urlsafe(24)
    visitor = f"user {request.user.pk}" if request.user.is_authenticated else f"cookie {token}"
    nonce = NonceForm(request.POST).sent_nonce()
    composition = compose(
        order,
        visitor=visitor,
        nonce=nonce,
        address=address_of(request),
    )
    response = redirect(composition)
    response.set_signed_cookie(
        COOKIE,
        token,
        salt=SALT,
        max_age=COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


@login_not_required
@require_safe
def composition(request: HttpRequest, composition: UUID) -> HttpResponse:
    """Show a text that a visitor asked for, or how far it is."""
    return shown(request, find(composition))


@login_not_required
@require_safe
def progress(request: HttpRequest, composition: UUID) -> HttpResponse:
    """Return what changes on the page of a composition; a browser that has this already is told only so."""
    response = JsonResponse(news(find(composition).run_prompt))
    set_response_etag(response)
    answer = get_conditional_response(request, etag=response.headers["ETag"], response=response)
    return answer or response


@login_not_required
@require_POST
def again(request: HttpRequest, composition: UUID) -> HttpResponse:
    """Queue the same order with the next seed."""
    found = find(composition)
    try:
        return begin(request, next_try(found))
    except Refused as refused:
        return answered_with(shown(request, found, refused), refused)


def find(uuid: UUID) -> Composition:
    return get_object_or_404(Composition.objects.with_order(), run_prompt__run__uuid=uuid)


def shown(request: HttpRequest, found: Composition, refusal: Refused | None = None) -> HttpResponse:
    """Return the page of a composition."""
    run_prompt = found.run_prompt
    run, prompt = run_prompt.run, run_prompt.prompt
    genre = GENRES[prompt.genre]
    kind = "compose_poem" if genre.is_verse else "compose_answer"
    changes = {genre.subject: prompt.text, "method": run.method.key}
    if prompt.description:
        changes["description"] = prompt.description
    context = {
        "run": run,
        "prompt": prompt,
        "genre": genre,
        "news": news(run_prompt),
        "method": gettext(OFFERED[run.method.key].name) if run.method.key in OFFERED else run.method.name,
        "form_name": dict(FORMS).get(run.config.get("form"), ""),
        "text_language": "zh-Hans" if is_chinese(prompt.text) else "en",
        "address": request.build_absolute_uri(found.get_absolute_url()),
        "kind_url": f"generation:{kind}",
        "changes": urlencode(changes | run.config),
        "refusal": refusal,
    }
    if run_prompt.state == RunPrompt.State.DONE:
        context |= result(run_prompt)
    response = render(request, "generation/compose/compose_result.html", context)
    # What strangers type is nothing to be found by.
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def result(run_prompt: RunPrompt) -> dict[str, Any]:
    """Return what is shown of a text that is written."""
    candidate = Candidate.objects.select_related("provenance").get(
        run=run_prompt.run, prompt=run_prompt.prompt
    )
    provenance = candidate.provenance
    form = form_of(run_prompt.run.config)
    genre = run_prompt.prompt.genre
    why = explanation(provenance)
    found = breaches(candidate.text, form) if form else None
    return {
        "lines": [
            [(piece.kind, piece.text) for piece in line] for line in lines_of(candidate.text, genre, form)
        ],
        "provenance": provenance,
        "why": why,
        "scores": scores_in_words(provenance.terms, genre, found),
        "total": figure(provenance.score),
        "others": why.hypotheses[1:],
        "has_inverse": "inverse" in provenance.terms,
    }


def news(run_prompt: RunPrompt) -> dict[str, Any]:
    """Return what changes on the page of a composition while it is written."""
    is_open = run_prompt.state in RunPrompt.OPEN
    has_worker, ahead = False, 0
    if is_open:
        has_worker = Worker.objects.seen_lately().taking(run_prompt.run.queue).exists()
        ahead = Composition.objects.open().filter(run_prompt__lt=run_prompt.pk).count()
    form, genre = form_of(run_prompt.run.config), run_prompt.prompt.genre
    step = run_prompt.step or {}
    usual = len(form.lengths) if form else MOST_SENTENCES[genre]
    lines = lines_of(step.get("text", ""), genre, form) if is_open else []
    return {
        "state": run_prompt.state,
        "open": is_open,
        "words": state_in_words(run_prompt, has_worker=has_worker, ahead=ahead),
        "sentence": step.get("sentence", 0) if is_open else usual,
        "most": step.get("most", usual) if is_open else usual,
        "lines": [[(piece.kind, piece.text) for piece in line] for line in lines],
    }
