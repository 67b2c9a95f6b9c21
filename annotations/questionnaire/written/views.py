"""The saving of what an evaluator writes on a page."""

from __future__ import annotations

import json
from http import HTTPStatus

from django.http import JsonResponse
from django.views.decorators.http import require_POST

from annotations.offered_languages import follow_page
from annotations.questionnaire.forms import TOKEN, BadAnswer, is_whole_number, matches, refuse
from annotations.questionnaire.saving import MAX_CLIENT_ORDER, PageAddress, said_on_page
from annotations.questionnaire.written.saving import SentText, save_text
from annotations.requests import UserRequest
from generation.refusals import Refused

# Longer than the longest text, each character of it escaped.
MAX_TEXT_BYTES = 700_000
KEYS = {"token", "kind", "text", "order"}


@require_POST
def written(request: UserRequest, slug: str, subtask: int, page: int) -> JsonResponse:
    """Save a version of a reason or a corrected text sent as JSON, and reply with what counts now."""
    from annotations.questionnaire.views import REFUSALS

    follow_page(request)
    try:
        receipt = save_text(request.user, PageAddress(slug, subtask, page), parse_text(request.body))
    except BadAnswer as error:
        return JsonResponse({"error": str(error)}, status=HTTPStatus.BAD_REQUEST)
    except Refused as refused:
        status = REFUSALS.get(type(refused), HTTPStatus.BAD_REQUEST)
        return JsonResponse({"error": said_on_page(refused)}, status=status)
    return JsonResponse(
        {
            "saved_at": receipt.saved_at.isoformat(),
            "token": receipt.token,
            "kind": receipt.kind,
            "text": receipt.text,
            "order": receipt.client_order,
            "latest": receipt.is_latest,
        }
    )


def parse_text(body: bytes) -> SentText:
    """Return what a JSON body says was written; raise `BadAnswer`. Its other keys are those of an answer."""
    if len(body) > MAX_TEXT_BYTES:
        refuse()
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        refuse()
    if not isinstance(fields, dict) or not fields.keys() >= KEYS:
        refuse()
    fits = (
        matches(TOKEN, fields["token"])
        and isinstance(fields["kind"], str)
        and isinstance(fields["text"], str)
        and is_whole_number(fields["order"], 1, MAX_CLIENT_ORDER)
    )
    if not fits:
        refuse()
    return SentText(fields["token"], fields["kind"], fields["text"], fields["order"])
