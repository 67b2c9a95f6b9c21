"""A project as `django-admin startproject` makes it, with one view behind its log-in that makes one INSERT."""

from __future__ import annotations

import json
from typing import Any


def application() -> Any:
    """Return the WSGI application of a project as Django makes it, with one view."""
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application

    base = __import__("evalsite.settings").settings
    settings.configure(
        SECRET_KEY=base.SECRET_KEY,
        ALLOWED_HOSTS=["localhost"],
        DATABASES={"default": base.DATABASES["default"] | {"ENGINE": "django.db.backends.postgresql"}},
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
        ],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
    )
    return get_wsgi_application()


def addresses() -> list[Any]:
    from django.contrib.auth.decorators import login_required
    from django.db import connection
    from django.http import HttpRequest, HttpResponse, JsonResponse
    from django.urls import path

    @login_required
    def insert(request: HttpRequest) -> JsonResponse:
        fields = json.loads(request.body)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO benchmark_answer (user_id, token, score) VALUES (%s, %s, %s)",
                [request.user.pk, fields["token"], fields["score"]],
            )
        return JsonResponse({"token": fields["token"], "score": fields["score"]})

    def healthz(request: HttpRequest) -> HttpResponse:
        return HttpResponse("ok", content_type="text/plain")

    return [path("insert/", insert), path("healthz", healthz)]


# The addresses of the plain project.
urlpatterns = addresses()
