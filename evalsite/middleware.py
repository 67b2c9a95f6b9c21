"""Middleware of the site: who asks, which headers answers have, and what every page and the API answer to a refusal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.contrib.auth import middleware as auth
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, JsonResponse, RawPostDataException
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from evalsite.sessions import user_of
from generation.files.workbooks import is_waited_for
from generation.refusals import Refused
from generation.web.answers import answered_with


class AuthenticationMiddleware(auth.AuthenticationMiddleware):
    """Django's, with the user that was read with the session."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: user_of(request))  # type: ignore[assignment]


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """The library's, which puts the policy together for each answer, with that of the settings put together once."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        super().__init__(get_response)
        self.policy = build_policy()

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        # The library's decorators leave such a mark on an answer whose policy is another.
        if any(name.startswith("_csp") for name in vars(response)):
            return super().process_response(request, response)
        style_hash = getattr(request, "style_hash", None)
        styles = f"; style-src 'self' {style_hash}" if style_hash else ""
        response.headers.setdefault(HEADER, self.policy + styles)
        return response


def no_store(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Keep pages out of every cache: each may hold one person's answers, or show another's after log-out."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault(
            "Cache-Control", "max-age=0, no-cache, no-store, must-revalidate, private"
        )
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        return response

    return respond


TOO_MUCH = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)
CHUNK = 65_536


class TooMuchSent(Refused):
    """A body of more bytes, fields or files than are read."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class FormSent(Refused):
    """A form was sent to an address that reads JSON."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class BodyMiddleware:
    """Refuse a body that is too large before the check of its CSRF token reads it, and read on after such a refusal.

    What is left unread on a connection would be taken for the next request there, or close it. How large a workbook may
    be unpacked while somebody waits is said here, too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = is_waited_for.set(True)
        try:
            response = self.get_response(request)
        finally:
            is_waited_for.reset(token)
        if response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            _read_on(request)
        return response

    def process_view(self, request: HttpRequest, view: Any, *_of_view: Any) -> HttpResponse | None:
        if request.method != "POST" or getattr(view, "csrf_exempt", False):
            return None
        # A connection that breaks off is the next middleware's.
        with suppress(OSError):
            try:
                request.POST  # noqa: B018 - reads the body
            except TOO_MUCH:
                return refused_response(request, too_much())
        return None


def _read_on(request: HttpRequest) -> None:
    left = settings.UPLOAD_MEGABYTES * 1_000_000
    with suppress(OSError):
        while left > 0 and (chunk := request.read(CHUNK)):
            left -= len(chunk)


def too_much() -> TooMuchSent:
    return TooMuchSent(_("What was sent is more than the site takes at once."))


def refused_response(request: HttpRequest, refused: Refused) -> HttpResponse:
    """Return a page that says why something was not done, and JSON where a script asked."""
    if request.path_info.startswith("/api/") or request.content_type == "application/json":
        return answered_with(JsonResponse({"detail": str(refused)}), refused)
    return answered_with(render(request, "refused.html", {"refused": refused}), refused)


class RefusalMiddleware:
    """Answer a refusal that no form shows with a page of its own, and with JSON where a script asked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, TOO_MUCH):
            error = too_much()
        elif isinstance(error, RawPostDataException):
            error = FormSent(_("Send JSON here, not a form."))
        return refused_response(request, error) if isinstance(error, Refused) else None
