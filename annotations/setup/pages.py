"""Laying a study out: its prompts on pages, the pages in sub-tasks, the candidates on the pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from django.db import transaction

from annotations.models import Page, PageCandidate, Study, StudyMethod, Subtask
from generation.models import Candidate, Method

BATCH = 2000


@transaction.atomic
def lay_out(study: Study, prompts: Sequence[int]) -> dict[int, int]:
    """Save a page for each prompt, in sub-tasks of the study's size, and return the page of each (primary keys)."""
    # Rows refer to each other by primary keys here: with the objects themselves Django takes twice as long.
    batches = split(prompts, study.prompts_per_subtask)
    subtasks = Subtask.objects.bulk_create(
        Subtask(study=study, number=number) for number in range(1, len(batches) + 1)
    )
    pages = Page.objects.bulk_create(
        [
            Page(subtask_id=subtask.pk, number=number, prompt_id=prompt)
            for subtask, batch in zip(subtasks, batches, strict=True)
            for number, prompt in enumerate(batch, start=1)
        ],
        batch_size=BATCH,
    )
    return {page.prompt_id: page.pk for page in pages}


@transaction.atomic
def place_candidates(study: Study, written_by: Sequence[str], candidates: Sequence[Candidate]) -> None:
    """Save the methods and pages of a study without any; `written_by` has the key of each candidate's method."""
    keys = list(dict.fromkeys(written_by))
    methods = Method.objects.in_bulk(keys, field_name="key")
    study_methods = StudyMethod.objects.bulk_create(
        StudyMethod(study=study, method=methods[key], number=number) for number, key in enumerate(keys)
    )
    page_of = lay_out(study, list(dict.fromkeys(candidate.prompt_id for candidate in candidates)))
    method_of = {key: one.pk for key, one in zip(keys, study_methods, strict=True)}
    PageCandidate.objects.bulk_create(
        [
            PageCandidate(
                page_id=page_of[candidate.prompt_id],
                candidate_id=candidate.pk,
                study_method_id=method_of[key],
            )
            for key, candidate in zip(written_by, candidates, strict=True)
        ],
        batch_size=BATCH,
    )


@transaction.atomic
def recut(study: Study) -> None:
    """Cut the pages of a study into sub-tasks of its size anew; the order of the prompts stays."""
    pages = Page.objects.filter(subtask__study=study).order_by("subtask__number", "number")
    prompts = list(pages.values_list("prompt_id", flat=True))
    shown = list(
        PageCandidate.objects.filter(page__subtask__study=study)
        .order_by("pk")
        .values_list("page__prompt_id", "candidate_id", "study_method_id")
    )
    study.subtasks.all().delete()
    page_of = lay_out(study, prompts)
    PageCandidate.objects.bulk_create(
        [
            PageCandidate(page_id=page_of[prompt], candidate_id=candidate, study_method_id=study_method)
            for prompt, candidate, study_method in shown
        ],
        batch_size=BATCH,
    )


@transaction.atomic
def clear(study: Study) -> None:
    """Take all pages and methods out of a study; the candidates themselves stay."""
    PageCandidate.objects.filter(page__subtask__study=study).delete()
    study.subtasks.all().delete()
    study.study_methods.all().delete()


PAGES_PER_SUBTASK = 10


def split(prompts: Sequence[T], size: int = PAGES_PER_SUBTASK) -> list[Sequence[T]]:
    """Cut prompts into batches of `size`; the last one takes the remainder."""
    if size < 1:
        raise ValueError(f"size must be at least 1, got {size}")
    return [prompts[start : start + size] for start in range(0, len(prompts), size)]


T = TypeVar("T")
