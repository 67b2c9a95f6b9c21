"""Middleware of the site: who asks, which headers answers have, and what every page and the API answer to a refusal."""

from __future__ import annotations

from collections.abc import Callable

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.contrib.auth import middleware as auth
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject

from evalsite.sessions import user_of
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


class RefusalMiddleware:
    """Answer a refusal that no form shows with a page of its own, and with JSON where a script asked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, Refused):
            return None
        if request.path_info.startswith("/api/") or request.content_type == "application/json":
            return answered_with(JsonResponse({"detail": str(error)}), error)
        return answered_with(render(request, "refused.html", {"refused": error}), error)
