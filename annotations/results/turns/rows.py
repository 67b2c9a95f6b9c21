"""The ratings of the turns of dialogues one by one.

Rows come by evaluator (in order of enrolment), sub-task, page, place on the page, turn and criterion.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from annotations.models import AnswerChange, PageCandidate, Study, TurnRating
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
    "first_answered_at": "time",
    "times_changed": "integer",
    "seconds_on_page": "real",
}


def turn_rows(study: Study, start: int = 0, stop: int | None = None) -> Iterator[Row]:
    """Return the rows of the ratings of a study's turns from place `start` on, before `stop`; raise `Sealed`."""
    refuse_sealed(study)
    return _rows(study, start, stop)


def turn_rating_count(study: Study) -> int:
    """Count the ratings of a study's turns."""
    ratings = TurnRating.objects.filter(enrolment__study=study)
    return ratings.exclude(candidate__in=PageCandidate.objects.beside_results(study)).count()


def _rows(study: Study, start: int, stop: int | None) -> Iterator[Row]:
    stored = (
        TurnRating.objects.filter(AS_SHOWN, enrolment__study=study)
        .exclude(candidate__in=PageCandidate.objects.beside_results(study))
        .order_by(*PAGE, "enrolment__placements__position", "turn", "criterion__number")
        .values_list(
            "enrolment__number", "candidate_id", "enrolment__placements__position", "criterion__key", "turn", "score",
            UtcText("saved_at"), "enrolment_id", "criterion_id",
        )[start:stop]
    )  # fmt: skip
    names = Names(study)
    steps = defaultdict(list)
    for *key, changed_at, seconds in (
        AnswerChange.objects.filter(turn__isnull=False, enrolment__study=study)
        .order_by("pk")
        .values_list(
            "enrolment_id", "candidate_id", "criterion_id", "turn", UtcText("changed_at"), "seconds_on_page"
        )
    ):
        steps[tuple(key)].append((changed_at, seconds))
    for number, candidate, position, criterion, turn, score, saved_at, *asked in stored.iterator(
        chunk_size=FETCHED_AT_ONCE
    ):
        evaluator, text = names.evaluators[number], names.candidates[candidate]
        history = steps[asked[0], candidate, asked[1], turn]
        seconds = [second for _at, second in history if second is not None]
        yield (
            names.study, evaluator.pseudonym, evaluator.source, text.subtask, text.page, text.prompt,
            text.prompt_id, text.tags, text.method, text.method_label, position + 1, criterion, turn, score, saved_at,
            history[0][0] if history else None, len(history) - 1 if history else None, seconds[-1] if seconds else None,
        )  # fmt: skip


def turn_chunks(study: Study, file_format: str) -> Iterator[bytes]:
    """Return the ratings of a study's turns as a file in one of `write_rows.FORMATS`, in chunks; raise `Sealed`."""
    return FORMATS[file_format](COLUMNS, turn_rows(study))
