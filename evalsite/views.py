"""Pages that belong to no app."""

from __future__ import annotations

import sys
from functools import lru_cache

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template import loader
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.csrf import csrf_failure as form_refused
from django.views.decorators.http import require_safe
from django.views.defaults import page_not_found

from annotations.recruiting.joining_views import join_again
from annotations.results.sharing import example_address
from evalsite.dashboard import site_view
from generation.engines.model_library import ENGLISH, is_there

# In which a database that is started again is there.
AWAY_SECONDS = 10


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show what the site is for and the doors into it; answers only where the model is that writes them."""
    return render(request, "home.html", {"answers": is_there(ENGLISH)})


@login_not_required
@require_safe
def example_report(request: HttpRequest) -> HttpResponse:
    """Lead to a finished report to look at; without one to what is said of reports in the documentation."""
    return redirect(example_address() or reverse("documentation", args=["analysts"]))


@require_safe
def manage(request: HttpRequest) -> HttpResponse:
    """Show administrators the whole site at one look; for anybody else there is no such page."""
    if not request.user.is_staff:
        raise Http404
    return render(request, "manage.html", {"site": site_view()})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that a form is out of date, but lead whoever came in by its own first press on to where that led."""
    match = request.resolver_match
    visitor = request.user
    if match and isinstance(visitor, User):
        if match.view_name == "annotations:join":
            return join_again(request, visitor, **match.kwargs)
        if match.view_name == "login":
            return redirect(request.get_full_path())
    return form_refused(request, reason)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that there is nothing at an address, to a script in the form of the API's errors."""
    if request.path_info.startswith("/api/"):
        return JsonResponse({"detail": _("There is nothing at this address.")}, status=404)
    return page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Say that the fault is ours, or that the database is away for a time; to a script in the form of the API's errors.

    Nothing here asks the database, which may be what failed.
    """
    away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    if request.path_info.startswith("/api/"):
        said = _("The site is not ready. Try again in a moment.") if away else _("The fault is ours.")
        response: HttpResponse = JsonResponse({"detail": said}, status=503 if away else 500)
    else:
        response = HttpResponse(
            loader.render_to_string("500.html", {"is_away": away}), status=503 if away else 500
        )
    if away:
        response.headers["Retry-After"] = str(AWAY_SECONDS)
    return response


@lru_cache(maxsize=1)
def schema_json() -> bytes:
    """Return the schema of the API; writing it takes a second or two, and it never changes while the site runs."""
    # Loaded with the first request for it: the generator brings Django's and DRF's test clients.
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.renderers import OpenApiJsonRenderer

    with override("en"):
        schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
        return OpenApiJsonRenderer().render(schema, renderer_context={})


@login_not_required
@require_safe
def api_schema(request: HttpRequest) -> HttpResponse:
    """Send the schema of the API. It tells nothing of any study."""
    return HttpResponse(schema_json(), content_type="application/json")


@login_not_required
@require_safe
def api_docs(request: HttpRequest) -> HttpResponseBase:
    """Show the schema of the API as pages to read and try."""
    from drf_spectacular.views import SpectacularSwaggerSplitView

    view = SpectacularSwaggerSplitView.as_view(url_name="api_schema", template_name="api_docs.html")
    return view(request)
