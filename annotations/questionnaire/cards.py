"""One text on a page as its evaluator sees it, with the questions about it.

It shows the letter, the text and the token, and never anything that tells the method.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from annotations.models import Criterion
from annotations.models.texts_by_language import TextsByLanguage
from annotations.questionnaire.checklists.questions import ChecklistQuestion
from annotations.questionnaire.fragments import question_html
from annotations.questionnaire.marking.questions import MarkingQuestion
from annotations.questionnaire.turns.questions import TurnQuestion
from annotations.questionnaire.written.fields import WrittenField

FULL_STOP = re.compile(r"(?<=[。！？!?])(?=.)")


@dataclass(frozen=True)
class Question:
    """A criterion asked about one candidate. Its name is the token and the criterion's key."""

    criterion: Criterion
    token: str
    letter: str
    score: float | None
    # Whether it can be answered now.
    is_open: bool = True

    @property
    def key(self) -> str:
        return self.criterion.key

    @property
    def label(self) -> TextsByLanguage:
        label: TextsByLanguage = self.criterion.label
        return label

    @property
    def points(self) -> range:
        return self.criterion.points

    @property
    def off_scale(self) -> str:
        """What is said of a score that the criterion does not have."""
        bounds = {"minimum": self.criterion.minimum, "maximum": self.criterion.maximum}
        return _("A score must be a whole number from %(minimum)d to %(maximum)d.") % bounds

    @property
    def name(self) -> str:
        return f"{self.token}.{self.criterion.key}"

    @property
    def anchor(self) -> str:
        return f"{self.letter.lower()}-{self.criterion.key}"

    @property
    def field_html(self) -> SafeString:
        return self._html("_question")

    @property
    def missing_html(self) -> SafeString:
        """Its place in the list of what is missing."""
        return self._html("_missing")

    def _html(self, template: str) -> SafeString:
        return question_html(
            template, self.criterion, self.token, self.letter, self.score, is_open=self.is_open
        )


@dataclass(frozen=True)
class Card:
    """A candidate with the questions about it."""

    token: str
    letter: str
    # As the study's rule shows it.
    text: str
    questions: Sequence[Question | ChecklistQuestion | TurnQuestion]
    is_best: bool
    is_verse: bool

    html: SafeString
    # Where its errors are marked.
    marking: MarkingQuestion | None = None
    # What may be written about it.
    written: Sequence[WrittenField] = ()

    @property
    def lines(self) -> list[str]:
        return text_lines(self.text, is_verse=self.is_verse)


def text_lines(text: str, *, is_verse: bool) -> list[str]:
    """Return the lines of a text. A poem that came as one line is set a couplet a line, like the others."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return FULL_STOP.split(lines[0]) if is_verse and len(lines) == 1 else lines
