"""The languages in which an evaluator can read the pages of a study."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import activate, get_language

from annotations.models import Study


def offer_languages(request: HttpRequest, study: Study) -> None:
    """Let a page be read in the languages of a study alone: in the reader's if it is one of them, else in the first."""
    request.offered_languages = study.interface_languages  # type: ignore[attr-defined]
    # Until the answer is out: the next request begins with the reader's language.
    activate(offered_language(study))


def offered_language(study: Study) -> str:
    """Return in which language a reader gets the pages of a study."""
    language = get_language()
    return language if language in study.interface_languages else study.interface_languages[0]


def follow_page(request: HttpRequest) -> None:
    """Answer a script in the language of its page, which may be another than the reader's, where it says which."""
    said = request.headers.get("Content-Language", "").lower()
    if said in dict(settings.LANGUAGES):
        activate(said)
