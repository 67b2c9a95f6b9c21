"""What the foot of every page says of the site."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def footer(request: HttpRequest) -> dict[str, str]:
    """Give every page the version of the site and where its source is, if an administrator has said so."""
    return {"site_version": settings.VERSION, "source_url": settings.SOURCE_URL}
