"""The documentation and the licence as pages, which everybody may read."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from evalsite.documentation.pages import CHINESE, ENGLISH, documentation_page, groups, picture


def reader_language() -> str:
    return CHINESE if (get_language() or "").startswith("zh") else ENGLISH


@login_not_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the pages of the documentation."""
    shown = [
        (heading, [documentation_page(name, reader_language()) for name in names])
        for heading, names in groups()
    ]
    return render(request, "documentation/index.html", {"groups": shown})


@login_not_required
@require_safe
def page(request: HttpRequest, name: str) -> HttpResponse:
    """Show a page of the documentation, in English where it is not written in the reader's language."""
    found = documentation_page(name, reader_language())
    if found is None:
        raise Http404
    return render(
        request, "documentation/page.html", {"page": found, "is_foreign": found.language != reader_language()}
    )


@login_not_required
@require_safe
def licence(request: HttpRequest) -> HttpResponse:
    """Show the licence of the site's code."""
    return render(request, "documentation/licence.html", {"licence": licence_text()})


@cache
def licence_text() -> str:
    return (settings.BASE_DIR / "LICENSE").read_text(encoding="utf-8")


@login_not_required
@require_safe
def documentation_picture(request: HttpRequest, name: str) -> FileResponse:
    """Send a picture of the documentation."""
    file = picture(name)
    if file is None:
        raise Http404
    return FileResponse(file.open("rb"), headers={"Cache-Control": "public, max-age=3600"})
