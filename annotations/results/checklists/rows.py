"""The answers to the checklist of a study one by one.

Rows come by evaluator (in order of enrolment), sub-task, page, place on the page and item: those of the study first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from django.db.models import F

from annotations.models import AnswerChange, ChecklistAnswer, PageCandidate, Study
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
    # Key of the item (`study-1`, or `prompt-1` where it is of this prompt alone), what it says, and how much it counts.
    "item": "text",
    "item_text": "text",
    "weight": "real",
    # yes, no or does not apply.
    "answer": "text",
    "saved_at": "time",
    "first_answered_at": "time",
    "times_changed": "integer",
    "seconds_on_page": "real",
}
WORDS = {1: "yes", 2: "no", 3: "does not apply"}


def checklist_rows(study: Study, start: int = 0, stop: int | None = None) -> Iterator[Row]:
    """Return the rows of the answers to a study's checklist from place `start` on, before `stop`; raise `Sealed`."""
    refuse_sealed(study)
    return _rows(study, start, stop)


def _rows(study: Study, start: int, stop: int | None) -> Iterator[Row]:
    stored = (
        ChecklistAnswer.objects.filter(AS_SHOWN, enrolment__study=study)
        .exclude(candidate__in=PageCandidate.objects.beside_results(study))
        .order_by(
            *PAGE,
            "enrolment__placements__position",
            F("item__page").asc(nulls_first=True),
            "item__number",
        )
        .values_list(
            "enrolment_id", "enrolment__number", "candidate_id", "enrolment__placements__position", "item_id",
            "answer", UtcText("saved_at"),
        )[start:stop]
    )  # fmt: skip
    names = Names(study)
    items = {item.pk: item for item in study.checklist_items.all()}
    steps = defaultdict(list)
    for *key, changed_at, seconds in (
        AnswerChange.objects.filter(item__isnull=False, enrolment__study=study)
        .order_by("pk")
        .values_list("enrolment_id", "candidate_id", "item_id", UtcText("changed_at"), "seconds_on_page")
    ):
        steps[tuple(key)].append((changed_at, seconds))
    for enrolment, number, candidate, position, item, answer, saved_at in stored.iterator(
        chunk_size=FETCHED_AT_ONCE
    ):
        evaluator, text = names.evaluators[number], names.candidates[candidate]
        history = steps[enrolment, candidate, item]
        seconds = [second for _at, second in history if second is not None]
        yield (
            names.study, evaluator.pseudonym, evaluator.source, text.subtask, text.page, text.prompt,
            text.prompt_id, text.tags, text.method, text.method_label, position + 1, items[item].key,
            str(items[item].text), items[item].weight, WORDS[answer], saved_at,
            history[0][0] if history else None,
            len(history) - 1 if history else None,
            seconds[-1] if seconds else None,
        )  # fmt: skip


def checklist_answer_count(study: Study) -> int:
    """Count the answers to a study's checklist."""
    answers = ChecklistAnswer.objects.filter(enrolment__study=study)
    return answers.exclude(candidate__in=PageCandidate.objects.beside_results(study)).count()


def checklist_chunks(study: Study, file_format: str) -> Iterator[bytes]:
    """Return the answers to a study's checklist as a file in one of `write_rows.FORMATS`, in chunks; raise `Sealed`."""
    return FORMATS[file_format](COLUMNS, checklist_rows(study))
