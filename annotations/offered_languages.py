"""The languages in which an evaluator can read the pages of a study."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import activate, get_language

from annotations.models import Study


def offer_languages(request: HttpRequest, study: Study) -> None:
    """Let a page be read in the languages of a study alone: in the reader's if it is one of them, else in the first."""
    request.offered_languages = study.interface_languages  # type: ignore[attr-defined]
    if get_language() not in study.interface_languages:
        # Until the answer is out: the next request begins with the reader's language.
        activate(study.interface_languages[0])
