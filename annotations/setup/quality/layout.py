"""How known-answer, repeated and training pages are put among the others when a study is launched.

Nothing on a page tells which it is. Known-answer pages are shared out evenly over the sub-tasks and stand at places
that are drawn; a repeated page comes again in its sub-task, after some others; training pages are a sub-task before
the first. All is drawn from the study's secret seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import transaction
from django.db.models import F

from annotations.models import ChecklistItem, Page, PageCandidate, QualityControl, Study, Subtask
from annotations.models.pages import TRAINING_SUBTASK
from annotations.setup.pages import BATCH, BEYOND_ALL_PAGES, split
from generation.runs.copies import record_copies

# So many other pages stand at least between a page and its repeat.
FEWEST_BETWEEN = 5

T = TypeVar("T")


def with_known(counted: Sequence[T], known: Sequence[T], *, size: int, rng: random.Random) -> list[list[T]]:
    """Cut pages into sub-tasks of `size`, the known-answer pages among them evenly and at places that are drawn."""
    sizes = [len(batch) for batch in split(range(len(counted) + len(known)), size)]
    ranks = rng.sample(range(len(sizes)), len(sizes))
    held = [0] * len(sizes)
    for _ in known:
        held[min(range(len(sizes)), key=lambda k: ((held[k] + 1) / sizes[k], ranks[k]))] += 1
    others, checks = iter(counted), iter(rng.sample(known, len(known)))
    batches = []
    for pages, known_here in zip(sizes, held, strict=True):
        places = set(rng.sample(range(pages), known_here))
        batches.append([next(checks) if place in places else next(others) for place in range(pages)])
    return batches


def with_repeats(
    pages: Sequence[T], *, repeats: int, may_repeat: Callable[[T], bool], rng: random.Random
) -> list[tuple[T, bool]]:
    """Return the pages of a sub-task, each with whether it is a repeat; fewer repeats where it is too short."""
    eligible = [place for place in range(len(pages) - FEWEST_BETWEEN) if may_repeat(pages[place])]
    again: dict[int, list[T]] = {}
    for place in rng.sample(eligible, min(repeats, len(eligible))):
        before = rng.randint(place + FEWEST_BETWEEN + 1, len(pages))
        again.setdefault(before, []).append(pages[place])
    found = []
    for place in range(len(pages) + 1):
        found += [(page, True) for page in again.get(place, [])]
        found += [(page, False) for page in pages[place : place + 1]]
    return found


@transaction.atomic
def lay_out_checks(study: Study) -> None:
    """Put the checks of a draft among its pages; nothing changes where it has none."""
    control = QualityControl.objects.filter(study=study).first()
    repeats = control.repeats_per_subtask if control else 0
    pages = list(Page.objects.filter(subtask__study=study).order_by("subtask__number", "number"))
    of_role = {role: [page for page in pages if page.role == role] for role in Page.Role}
    training, known = of_role[Page.Role.TRAINING], of_role[Page.Role.KNOWN]
    counted = of_role[Page.Role.COUNTED]
    if not (training or known or repeats):
        return
    # A Mersenne twister is enough: the seed has 63 secret bits and only its choices are ever seen.
    rng = random.Random(f"{study.order_seed}/checks")  # noqa: S311
    batches = with_known(counted, known, size=study.prompts_per_subtask, rng=rng)
    laid_out = [
        with_repeats(batch, repeats=repeats, may_repeat=lambda page: page.role == Page.Role.COUNTED, rng=rng)
        for batch in batches
    ]
    if training:
        laid_out.insert(0, [(page, False) for page in training])
    numbers = range(TRAINING_SUBTASK if training else TRAINING_SUBTASK + 1, len(batches) + 1)
    subtasks = {one.number: one for one in study.subtasks.all()}
    for number in numbers:
        if number not in subtasks:
            subtasks[number] = Subtask.objects.create(study=study, number=number)
    # Out of the way first, so that no two pages of a sub-task share a number meanwhile.
    Page.objects.filter(subtask__study=study).update(number=F("number") + BEYOND_ALL_PAGES)
    copies = []
    for subtask_number, batch in zip(numbers, laid_out, strict=True):
        for number, (page, is_repeat) in enumerate(batch, start=1):
            subtask = subtasks[subtask_number]
            if is_repeat:
                copies.append(
                    Page(
                        subtask=subtask, number=number, prompt_id=page.prompt_id, notes=page.notes,
                        role=Page.Role.REPEAT, repeats=page,
                    )
                )  # fmt: skip
            else:
                page.subtask, page.number = subtask, number
    Page.objects.bulk_update(pages, ["subtask", "number"], batch_size=BATCH)
    repeat_pages(copies)
    study.subtasks.filter(number__gt=len(batches)).delete()


def repeat_pages(copies: Sequence[Page]) -> None:
    """Save pages that repeat others, each with copies of the texts of its first showing."""
    made = Page.objects.bulk_create(copies)
    page_of = {page.repeats_id: page for page in made}
    shown = list(
        PageCandidate.objects.filter(page__in=page_of).select_related("candidate__run").order_by("page", "pk")
    )
    copied = record_copies([one.candidate for one in shown])
    PageCandidate.objects.bulk_create(
        (
            PageCandidate(
                page=page_of[one.page_id],
                candidate=copy,
                study_method_id=one.study_method_id,
                turns=one.turns,
            )
            for one, copy in zip(shown, copied, strict=True)
        ),
        batch_size=BATCH,
    )
    items = list(ChecklistItem.objects.filter(page__in=page_of))
    for item in items:
        item.pk, item.page = None, page_of[item.page_id]
        item._state.adding = True
    ChecklistItem.objects.bulk_create(items, batch_size=BATCH)
