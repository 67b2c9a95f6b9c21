"""Asking before what cannot be undone: a page that says what follows, with one button that does it and a way back.

A view asks on GET and acts on POST, so that the button elsewhere is a link to the question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@dataclass(frozen=True)
class Question:
    """What is asked in `heading`, what follows, the words on the button, and the address to go back to."""

    heading: str
    consequences: tuple[str, ...]
    button: str
    back: str
    # What the button sends beside its address.
    fields: tuple[tuple[str, str], ...] = ()


def ask(
    request: HttpRequest, question: Question, template: str = "confirm.html", **context: Any
) -> HttpResponse:
    """Return the page that asks; a template that extends `confirm.html` can show more above the button."""
    return render(request, template, {"question": question, **context})
