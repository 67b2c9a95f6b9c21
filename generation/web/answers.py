"""What a page answers where an act was refused."""

from __future__ import annotations

from django.http import HttpResponse

from generation.refusals import Refused


def answered_with(response: HttpResponse, refused: Refused) -> HttpResponse:
    """Give a response the status of a refusal, and when to come again."""
    response.status_code = refused.status
    if refused.retry_after:
        response.headers["Retry-After"] = str(refused.retry_after)
    return response
