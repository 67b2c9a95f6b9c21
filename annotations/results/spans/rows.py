"""The errors marked in a study one by one, as offsets and as tags.

Rows come by evaluator (in order of enrolment), sub-task, page, place on the page and place in the text. A text in which
nothing was marked has one row without a mark. Offsets count code points of the text as it was written; `tagged` is that
text with the marked stretch between <v> and </v>, and nothing else changed, as the files of MQM have it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from annotations.models import AnswerChange, Marking, PageCandidate, Span, Study
from annotations.results.answer_rows import AS_SHOWN, FETCHED_AT_ONCE, PAGE, Names, UtcText
from annotations.results.seal import refuse_sealed
from stats.reports.write_rows import FORMATS, Columns, Row

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
    # The text's place on the evaluator's page, from 1 (the one lettered A).
    "position": "integer",
    # Whether the evaluator said that all errors are marked.
    "is_done": "boolean",
    # Of the mark in its text, from 1; empty where nothing is marked.
    "mark": "integer",
    "start": "integer",
    "end": "integer",
    "words": "text",
    "category": "text",
    "severity": "text",
    "penalty": "real",
    "note": "text",
    "tagged": "text",
    "saved_at": "time",
    "first_answered_at": "time",
    "times_changed": "integer",
    "seconds_on_page": "real",
}


def span_rows(study: Study, start: int = 0, stop: int | None = None) -> Iterator[Row]:
    """Return the rows of the marked texts of a study from place `start` on, before `stop`; raise `Sealed`."""
    refuse_sealed(study)
    return _rows(study, start, stop)


def _rows(study: Study, start: int, stop: int | None) -> Iterator[Row]:
    stored = (
        Marking.objects.filter(AS_SHOWN, enrolment__study=study)
        .exclude(candidate__in=PageCandidate.objects.beside_results(study))
        .order_by(*PAGE, "enrolment__placements__position")
        .values_list(
            "enrolment_id", "enrolment__number", "candidate_id", "candidate__text",
            "enrolment__placements__position", "is_done", UtcText("saved_at"),
        )[start:stop]
    )  # fmt: skip
    names = Names(study)
    severities = {one.pk: one for one in study.severities.all()}
    categories = {one.pk: one for one in study.error_categories.all()}
    spans = defaultdict(list)
    for span in Span.objects.filter(enrolment__study=study).order_by("number").iterator(FETCHED_AT_ONCE):
        spans[span.enrolment_id, span.candidate_id].append(span)
    steps = defaultdict(list)
    for *key, changed_at, seconds in (
        AnswerChange.objects.filter(marking__isnull=False, enrolment__study=study)
        .order_by("pk")
        .values_list("enrolment_id", "candidate_id", UtcText("changed_at"), "seconds_on_page")
    ):
        steps[tuple(key)].append((changed_at, seconds))
    for enrolment, number, candidate, written, position, is_done, saved_at in stored.iterator(
        chunk_size=FETCHED_AT_ONCE
    ):
        evaluator, text = names.evaluators[number], names.candidates[candidate]
        history = steps[enrolment, candidate]
        seconds = [second for _at, second in history if second is not None]
        head = (
            names.study, evaluator.pseudonym, evaluator.source, text.subtask, text.page, text.prompt,
            text.prompt_id, text.tags, text.method, text.method_label, position + 1, is_done,
        )  # fmt: skip
        tail = (
            saved_at,
            history[0][0] if history else None,
            len(history) - 1 if history else None,
            seconds[-1] if seconds else None,
        )
        for span in spans[enrolment, candidate]:
            category, severity = categories[span.category_id], severities[span.severity_id]
            words = None if span.start is None else written[span.start : span.end]
            yield (
                *head, span.number + 1, span.start, span.end, words, category.key, severity.key,
                category.penalty(severity), span.note or None, tagged(written, span.start, span.end), *tail,
            )  # fmt: skip
        if not spans[enrolment, candidate]:
            yield (*head, *[None] * 8, written, *tail)


def tagged(text: str, start: int | None, end: int | None) -> str:
    """Return a text with tags around a stretch of it; a place has them with nothing between.

    >>> tagged("on teh mat", 3, 6)
    'on <v>teh</v> mat'
    """
    if start is None:
        return text
    return f"{text[:start]}<v>{text[start:end]}</v>{text[end:]}"


def marking_count(study: Study) -> int:
    """Count the marked texts of a study."""
    markings = Marking.objects.filter(enrolment__study=study)
    return markings.exclude(candidate__in=PageCandidate.objects.beside_results(study)).count()


def span_chunks(study: Study, file_format: str) -> Iterator[bytes]:
    """Return the marks of a study as a file in one of `write_rows.FORMATS`, in chunks; raise `Sealed`."""
    return FORMATS[file_format](COLUMNS, span_rows(study))
