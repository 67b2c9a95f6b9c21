"""Numbers with the things that they count, in the plural that the reader's language has for them."""

from __future__ import annotations

from django.utils.translation import ngettext


def ratings(number: int) -> str:
    return ngettext("%(count)s rating", "%(count)s ratings", number) % {"count": f"{number:,}"}


def evaluators(number: int) -> str:
    return ngettext("%(count)s evaluator", "%(count)s evaluators", number) % {"count": f"{number:,}"}


def valid_evaluators(number: int) -> str:
    return ngettext("%(count)s valid evaluator", "%(count)s valid evaluators", number) % {
        "count": f"{number:,}"
    }


def prompts(number: int) -> str:
    return ngettext("%(count)s prompt", "%(count)s prompts", number) % {"count": f"{number:,}"}


def methods(number: int) -> str:
    return ngettext("%(count)s method", "%(count)s methods", number) % {"count": f"{number:,}"}


def texts(number: int) -> str:
    return ngettext("%(count)s text", "%(count)s texts", number) % {"count": f"{number:,}"}


def pages(number: int) -> str:
    return ngettext("%(count)s page", "%(count)s pages", number) % {"count": f"{number:,}"}


def comparisons(number: int) -> str:
    return ngettext("%(count)s comparison", "%(count)s comparisons", number) % {"count": f"{number:,}"}
