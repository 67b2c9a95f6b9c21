"""The judgements of a study one by one, with a row for each text of the page that was judged.

Rows come by evaluator (in order of enrolment), sub-task, page, criterion (in the study's order) and place on the page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from django.db.models import Q

from annotations.models import AnswerChange, Judgement, Page, Placement, Study
from annotations.results.answer_rows import FETCHED_AT_ONCE, Names, UtcText
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
    "criterion": "text",
    "method": "text",
    "method_label": "text",
    # The text's place on the evaluator's page, from 1 (the one lettered A).
    "position": "integer",
    # Of two texts, from -2 (A is much better) to 2 (B is), the same in both rows; and whether both were called bad.
    "preference": "integer",
    "both_bad": "boolean",
    # As the how-manieth the text was chosen, from 1; empty where it was not.
    "chosen": "integer",
    "saved_at": "time",
    "first_answered_at": "time",
    "times_changed": "integer",
    "seconds_on_page": "real",
}


def judgement_rows(study: Study, start: int = 0, stop: int | None = None) -> Iterator[Row]:
    """Return the rows of the judgements of a study from place `start` on, before `stop`; raise `Sealed`."""
    refuse_sealed(study)
    return _rows(study, start, stop)


def _rows(study: Study, start: int, stop: int | None) -> Iterator[Row]:
    order = ("enrolment__number", "page__subtask__number", "page__number")
    stored = (
        Judgement.objects.filter(enrolment__study=study, page__role=Page.Role.COUNTED)
        .order_by(*order, "criterion__number")
        .values_list(
            "enrolment_id", "enrolment__number", "page_id", "criterion_id", "criterion__key", "preference",
            "both_bad", "places", UtcText("saved_at"),
        )[start:stop]
    )  # fmt: skip
    names = Names(study)
    on_page = defaultdict(list)
    for enrolment, page, candidate in (
        Placement.objects.filter(enrolment__study=study)
        .order_by("enrolment", "page", "position")
        .values_list("enrolment_id", "page_id", "candidate_id")
    ):
        on_page[enrolment, page].append(candidate)
    steps = defaultdict(list)
    for *key, changed_at, seconds in (
        AnswerChange.objects.filter(
            Q(preference__isnull=False) | Q(places__isnull=False), enrolment__study=study
        )
        .order_by("pk")
        .values_list("enrolment_id", "page_id", "criterion_id", UtcText("changed_at"), "seconds_on_page")
    ):
        steps[tuple(key)].append((changed_at, seconds))
    for enrolment, number, page, criterion, label, preference, both_bad, places, saved_at in stored.iterator(
        chunk_size=FETCHED_AT_ONCE
    ):
        evaluator = names.evaluators[number]
        history = steps[enrolment, page, criterion]
        seconds = [second for _at, second in history if second is not None]
        for place, candidate in enumerate(on_page[enrolment, page]):
            text = names.candidates[candidate]
            yield (
                names.study, evaluator.pseudonym, evaluator.source, text.subtask, text.page, text.prompt,
                text.prompt_id, text.tags, label, text.method, text.method_label, place + 1, preference,
                None if preference is None else both_bad,
                places.index(place) + 1 if places and place in places else None,
                saved_at,
                history[0][0] if history else None,
                len(history) - 1 if history else None,
                seconds[-1] if seconds else None,
            )  # fmt: skip


def judgement_count(study: Study) -> int:
    """Count the judgements of a study."""
    return Judgement.objects.filter(enrolment__study=study, page__role=Page.Role.COUNTED).count()


def judgement_chunks(study: Study, file_format: str) -> Iterator[bytes]:
    """Return the judgements of a study as a file in one of `write_rows.FORMATS`, in chunks; raise `Sealed`."""
    return FORMATS[file_format](COLUMNS, judgement_rows(study))
