"""Laying a study out: its prompts on pages, the pages in sub-tasks, the candidates on the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Count, F

from annotations.models import Page, PageCandidate, PromptDraw, Study, StudyMethod, Subtask
from generation.models import Method
from generation.models.copying import copy_rows
from generation.runs.runs import ImportedText, StoredCandidate

BATCH = 2000
# More than a sub-task has pages.
BEYOND_ALL_PAGES = 10_000


@transaction.atomic
def lay_out(
    study: Study, prompts: Sequence[int], notes: Sequence[Mapping[str, Any]] | None = None
) -> list[int]:
    """Save a page for each prompt, in sub-tasks of the study's size, and return them in order (primary keys).

    They come after the pages that the study has: its last sub-task is filled first.
    """
    # Rows refer to each other by primary keys here: with the objects themselves Django takes twice as long.
    rows = list(zip(prompts, notes or [{}] * len(prompts), strict=True))
    last = study.subtasks.annotate(filled=Count("pages")).order_by("-number").first()
    room = max(0, study.prompts_per_subtask - last.filled) if last else 0
    batches = split(rows[room:], study.prompts_per_subtask)
    first = last.number + 1 if last else 1
    subtasks = Subtask.objects.bulk_create(
        Subtask(study=study, number=number) for number in range(first, first + len(batches))
    )
    into: list[tuple[int, int, Sequence[tuple[int, Mapping[str, Any]]]]] = []
    if last:
        into.append((last.pk, last.filled + 1, rows[:room]))
    into += [(subtask.pk, 1, batch) for subtask, batch in zip(subtasks, batches, strict=True)]
    return copy_rows(
        Page,
        ("subtask", "number", "prompt", "notes"),
        [
            (subtask, number, prompt, noted)
            for subtask, begin, batch in into
            for number, (prompt, noted) in enumerate(batch, start=begin)
        ],
    )


@transaction.atomic
def place_candidates(
    study: Study, texts: Sequence[ImportedText], candidates: Sequence[StoredCandidate]
) -> None:
    """Save the methods and pages of a study without any, `candidates` being stored for `texts`.

    A page has one text by each method. Where methods wrote several texts for a prompt, each sample of all methods has a
    page of its own, and the second ones come after the first ones of all prompts.
    """
    keys = list(dict.fromkeys(text.method for text in texts))
    methods = Method.objects.in_bulk(keys, field_name="key")
    study_methods = StudyMethod.objects.bulk_create(
        StudyMethod(study=study, method=methods[key], number=number) for number, key in enumerate(keys)
    )
    wanted = [(one.prompt_id, text.sample) for one, text in zip(candidates, texts, strict=True)]
    in_order = sorted(dict.fromkeys(wanted), key=lambda prompt_and_sample: prompt_and_sample[1])
    page_of = dict(zip(in_order, lay_out(study, [prompt for prompt, _ in in_order]), strict=True))
    method_of = {key: one.pk for key, one in zip(keys, study_methods, strict=True)}
    copy_rows(
        PageCandidate,
        ("page", "candidate", "study_method"),
        [
            (page_of[place], candidate.pk, method_of[text.method])
            for place, text, candidate in zip(wanted, texts, candidates, strict=True)
        ],
    )


@transaction.atomic
def recut(study: Study) -> None:
    """Cut the pages of a study into sub-tasks of its size anew, in their order; what judges said of them stays."""
    pages = list(Page.objects.filter(subtask__study=study).order_by("subtask__number", "number"))
    batches = split(pages, study.prompts_per_subtask)
    subtasks = list(study.subtasks.order_by("number"))
    subtasks += Subtask.objects.bulk_create(
        Subtask(study=study, number=number) for number in range(len(subtasks) + 1, len(batches) + 1)
    )
    for subtask, batch in zip(subtasks, batches, strict=False):
        for number, page in enumerate(batch, start=1):
            page.subtask, page.number = subtask, number
    # Out of the way first, so that no two pages of a sub-task share a number meanwhile.
    Page.objects.filter(subtask__study=study).update(number=F("number") + BEYOND_ALL_PAGES)
    Page.objects.bulk_update(pages, ["subtask", "number"], batch_size=BATCH)
    study.subtasks.filter(number__gt=len(batches)).delete()


@transaction.atomic
def clear(study: Study) -> None:
    """Take all pages and methods out of a study; the candidates themselves stay."""
    PageCandidate.objects.filter(page__subtask__study=study).delete()
    PromptDraw.objects.filter(study=study).delete()
    study.subtasks.all().delete()
    study.study_methods.all().delete()


PAGES_PER_SUBTASK = 10


def split(prompts: Sequence[T], size: int = PAGES_PER_SUBTASK) -> list[Sequence[T]]:
    """Cut prompts into batches of `size`; the last one takes the remainder."""
    if size < 1:
        raise ValueError(f"size must be at least 1, got {size}")
    return [prompts[start : start + size] for start in range(0, len(prompts), size)]


T = TypeVar("T")
