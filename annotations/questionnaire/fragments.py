"""What pages ask about a text, rendered once: it differs between pages by the text's token and score alone.

Nothing here knows a candidate: a fragment is found by the words of its criterion, the reader's language, the letter of
the place and the score.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from annotations.models import Criterion
from annotations.models.texts_by_language import TextsByLanguage

# Stands for the token until a page gives it; PostgreSQL keeps it in no text.
TOKEN = "\0"  # noqa: S105 - of a text
# Some megabytes: a study of five criteria of five points with four texts a page has 120.
MOST_FRAGMENTS = 2048


@dataclass(frozen=True)
class QuestionAsked:
    """What a question looks like to whoever reads it; for templates also what it is named after."""

    language: str
    # All that is stored of the criterion.
    stored: str
    letter: str
    score: float | None
    is_open: bool
    criterion: Criterion = field(compare=False)

    @property
    def name(self) -> str:
        return f"{TOKEN}.{self.criterion.key}"

    @property
    def label(self) -> TextsByLanguage:
        label: TextsByLanguage = self.criterion.label
        return label

    @property
    def anchor(self) -> str:
        return f"{self.letter.lower()}-{self.criterion.key}"


@lru_cache(maxsize=MOST_FRAGMENTS)
def rendered_by(template: str, question: QuestionAsked) -> str:
    return render_to_string(f"annotations/questionnaire/{template}.html", {"question": question})


def question_html(
    template: str, criterion: Criterion, token: str, letter: str, score: float | None, *, is_open: bool
) -> SafeString:
    """Return a question rendered by a template that knows nothing else."""
    stored = repr([getattr(criterion, one.attname) for one in criterion._meta.concrete_fields])
    asked = QuestionAsked(get_language() or "", stored, letter, score, is_open, criterion)
    return mark_safe(rendered_by(template, asked).replace(TOKEN, token))  # noqa: S308 - a template's, and a token
