"""The answers of a study one by one: what every number of its report was computed from.

There is one row for each rating, and one for each best pick, so that a page on which nothing but a pick was made is
not lost; `AnswerRow` says what its columns are.

Rows come by evaluator (in order of enrolment), sub-task, page, position and criterion (in the study's order); a best
choice follows the ratings of its candidate. What is missing is an empty cell, null in JSON.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from operator import attrgetter
from typing import Any, NamedTuple

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

from annotations.models import AnswerChange, BestChoice, Page, PageCandidate, Rating, Study
from annotations.models.study_methods import method_label
from annotations.results.seal import refuse_sealed
from generation.models import prompt_heading
from stats.reports.write_rows import FORMATS, Columns, as_json

COLUMNS: Columns = {
    "study": "text",
    "evaluator": "text",
    "source": "text",
    "subtask": "integer",
    "page": "integer",
    "prompt": "text",
    "prompt_id": "text",
    "tags": "json",
    "method": "text",
    "method_label": "text",
    "kind": "text",
    "criterion": "text",
    "score": "real",
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


class AnswerRow(NamedTuple):
    """A row of the export, with a field for each of `COLUMNS`."""

    # Slug of the study.
    study: str
    # Pseudonym, and whether a person answered the questionnaire, or the answers were imported or simulated.
    evaluator: str
    source: str
    # Numbers of the sub-task and of the page in it: as one text, 3/10 would be a date in a spreadsheet.
    subtask: int
    page: int
    # The question, the title or what else the prompt is headed by.
    prompt: str
    # What its owner calls the prompt, and by what it is grouped, as in '{"domain": "news"}'; None where there are none.
    prompt_id: str | None
    tags: str | None
    # Key of the method that wrote the candidate, and what the study calls it.
    method: str
    method_label: str
    # "rating" or "best_choice".
    kind: str
    # Key of the criterion, the score on it, and whether the score, which then was imported, is none of the scale; None
    # in a best choice.
    criterion: str | None
    score: float | None
    off_scale: bool | None
    # The candidate's place on this evaluator's page, from 1 (the one lettered A).
    position: int
    # Whether this candidate is the one picked on its page.
    best: bool
    # When the answer as it stands was saved; in UTC, as all times.
    saved_at: str
    # From the history of the answer, which only the questionnaire keeps: when it was first given, how often it was
    # changed since, and how long the page had been in view when it was given last.
    first_answered_at: str | None
    times_changed: int | None
    seconds_on_page: float | None


# The numbers of an enrolment, a sub-task and a page.
PageKey = tuple[int, int, int]


class StoredAnswer(NamedTuple):
    """An answer as the database gives it: numbers stand for names, which would come a hundred times each."""

    enrolment: int
    subtask: int
    page: int
    # From 0.
    position: int
    # None for a best choice, as are its score and whether that is off its scale.
    criterion: int | None
    candidate: int
    score: float | None
    off_scale: bool | None
    is_best: bool
    saved_at: str

    @property
    def page_key(self) -> PageKey:
        return self.enrolment, self.subtask, self.page


class StoredStep(NamedTuple):
    """A step in the history of an answer: it was given, or changed."""

    enrolment: int
    subtask: int
    page: int
    candidate: int | None
    # None for a best choice.
    criterion: int | None
    changed_at: str
    # How long the page had been in view; None where the browser did not count.
    seconds_on_page: float | None

    @property
    def page_key(self) -> PageKey:
        return self.enrolment, self.subtask, self.page


class ShownCandidate(NamedTuple):
    """What a row says of its candidate."""

    subtask: int
    page: int
    prompt: str
    prompt_id: str | None
    tags: str | None
    method: str
    method_label: str


class Evaluator(NamedTuple):
    """What a row says of its evaluator."""

    pseudonym: str
    source: str


class UtcText(Func):
    """A time as text in ISO 8601: a million datetime objects would take longer than the query."""

    template = """to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    output_field = CharField()


# The columns of `StoredAnswer.page_key` and of its place there: the rows are in this order.
PAGE = (
    "enrolment__number",
    "enrolment__placements__page__subtask__number",
    "enrolment__placements__page__number",
)
PLACE = ("enrolment__placements__position", "criterion__number")
# The placement of this candidate alone, not of everything on the evaluator's pages.
AS_SHOWN = Q(enrolment__placements__candidate=F("candidate"))
IS_PICK = ExpressionWrapper(Q(pick__isnull=False), output_field=BooleanField())
NO_NUMBER = Value(None, output_field=SmallIntegerField())
NO_BOOLEAN = Value(None, output_field=BooleanField())
EVERYBODY = Q()


def stored_answers(study: Study, of: Q = EVERYBODY) -> QuerySet[Any, tuple[Any, ...]]:
    """Return the answers of a study in order, with the columns of `StoredAnswer`."""
    counted = of_counted_pages(study, "enrolment__placements__page")
    ratings = (
        Rating.objects.filter(AS_SHOWN & counted, of, enrolment__study=study)
        .annotate(
            pick=FilteredRelation(
                "enrolment__best_choices", condition=Q(enrolment__best_choices__candidate=F("candidate"))
            )
        )
        .values_list(*PAGE, *PLACE, "candidate_id", "score", "off_scale", IS_PICK, UtcText("saved_at"))
    )
    best_choices = BestChoice.objects.filter(AS_SHOWN & counted, of, enrolment__study=study).values_list(
        *PAGE, PLACE[0], NO_NUMBER, "candidate_id", NO_NUMBER, NO_BOOLEAN, Value(True), UtcText("saved_at")
    )
    # A missing number sorts last: the pick comes after the ratings of its candidate.
    return ratings.union(best_choices, all=True).order_by(*PAGE, *PLACE)


def stored_steps(study: Study, of: Q = EVERYBODY) -> QuerySet[AnswerChange, tuple[Any, ...]]:
    """Return the history of the answers of a study, page by page in the order of `stored_answers`, as `StoredStep`s.

    By itself, because a database that has not counted its rows yet joins it to the answers in a time that grows
    with the square of their number.
    """
    page = ("enrolment__number", "page__subtask__number", "page__number")
    return (
        AnswerChange.objects.filter(
            of & of_counted_pages(study, "page"),
            enrolment__study=study,
            marking__isnull=True,
            item=None,
            turn=None,
        )
        .order_by(*page, "pk")
        .values_list(*page, "candidate_id", "criterion__number", UtcText("changed_at"), "seconds_on_page")
    )


class Histories:
    """The steps of the answers on each page, for pages asked for in order."""

    def __init__(self, study: Study, of: Q = EVERYBODY) -> None:
        self.steps = map(StoredStep._make, stored_steps(study, of).iterator(chunk_size=FETCHED_AT_ONCE))
        self.step = next(self.steps, None)

    def of_page(self, page: PageKey) -> dict[tuple[int | None, int | None], list[StoredStep]]:
        """Return the steps of a page's answers, by candidate and criterion; those of its pick by None and None."""
        found: dict[tuple[int | None, int | None], list[StoredStep]] = defaultdict(list)
        while self.step is not None and self.step.page_key <= page:
            if self.step.page_key == page:
                # Every pick of the page is a step of the one that stands.
                candidate = None if self.step.criterion is None else self.step.candidate
                found[candidate, self.step.criterion].append(self.step)
            self.step = next(self.steps, None)
        return found


class Names:
    """What the numbers in the answers of a study stand for."""

    def __init__(self, study: Study) -> None:
        self.study = study.slug
        self.evaluators = {
            number: Evaluator(pseudonym, source)
            for number, pseudonym, source in study.enrolments.values_list("number", "pseudonym", "source")
        }
        self.criteria = dict(study.criteria.values_list("number", "key"))
        shown = PageCandidate.objects.filter(page__subtask__study=study).values_list(
            "candidate",
            "page__subtask__number",
            "page__number",
            prompt_heading("page__prompt__"),
            "page__prompt__external_id",
            "page__prompt__tags",
            "study_method__method__key",
            method_label("study_method__"),
        )
        self.candidates = {
            candidate: ShownCandidate(
                subtask, page, prompt, external_id or None, as_json(tags), method, label or method
            )
            for candidate, subtask, page, prompt, external_id, tags, method, label in shown
        }


def of_counted_pages(study: Study, page: str) -> Q:
    """Return the answers to pages that count, `page` being the way to them.

    Everything where a study has no other pages, so that a million answers are not joined to them for nothing.
    """
    return Q(**{f"{page}__role": Page.Role.COUNTED}) if study.has_checks else EVERYBODY


def answers(study: Study) -> Iterator[AnswerRow]:
    """Return the answers of a study, in constant memory and queries; raise `Sealed`."""
    refuse_sealed(study)
    return named_answers(study)


def answers_between(study: Study, start: int, stop: int, *, evaluator: str | None = None) -> list[AnswerRow]:
    """Return the answers of a study, or of one evaluator (pseudonym), from place `start` on, before `stop`.

    In five queries at most, of which one sorts all answers. Raises `Sealed`.
    """
    refuse_sealed(study)
    stored = list(map(StoredAnswer._make, stored_answers(study, of_evaluator(evaluator))[start:stop]))
    histories = Histories(study, Q(enrolment__number__in={answer.enrolment for answer in stored}))
    return list(named(study, stored, histories)) if stored else []


def of_evaluator(pseudonym: str | None) -> Q:
    return EVERYBODY if pseudonym is None else Q(enrolment__pseudonym=pseudonym)


def named_answers(study: Study) -> Iterator[AnswerRow]:
    stored = map(StoredAnswer._make, stored_answers(study).iterator(chunk_size=FETCHED_AT_ONCE))
    first = next(stored, None)
    if first is None:
        return
    # Both are read after the answers were selected: whoever gave one is among the names, and has a history. In a
    # study that still takes answers the history can be a step ahead.
    yield from named(study, chain([first], stored), Histories(study))


def named(study: Study, stored: Iterable[StoredAnswer], histories: Histories) -> Iterator[AnswerRow]:
    """Yield stored answers with the names that their numbers stand for, and what their history says."""
    names = Names(study)
    for page, on_page in groupby(stored, key=attrgetter("page_key")):
        history = histories.of_page(page)
        for answer in on_page:
            is_pick = answer.criterion is None
            steps = history.get((None if is_pick else answer.candidate, answer.criterion), [])
            evaluator = names.evaluators[answer.enrolment]
            candidate = names.candidates[answer.candidate]
            yield AnswerRow(
                study=names.study,
                evaluator=evaluator.pseudonym,
                source=evaluator.source,
                subtask=candidate.subtask,
                page=candidate.page,
                prompt=candidate.prompt,
                prompt_id=candidate.prompt_id,
                tags=candidate.tags,
                method=candidate.method,
                method_label=candidate.method_label,
                kind="best_choice" if is_pick else "rating",
                criterion=None if answer.criterion is None else names.criteria[answer.criterion],
                score=answer.score,
                off_scale=answer.off_scale,
                position=answer.position + 1,
                best=answer.is_best,
                saved_at=answer.saved_at,
                first_answered_at=steps[0].changed_at if steps else None,
                times_changed=len(steps) - 1 if steps else None,
                # A browser that did not count the time sent none.
                seconds_on_page=next(
                    (step.seconds_on_page for step in reversed(steps) if step.seconds_on_page is not None),
                    None,
                ),
            )


def answer_count(study: Study, *, evaluator: str | None = None) -> int:
    """Count the rows of the export, or those of one evaluator (pseudonym)."""
    of = of_evaluator(evaluator)
    counted = of_counted_pages(study, "candidate__pagecandidate__page")
    in_study = Q(candidate__pagecandidate__page__subtask__study=study) if counted else EVERYBODY
    return (
        Rating.objects.filter(of, in_study & counted, enrolment__study=study).count()
        + BestChoice.objects.filter(of & of_counted_pages(study, "page"), enrolment__study=study).count()
    )


def rating_chunks(study: Study, file_format: str) -> Iterator[bytes]:
    """Return the answers of a study as a file in one of `write_rows.FORMATS`, in chunks; raise `Sealed`."""
    return FORMATS[file_format](COLUMNS, answers(study))
