"""What a browser may send to a page: one answer as JSON, or the whole page as a form."""

from __future__ import annotations

import json
import math
import re
import time
from dataclasses import dataclass
from typing import Any, NoReturn

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext as _

from annotations.questionnaire.page import RatingPage
from annotations.questionnaire.saving import MAX_CLIENT_ORDER, Answer

# Longer than any answer, and too short to nest deep enough to trouble the parser.
MAX_ANSWER_BYTES = 600
MAX_SCORE = 32_767
# A page left open in view for longer counts as this: a day.
MAX_SECONDS_ON_PAGE = 86_400
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,22}")
CRITERION = re.compile(r"[A-Za-z0-9_-]{1,40}")
ANSWER_KEYS = {"token", "criterion", "score", "order", "seconds"}


class BadAnswer(ValueError):
    """A body that is no answer, with a message for the evaluator."""


def parse_answer(body: bytes) -> Answer:
    """Return the answer in a JSON body, or raise `BadAnswer`.

    The body is an object with exactly the keys token, criterion (null for the best pick), score (null likewise),
    order and seconds (or null). Whether the score is on its scale is for the database to say.
    """
    if len(body) > MAX_ANSWER_BYTES:
        refuse()
    try:
        fields = json.loads(body, parse_constant=lambda constant: refuse())
    except ValueError as error:
        raise BadAnswer(_("This is not an answer. Load the page again.")) from error
    if not isinstance(fields, dict) or fields.keys() != ANSWER_KEYS:
        refuse()
    criterion, score, seconds = fields["criterion"], fields["score"], fields["seconds"]
    fits = (
        matches(TOKEN, fields["token"])
        and (criterion is None or matches(CRITERION, criterion))
        and (score is None or is_whole_number(score, -MAX_SCORE, MAX_SCORE))
        and (criterion is None) == (score is None)
        and is_whole_number(fields["order"], 1, MAX_CLIENT_ORDER)
        and (seconds is None or is_duration(seconds))
    )
    if not fits:
        refuse()
    return Answer(
        token=fields["token"],
        client_order=fields["order"],
        criterion=criterion,
        score=score,
        seconds_on_page=None if seconds is None else float(min(seconds, MAX_SECONDS_ON_PAGE)),
    )


def refuse() -> NoReturn:
    raise BadAnswer(_("This is not an answer. Load the page again."))


def matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def is_whole_number(value: Any, lowest: int, highest: int) -> bool:
    # JSON's true is an int to Python.
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest


def is_duration(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


@dataclass(frozen=True)
class Problem:
    """What is wrong with the answer to one question, and where it stands on the page."""

    anchor: str
    label: str
    message: str


class PageForm(forms.Form):
    """The answers of a whole page; what is left out stays as it was."""

    def __init__(self, rating_page: RatingPage, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rating_page = rating_page
        for question in rating_page.questions:
            self.fields[question.name] = forms.TypedChoiceField(
                required=False,
                coerce=int,
                empty_value=None,
                choices=[(point, point) for point in question.criterion.points],
                error_messages={
                    "invalid_choice": _("A score must be a whole number from %(minimum)d to %(maximum)d.")
                    % {"minimum": question.criterion.minimum, "maximum": question.criterion.maximum}
                },
            )
        if rating_page.study.has_best_picks:
            self.fields["best"] = forms.ChoiceField(
                required=False, choices=[(card.token, card.letter) for card in rating_page.cards]
            )

    def problems(self) -> list[Problem]:
        """Return what is wrong with single questions, for links to them."""
        labels = {question.name: question for question in self.rating_page.questions}
        return [
            Problem(
                labels[name].anchor, f"{labels[name].letter} {labels[name].criterion.label}", str(message)
            )
            if name in labels
            else Problem("best", _("Best"), str(message))
            for name, messages in self.errors.items()
            if name != NON_FIELD_ERRORS
            for message in messages
        ]

    def answers(self) -> list[Answer]:
        """Return what differs from the stored answers, later than all of them."""
        order = max(time.time_ns() // 1_000_000, self.rating_page.highest_order + 1)
        changed = [
            Answer(question.token, order, question.criterion.key, score)
            for question in self.rating_page.questions
            if (score := self.cleaned_data[question.name]) not in (None, question.score)
        ]
        best = self.cleaned_data.get("best")
        return [*changed, Answer(best, order)] if best and best != self.rating_page.best else changed
