"""Drawing the prompts that people rate from those of a draft, with known chances; judges' scores of the others stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from annotations.access.fixed import refuse_if_fixed
from annotations.access.log import log_act
from annotations.models import DrawnPrompt, JudgeRating, Page, PromptDraw, Study, Subtask
from annotations.models.bounds import check_number
from annotations.models.judges import prompt_name
from annotations.setup.pages import split
from generation.refusals import Refused
from stats.judges.selection import By, drawn, inclusion_probabilities, worth
from stats.scores import Bools, Floats

# Beyond every number of a page while pages change places.
APART = 16_000


@dataclass(frozen=True)
class Chances:
    """Of every page its chance to be drawn and its stratum, in the order of the pages, and whether it was drawn."""

    probability: Floats
    strata: tuple[str, ...]
    is_drawn: Bools


@transaction.atomic
def draw_prompts(
    study: Study,
    *,
    by: str,
    count: int,
    tag: str = "",
    judges: Sequence[str] = (),
    seed: int,
    staff: User | None,
) -> PromptDraw:
    """Draw `count` of a draft's prompts for people to rate, set the others aside for judges, and store the chances.

    By the scores of the study's judges and metrics, all of them unless some are named; uniformly, within the values of
    a tag if one is given. Raises `Refused` where it is too late, was done before, or cannot be.
    """
    locked = Study.objects.locked(study)
    refuse_if_fixed(locked)
    if PromptDraw.objects.filter(study=study).exists():
        raise Refused(
            _("The prompts of this study were drawn already; upload the material again to draw anew.")
        )
    if Page.objects.filter(subtask__study=study).exclude(role=Page.Role.COUNTED).exists():
        raise Refused(_("Draw the prompts first, and declare known-answer and training pages afterwards."))
    pages = list(
        Page.objects.filter(subtask__study=study)
        .select_related("prompt")
        .order_by("subtask__number", "number")
    )
    names = [prompt_name(page.prompt) for page in pages]
    if len(set(names)) < len(names):
        raise Refused(_("Prompts can only be drawn where each stands on one page and has a name of its own."))
    if len(pages) < 2:
        raise Refused(_("This study has too few prompts to draw from."))
    check_number("count", count, most=len(pages) - 1)
    if by not in PromptDraw.By.values:
        raise Refused(
            _("%(by)s is no way of drawing; there are %(known)s.")
            % {"by": by, "known": ", ".join(PromptDraw.By.values)}
        )
    if tag and by != PromptDraw.By.UNIFORM:
        raise Refused(_("Strata go with a uniform draw alone."))
    chances = _chances(study, pages, by, count, tag, judges, np.random.default_rng(seed))
    draw = PromptDraw.objects.create(study=study, by=by, tag=tag, seed=seed, drawn_by=staff)
    DrawnPrompt.objects.bulk_create(
        DrawnPrompt(
            draw=draw,
            prompt=page.prompt,
            name=name,
            probability=float(probability),
            stratum=stratum,
            is_drawn=bool(is_drawn),
        )
        for page, name, probability, stratum, is_drawn in zip(
            pages, names, chances.probability, chances.strata, chances.is_drawn, strict=True
        )
    )
    _set_aside(study, pages, names, chances.is_drawn)
    Study.objects.filter(pk=study.pk).update(signed_off_at=None)
    log_act(study, staff, "prompts.drawn", by=by, prompts=count, seed=seed)
    return draw


def _chances(
    study: Study,
    pages: Sequence[Page],
    by: str,
    count: int,
    tag: str,
    judges: Sequence[str],
    rng: np.random.Generator,
) -> Chances:
    if by == PromptDraw.By.UNIFORM:
        strata = tuple(str(page.prompt.tags.get(tag, ""))[:200] for page in pages)
        return _uniform(strata, count, rng)
    kind: By = "variance" if by == "variance" else "diversity" if by == "diversity" else "disagreement"
    probability = inclusion_probabilities(worth(_scores(study, pages, judges), kind), count)
    return Chances(probability, ("",) * len(pages), drawn(probability, rng))


def _uniform(strata: tuple[str, ...], count: int, rng: np.random.Generator) -> Chances:
    """Draw within strata in proportion to their sizes, each at least two where it has so many."""
    sizes = {stratum: strata.count(stratum) for stratum in dict.fromkeys(strata)}
    shares = {stratum: count * size / len(strata) for stratum, size in sizes.items()}
    taken = {stratum: min(max(int(share), 2), sizes[stratum]) for stratum, share in shares.items()}
    if sum(taken.values()) > count:
        raise Refused(_("There are too many strata for so few prompts: each needs two."))
    # By largest remainder.
    for stratum in sorted(shares, key=lambda one: shares[one] - taken[one], reverse=True):
        if sum(taken.values()) < count and taken[stratum] < sizes[stratum]:
            taken[stratum] += 1
    is_drawn = np.zeros(len(strata), dtype=np.bool_)
    probability = np.zeros(len(strata))
    places = np.array(strata, dtype=object)
    for stratum, number in taken.items():
        own = np.flatnonzero(places == stratum)
        is_drawn[rng.choice(own, number, replace=False)] = True
        probability[own] = number / len(own)
    return Chances(probability, strata, is_drawn)


def _scores(study: Study, pages: Sequence[Page], judges: Sequence[str]) -> Floats:
    """Return the mean score of every text by judge, (J, N, M), NaN without one."""
    keys = list(study.judges.values_list("key", flat=True))
    if unknown := [key for key in judges if key not in keys]:
        raise Refused(_("%(judges)s is no judge of this study.") % {"judges": ", ".join(unknown)})
    chosen = [key for key in keys if not judges or key in judges]
    methods = list(study.study_methods.order_by("number").values_list("pk", flat=True))
    place = {page.pk: number for number, page in enumerate(pages)}
    shape = (len(chosen), len(pages), len(methods))
    sums, counts = np.zeros(shape), np.zeros(shape)
    rows = JudgeRating.objects.filter(judge__study=study, judge__key__in=chosen, page_candidate__isnull=False)
    for key, page, method, score in rows.values_list(
        "judge__key", "page_candidate__page", "study_method", "score"
    ):
        cell = chosen.index(key), place[page], methods.index(method)
        sums[cell] += score
        counts[cell] += 1
    if not counts.any():
        raise Refused(_("No judge and no metric has rated the texts of this study."))
    found: Floats = np.divide(sums, counts, out=np.full(shape, np.nan), where=counts > 0)
    return found


def _set_aside(study: Study, pages: Sequence[Page], names: Sequence[str], is_drawn: Bools) -> None:
    """Take the pages that were not drawn out of the study, and cut the others into sub-tasks anew.

    Scores of what is taken out stay with the judges, by the names of prompts. The pages that stay are the same rows:
    scores refer to them.
    """
    kept = [page for page, stays in zip(pages, is_drawn, strict=True) if stays]
    for page, name, stays in zip(pages, names, is_drawn, strict=True):
        if not stays:
            JudgeRating.objects.filter(page_candidate__page=page).update(
                page_candidate=None, prompt_name=name
            )
    Page.objects.filter(
        pk__in=[page.pk for page, stays in zip(pages, is_drawn, strict=True) if not stays]
    ).delete()
    batches = split(kept, study.prompts_per_subtask)
    subtasks = list(study.subtasks.order_by("number"))
    for number, page in enumerate(kept):
        page.number = APART + number % APART
        page.subtask = subtasks[number // APART]
    Page.objects.bulk_update(kept, ["number", "subtask"])
    for subtask, batch in zip(subtasks, batches, strict=False):
        for number, page in enumerate(batch, start=1):
            page.number, page.subtask = number, subtask
    Page.objects.bulk_update(kept, ["number", "subtask"])
    Subtask.objects.filter(pk__in=[one.pk for one in subtasks[len(batches) :]]).delete()
