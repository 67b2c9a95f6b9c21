"""Storing the items of checklists, and what keeps a study that asks them from its launch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations.access.fixed import refuse_if_fixed
from annotations.access.log import log_act
from annotations.models import ChecklistItem, Page, Study
from annotations.models.texts_by_language import TextsByLanguage
from generation.files.checklists import Checklist, checked_checklist
from generation.files.problems import Problems


def checklist_in(value: object, name: str) -> Checklist:
    """Return the items that plain data, or a text with one a line, say; raise `FileRefused` with what is wrong."""
    problems = Problems(name)
    items = checked_checklist(0, value, problems)
    problems.refuse_if_any()
    return items


@transaction.atomic
def replace_study_items(study: Study, items: Sequence[Any], *, by: User | None) -> None:
    """Make these the items that are asked about the texts for every prompt; the study has to be signed off again.

    Raises Refused where it is too late.
    """
    locked = Study.objects.locked(study)
    refuse_if_fixed(locked)
    locked.checklist_items.filter(page=None).delete()
    ChecklistItem.objects.bulk_create(item_rows(locked, None, items))
    Study.objects.filter(pk=study.pk).update(signed_off_at=None)
    study.signed_off_at = None
    log_act(study, by, "study.changed", fields=["checklist"])


def store_prompt_items(study: Study, by_prompt: Mapping[int, Checklist]) -> None:
    """Save the items of the prompts (primary keys) of a study on all of their pages, which have none yet."""
    pages = Page.objects.filter(subtask__study=study, prompt__in=by_prompt).values_list("pk", "prompt_id")
    ChecklistItem.objects.bulk_create(
        [row for page, prompt in pages for row in item_rows(study, page, by_prompt[prompt])], batch_size=2_000
    )


def item_rows(study: Study, page: int | None, items: Sequence[Any]) -> list[ChecklistItem]:
    """Return the rows of items, numbered in their order."""
    return [
        ChecklistItem(
            study=study,
            page_id=page,
            number=number,
            text=TextsByLanguage(item.text),
            weight=item.weight,
            may_not_apply=item.may_not_apply,
        )
        for number, item in enumerate(items, start=1)
    ]


def checklist_obstacles(study: Study) -> list[str]:
    """Say what a study that asks a checklist lacks; at most three queries, none where it asks something else."""
    if study.protocol != "checklist":
        return []
    wrong = []
    if study.criteria.count() > 1:
        wrong.append(_("A checklist makes one score of a text: keep one criterion."))
    if not study.checklist_items.filter(page=None).exists():
        bare = Page.objects.filter(subtask__study=study, checklist_items=None).count()
        if bare:
            said = ngettext(
                "%(count)d prompt has no item of a checklist, and the study has none for all.",
                "%(count)d prompts have no item of a checklist, and the study has none for all.",
                bare,
            )
            wrong.append(said % {"count": bare})
    return wrong
