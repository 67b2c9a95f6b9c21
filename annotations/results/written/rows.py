"""The reasons and corrected texts of a study one by one: of each the version that counts.

Rows come by evaluator (in order of enrolment), sub-task, page and place on the page, what is about the page first.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, F, OuterRef, QuerySet, Subquery

from annotations.models import Page, Placement, Study, WrittenAnswer
from annotations.results.answer_rows import FETCHED_AT_ONCE, Names, UtcText
from annotations.results.seal import refuse_sealed
from generation.models import prompt_heading
from stats.reports.write_rows import FORMATS, Columns, Row, as_json

COLUMNS: Columns = {
    "study": "text",
    "evaluator": "text",
    "source": "text",
    "subtask": "integer",
    "page": "integer",
    "prompt": "text",
    "prompt_id": "text",
    "tags": "json",
    # Empty where a reason is about the whole page.
    "method": "text",
    "method_label": "text",
    "position": "integer",
    # reason or correction, the text as it was written, and that which it corrects.
    "kind": "text",
    "text": "text",
    "original": "text",
    "versions": "integer",
    "saved_at": "time",
}


def written_rows(study: Study, start: int = 0, stop: int | None = None) -> Iterator[Row]:
    """Return the rows of what was written in a study from place `start` on, before `stop`; raise `Sealed`."""
    refuse_sealed(study)
    return _rows(study, start, stop)


def latest_written(study: Study) -> QuerySet[WrittenAnswer]:
    """Return the version that counts of everything that was written and not taken back."""
    alike = WrittenAnswer.objects.filter(
        enrolment=OuterRef("enrolment"), page=OuterRef("page"), kind=OuterRef("kind")
    )
    of_text = alike.filter(candidate=OuterRef("candidate")).order_by("-client_order").values("pk")[:1]
    of_page = alike.filter(candidate=None).order_by("-client_order").values("pk")[:1]
    stored = WrittenAnswer.objects.filter(enrolment__study=study).exclude(text="")
    return stored.filter(candidate=None, pk=Subquery(of_page)) | stored.exclude(candidate=None).filter(
        pk=Subquery(of_text)
    )


def _rows(study: Study, start: int, stop: int | None) -> Iterator[Row]:
    position = Placement.objects.filter(enrolment=OuterRef("enrolment"), candidate=OuterRef("candidate"))
    stored = (
        latest_written(study)
        .annotate(position=Subquery(position.values("position")[:1]))
        .order_by(
            "enrolment__number", "page__subtask__number", "page__number", F("position").asc(nulls_first=True), "kind"
        )
        .values_list(
            "enrolment_id", "enrolment__number", "page_id", "candidate_id", "position", "kind", "text",
            "candidate__text", UtcText("saved_at"),
        )[start:stop]
    )  # fmt: skip
    names = Names(study)
    pages = {
        pk: (subtask, number, prompt, external_id or None, as_json(tags))
        for pk, subtask, number, prompt, external_id, tags in Page.objects.filter(
            subtask__study=study
        ).values_list(
            "pk",
            "subtask__number",
            "number",
            prompt_heading("prompt__"),
            "prompt__external_id",
            "prompt__tags",
        )
    }
    versions = {
        tuple(key): count
        for *key, count in WrittenAnswer.objects.filter(enrolment__study=study)
        .values("enrolment_id", "page_id", "candidate_id", "kind")
        .annotate(versions=Count("pk"))
        .values_list("enrolment_id", "page_id", "candidate_id", "kind", "versions")
    }
    for enrolment, number, page, candidate, place, kind, text, original, saved_at in stored.iterator(
        chunk_size=FETCHED_AT_ONCE
    ):
        evaluator = names.evaluators[number]
        about = None if candidate is None else names.candidates[candidate]
        yield (
            names.study, evaluator.pseudonym, evaluator.source, *pages[page],
            about and about.method, about and about.method_label, None if place is None else place + 1,
            kind, text, original if kind == WrittenAnswer.Kind.CORRECTION else None,
            versions[enrolment, page, candidate, kind], saved_at,
        )  # fmt: skip


def written_count(study: Study) -> int:
    """Count the reasons and corrected texts of a study."""
    return latest_written(study).count()


def written_chunks(study: Study, file_format: str) -> Iterator[bytes]:
    """Return what was written in a study as a file in one of `write_rows.FORMATS`, in chunks; raise `Sealed`."""
    return FORMATS[file_format](COLUMNS, written_rows(study))
