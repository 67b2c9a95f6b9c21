"""What a browser may send to a page: one answer as JSON, or the whole page as a form."""

from __future__ import annotations

import json
import math
import re
import time
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NoReturn

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext as _

from annotations.questionnaire.cards import Question
from annotations.questionnaire.checklists.questions import ChecklistQuestion
from annotations.questionnaire.judged_questions import JudgedQuestion
from annotations.questionnaire.judging import SentJudgement
from annotations.questionnaire.marking.forms import (
    DIGEST,
    MAX_MARKING_BYTES,
    marking_fields,
    marks_of,
    quoted_marking,
)
from annotations.questionnaire.marking.questions import MarkingQuestion
from annotations.questionnaire.marking.saving import SentMarking
from annotations.questionnaire.page import RatingPage
from annotations.questionnaire.saving import MAX_CLIENT_ORDER, Answer
from annotations.questionnaire.turns.questions import TurnQuestion
from annotations.questionnaire.written.saving import SentText

# Longer than any answer.
MAX_ANSWER_BYTES = 600
# With the tokens of as many texts as a page can have.
MAX_JUDGEMENT_BYTES = 1_200
MAX_SCORE = 32_767
# A page left open in view for longer counts as this: a day.
MAX_SECONDS_ON_PAGE = 86_400
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,22}")
CRITERION = re.compile(r"[A-Za-z0-9_-]{1,40}")
# Or, with its number, a turn of a text by a criterion.
CRITERION_OR_TURN = re.compile(r"[A-Za-z0-9_-]{1,40}(:[1-9][0-9]{0,2})?")
ANSWER_KEYS = frozenset({"token", "criterion", "score", "order", "seconds"})
MARKING_KEYS = frozenset({"token", "marks", "done", "digest", "order", "seconds"})


class BadAnswer(ValueError):
    """A body that is no answer, with a message for the evaluator."""


def parse_answer(body: bytes) -> Answer:
    """Return the answer in a JSON body, or raise `BadAnswer`.

    The body is an object with exactly the keys token, criterion (null for the best pick), score (null likewise),
    order and seconds (or null). Whether the score is on its scale is for the database to say.
    """
    fields = read_fields(body, MAX_ANSWER_BYTES)
    if "places" in fields:
        refuse()
    criterion, score, seconds = fields["criterion"], fields["score"], fields["seconds"]
    fits = (
        matches(TOKEN, fields["token"])
        and (criterion is None or matches(CRITERION_OR_TURN, criterion))
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


def parse_judgement(body: bytes) -> SentJudgement:
    """Return the answer about a page in a JSON body, or raise `BadAnswer`.

    The body is as that of an answer, with the number of an option as its score; an order has no score, and `places`,
    the tokens of texts, beside the other keys.
    """
    fields = read_fields(body, MAX_JUDGEMENT_BYTES)
    places = fields.pop("places", None)
    number, seconds = fields["score"], fields["seconds"]
    fits = (
        matches(TOKEN, fields["token"])
        and matches(CRITERION, fields["criterion"])
        and (number is None or is_whole_number(number, 0, MAX_SCORE))
        and (places is None or (isinstance(places, list) and all(matches(TOKEN, one) for one in places)))
        and is_whole_number(fields["order"], 1, MAX_CLIENT_ORDER)
        and (seconds is None or is_duration(seconds))
    )
    if not fits:
        refuse()
    return SentJudgement(
        token=fields["token"],
        criterion=fields["criterion"],
        client_order=fields["order"],
        number=number,
        places=None if places is None else tuple(places),
        seconds_on_page=None if seconds is None else float(min(seconds, MAX_SECONDS_ON_PAGE)),
    )


def parse_marking(body: bytes) -> SentMarking:
    """Return all marks of a text in a JSON body, or raise `BadAnswer`; whether they fit the text is not checked here.

    The body is an object with exactly the keys token, marks (objects with category, severity, start, end and note),
    done, digest (that of the page), order and seconds (or null).
    """
    if len(body) > MAX_MARKING_BYTES:
        raise BadAnswer(
            _("These marks and notes are too long to be sent: shorten the notes, or take marks out.")
        )
    fields = read_fields(body, MAX_MARKING_BYTES, MARKING_KEYS)
    marks, seconds = marks_of(fields["marks"]), fields["seconds"]
    fits = (
        matches(TOKEN, fields["token"])
        and marks is not None
        and isinstance(fields["done"], bool)
        and matches(DIGEST, fields["digest"])
        and is_whole_number(fields["order"], 1, MAX_CLIENT_ORDER)
        and (seconds is None or is_duration(seconds))
    )
    if not fits:
        refuse()
    return SentMarking(
        token=fields["token"],
        client_order=fields["order"],
        marks=marks or (),
        is_done=fields["done"],
        seconds_on_page=None if seconds is None else float(min(seconds, MAX_SECONDS_ON_PAGE)),
        digest=fields["digest"],
    )


def read_fields(body: bytes, longest: int, keys: frozenset[str] = ANSWER_KEYS) -> dict[str, Any]:
    """Return the object in a JSON body with the keys of an answer, or raise `BadAnswer`."""
    if len(body) > longest:
        refuse()
    try:
        fields = json.loads(body, parse_constant=lambda constant: refuse())
    except (ValueError, RecursionError) as error:
        raise BadAnswer(_("This is not an answer. Load the page again.")) from error
    if not isinstance(fields, dict) or fields.keys() - {"places"} != keys:
        refuse()
    return fields


def judged_fields(question: JudgedQuestion) -> dict[str, forms.Field]:
    """Return the fields of a question about a page by their names: one for its options, or one for each place."""
    if not question.places:
        options = question.options
        wrong = _("An answer is a number from 1 to %(most)d.") % {"most": len(options)}
        numbers = [(option.number, option.label) for option in options]
        return {
            question.name: forms.TypedChoiceField(
                required=False,
                coerce=int,
                empty_value=None,
                choices=numbers,
                error_messages={"invalid_choice": wrong},
            )
        }
    texts = [("", "–"), *((card.token, card.letter) for card in question.cards)]
    return {
        f"{question.name}.{place}": forms.ChoiceField(required=False, choices=texts)
        for place in range(1, question.places + 1)
    }


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
        self.quoted: list[SentMarking] = []
        for judged in rating_page.judged:
            self.fields.update(judged_fields(judged))
        for marking in rating_page.markings:
            self.fields.update(marking_fields(marking))
        for question in self.rated():
            self.fields[question.name] = forms.TypedChoiceField(
                required=False,
                coerce=int,
                empty_value=None,
                choices=[(point, point) for point in question.points],
                error_messages={"invalid_choice": question.off_scale},
            )
        for field in rating_page.all_written:
            self.fields[field.name] = forms.CharField(
                required=False, strip=False, max_length=field.longest, empty_value=""
            )
        if rating_page.study.has_best_picks:
            self.fields["best"] = forms.ChoiceField(
                required=False, choices=[(card.token, card.letter) for card in rating_page.cards]
            )

    def clean(self) -> dict[str, Any]:
        """Refuse an order with a free place before a text: which place the text was meant for nobody knows."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for question in self.rating_page.judged:
            if not question.places:
                continue
            names = list(judged_fields(question))
            for name, later in pairwise(names):
                if cleaned.get(later) and not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, _("Fill the places from the first on, without a gap."))
                    break
        for marking in self.rating_page.markings:
            try:
                sent = quoted_marking(marking, cleaned, self.order)
            except forms.ValidationError as error:
                self.add_error(None, error)
            else:
                self.quoted += [sent] if sent else []
        return cleaned

    def rated(self) -> list[Question | ChecklistQuestion | TurnQuestion]:
        """Return the questions about single texts."""
        return [question for card in self.rating_page.cards for question in card.questions]

    def problems(self) -> list[Problem]:
        """Return what is wrong with single questions, for links to them."""
        labels: dict[str, Question | ChecklistQuestion | TurnQuestion | JudgedQuestion | MarkingQuestion] = {
            question.name: question for question in self.rated()
        }
        for judged in self.rating_page.judged:
            labels |= dict.fromkeys(judged_fields(judged), judged)
        for marking in self.rating_page.markings:
            labels |= dict.fromkeys(marking_fields(marking), marking)
        return [
            Problem(
                labels[name].anchor,
                f"{labels[name].letter} {labels[name].label}".strip(),
                str(message),
            )
            if name in labels
            else Problem(
                name if "~" in name else "best", _("Text") if "~" in name else _("Best"), str(message)
            )
            for name, messages in self.errors.items()
            if name != NON_FIELD_ERRORS
            for message in messages
        ]

    @property
    def order(self) -> int:
        """A client order later than those of all stored answers."""
        return max(time.time_ns() // 1_000_000, self.rating_page.highest_order + 1)

    def judgements(self) -> list[SentJudgement]:
        """Return what differs from the stored answers about the page, later than all of them."""
        order, sent = self.order, []
        for question in self.rating_page.judged:
            given = [self.cleaned_data[name] for name in judged_fields(question)]
            if question.places:
                places = tuple(token for token in given if token)
                if places and " ".join(places) != question.order:
                    sent.append(SentJudgement(question.token, question.criterion.key, order, places=places))
            elif given[0] not in (None, question.number):
                sent.append(SentJudgement(question.token, question.criterion.key, order, number=given[0]))
        return sent

    def markings(self) -> list[SentMarking]:
        """Return the marks of the texts whose marks are others than those stored, later than all of these."""
        return self.quoted

    def texts(self) -> list[SentText]:
        """Return what was written otherwise than it stands on the page, later than all answers."""
        order, sent = self.order, []
        for field in self.rating_page.all_written:
            # Browsers send the end of a line as two characters.
            text = self.cleaned_data[field.name].replace("\r\n", "\n")
            if field.name in self.data and text.strip() != field.text.replace("\r\n", "\n").strip():
                sent.append(SentText(field.token, field.kind, text, order))
        return sent

    def answers(self) -> list[Answer]:
        """Return what differs from the stored answers about single texts, later than all of them."""
        order = self.order
        changed = [
            Answer(question.token, order, question.key, score)
            for question in self.rated()
            if (score := self.cleaned_data[question.name]) not in (None, question.score)
        ]
        best = self.cleaned_data.get("best")
        return [*changed, Answer(best, order)] if best and best != self.rating_page.best else changed
