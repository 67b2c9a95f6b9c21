"""The ratings of the turns of dialogues one by one.

Rows come by evaluator (in order of enrolment), sub-task, page, place on the page, turn and criterion.
"""

from __future__ import annotations

from collections.abc import Iterator

from annotations.models import PageCandidate, Study, TurnRating
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
    "position": "integer",
    "criterion": "text",
    # From 1, among the turns of the text that are rated.
    "turn": "integer",
    "score": "real",
    "saved_at": "time",
}


def turn_rows(study: Study) -> Iterator[Row]:
    """Return the rows of the ratings of a study's turns; raise `Sealed`."""
    refuse_sealed(study)
    return _rows(study)


def _rows(study: Study) -> Iterator[Row]:
    stored = (
        TurnRating.objects.filter(AS_SHOWN, enrolment__study=study)
        .exclude(candidate__in=PageCandidate.objects.beside_results(study))
        .order_by(*PAGE, "enrolment__placements__position", "turn", "criterion__number")
        .values_list(
            "enrolment__number", "candidate_id", "enrolment__placements__position", "criterion__key", "turn", "score",
            UtcText("saved_at"),
        )
    )  # fmt: skip
    names = Names(study)
    for number, candidate, position, criterion, turn, score, saved_at in stored.iterator(
        chunk_size=FETCHED_AT_ONCE
    ):
        evaluator, text = names.evaluators[number], names.candidates[candidate]
        yield (
            names.study, evaluator.pseudonym, evaluator.source, text.subtask, text.page, text.prompt,
            text.prompt_id, text.tags, text.method, text.method_label, position + 1, criterion, turn, score, saved_at,
        )  # fmt: skip


def turn_chunks(study: Study, file_format: str) -> Iterator[bytes]:
    """Return the ratings of a study's turns as a file in one of `write_rows.FORMATS`, in chunks; raise `Sealed`."""
    return FORMATS[file_format](COLUMNS, turn_rows(study))
