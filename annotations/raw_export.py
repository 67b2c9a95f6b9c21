"""The answers of a study one by one: what every number of its report was computed from.

There is one row for each rating, and one for each best pick, so that a page on which nothing but a pick was made is
not lost. The columns:

- `study`: slug of the study
- `evaluator`: pseudonym; `source` says whether a person answered the questionnaire, or the answers were imported
  or simulated
- `prompt_number`: sub-task and page, as in 3/10; `prompt`: the question or the title
- `method`: key of the method that wrote the candidate
- `kind`: `rating` or `best_choice`
- `criterion`, `score`, `off_scale`: the criterion's key, the score on it, and whether the score, which then was
  imported, is none of the scale; all three are missing in a best choice
- `position`: the candidate's place on this evaluator's page, from 1 (the one lettered A)
- `best`: whether this candidate is the one picked on its page
- `saved_at`: when the answer as it stands was saved; in UTC, as all times
- `first_answered_at`, `times_changed`, `seconds_on_page`: from the history of the answer, which only the questionnaire
  keeps: when it was first given, how often it was changed since, and how long the page had been in view when it was
  given last

Rows come by evaluator (in order of enrolment), sub-task, page, position and criterion (in the study's order); a best
choice follows the ratings of its candidate. What is missing is an empty cell, null in JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

from django.db.models import (
    BooleanField,
    CharField,
    ExpressionWrapper,
    F,
    FilteredRelation,
    Func,
    Q,
    QuerySet,
    SmallIntegerField,
    Value,
)

from annotations.models import BestChoice, PageCandidate, Rating, Study
from annotations.row_files import FORMATS, Columns, Row
from annotations.unblinding import refuse_sealed

COLUMNS: Columns = {
    "study": "text",
    "evaluator": "text",
    "source": "text",
    "prompt_number": "text",
    "prompt": "text",
    "method": "text",
    "kind": "text",
    "criterion": "text",
    "score": "integer",
    "off_scale": "boolean",
    "position": "integer",
    "best": "boolean",
    "saved_at": "time",
    "first_answered_at": "time",
    "times_changed": "integer",
    "seconds_on_page": "real",
}

# How many rows the database hands over at a time.
FETCHED_AT_ONCE = 2_000


class UtcText(Func):
    """A time as text in ISO 8601: a million datetime objects would take longer than the query."""

    template = """to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    output_field = CharField()


# Where an answer stands: the rows are in this order, and it tells one answer from the next.
PLACE = (
    "enrolment__number",
    "enrolment__placements__page__subtask__number",
    "enrolment__placements__page__number",
    "enrolment__placements__position",
    "criterion__number",
)
# What is said of ratings and best picks alike.
COMMON = (
    "candidate_id",
    UtcText("saved_at"),
    "step__id",
    UtcText("step__changed_at"),
    "step__seconds_on_page",
)
SECONDS_ON_PAGE = len(PLACE) + len(COMMON) - 1
# The placement of this candidate alone, not of everything on the evaluator's pages.
AS_SHOWN = Q(enrolment__placements__candidate=F("candidate"))
IS_PICK = ExpressionWrapper(Q(pick__isnull=False), output_field=BooleanField())
NO_NUMBER = Value(None, output_field=SmallIntegerField())
NO_BOOLEAN = Value(None, output_field=BooleanField())


def answer_steps(study: Study) -> QuerySet[Any, tuple[Any, ...]]:
    """Return all answers of a study in order, each as often as there are steps in its history, at least once.

    One statement, so that it sees the study at one moment; joined, because a lookup for each answer would take
    ten times as long; and without names, which would come a hundred times each.
    """
    ratings = (
        Rating.objects.filter(AS_SHOWN, enrolment__study=study)
        .annotate(
            step=FilteredRelation(
                "enrolment__changes",
                condition=Q(
                    enrolment__changes__candidate=F("candidate"), enrolment__changes__criterion=F("criterion")
                ),
            ),
            pick=FilteredRelation(
                "enrolment__best_choices", condition=Q(enrolment__best_choices__candidate=F("candidate"))
            ),
        )
        .values_list(*PLACE, *COMMON, "score", "off_scale", IS_PICK)
    )
    best_choices = (
        BestChoice.objects.filter(AS_SHOWN, enrolment__study=study)
        .annotate(
            # Also the steps at which another candidate of the page was picked.
            step=FilteredRelation(
                "enrolment__changes",
                condition=Q(enrolment__changes__page=F("page"), enrolment__changes__criterion=None),
            )
        )
        .values_list(*PLACE[:-1], NO_NUMBER, *COMMON, NO_NUMBER, NO_BOOLEAN, Value(True))
    )
    # A missing number sorts last: the pick comes after the ratings of its candidate.
    return ratings.union(best_choices, all=True).order_by(*PLACE, "step__id")


class Names:
    """What the numbers in the answers of a study stand for."""

    def __init__(self, study: Study) -> None:
        self.study = study.slug
        self.evaluators = {
            number: (pseudonym, source)
            for number, pseudonym, source in study.enrolments.values_list("number", "pseudonym", "source")
        }
        self.criteria: dict[int | None, str | None] = dict(study.criteria.values_list("number", "key"))
        self.criteria[None] = None
        self.candidates = {
            candidate: (f"{subtask}/{page}", prompt, method)
            for candidate, subtask, page, prompt, method in PageCandidate.objects.filter(
                page__subtask__study=study
            ).values_list(
                "candidate",
                "page__subtask__number",
                "page__number",
                "page__prompt__text",
                "study_method__method__key",
            )
        }


def answers(study: Study) -> Iterator[Row]:
    """Return the answers of a study as rows of `COLUMNS`, by five queries and in constant memory; raise `Sealed`."""
    refuse_sealed(study)
    return named_answers(study)


def named_answers(study: Study) -> Iterator[Row]:
    steps = answer_steps(study).iterator(chunk_size=FETCHED_AT_ONCE)
    first = next(steps, None)
    if first is None:
        return
    # Read after the answers were selected, so that whoever gave one is among them.
    names = Names(study)
    for _, history in groupby(chain([first], steps), key=itemgetter(slice(len(PLACE)))):
        yield answer(names, *history)


def answer(names: Names, first: tuple[Any, ...], *later: tuple[Any, ...]) -> Row:
    """Return one answer as a row of `COLUMNS`, from the steps of its history."""
    evaluator, _, _, position, criterion, *common, score, off_scale, is_best = first
    candidate, saved_at, step, first_answered_at, seconds_on_page = common
    for change in later:
        # A browser that did not count the time sent none.
        if change[SECONDS_ON_PAGE] is not None:
            seconds_on_page = change[SECONDS_ON_PAGE]
    return (
        names.study,
        *names.evaluators[evaluator],
        *names.candidates[candidate],
        "best_choice" if criterion is None else "rating",
        names.criteria[criterion],
        score,
        off_scale,
        position + 1,
        is_best,
        saved_at,
        first_answered_at,
        None if step is None else len(later),
        seconds_on_page,
    )


def answer_count(study: Study) -> int:
    """Count the rows of the export."""
    return (
        Rating.objects.filter(enrolment__study=study).count()
        + BestChoice.objects.filter(enrolment__study=study).count()
    )


def rating_chunks(study: Study, file_format: str) -> Iterator[bytes]:
    """Return the answers of a study as a file in one of `row_files.FORMATS`, in chunks; raise `Sealed`."""
    return FORMATS[file_format](COLUMNS, answers(study))
