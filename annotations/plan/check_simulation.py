"""What simulated evaluators make of a study's checks: some miss known answers, and a repeat is rated with new noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from annotations.models import Criterion, KnownAnswer, Page, Study
from stats.scores import Floats

# On the scale from 1 to 10 of the latent scores: the best text of a page, and the highest that another one has.
BEST, OTHERS = 9.0, 6.0


def repeated_pages(study: Study, pages: Sequence[int]) -> dict[int, int]:
    """Return the place of the first showing for each page (primary keys, by their places) that comes again."""
    place = {page: number for number, page in enumerate(pages)}
    repeats = Page.objects.filter(subtask__study=study, role=Page.Role.REPEAT)
    return {place[page]: place[first or 0] for page, first in repeats.values_list("pk", "repeats")}


def answer_known(
    study: Study,
    latent: Floats,
    pages: Sequence[int],
    methods: Sequence[int],
    criteria: Sequence[Criterion],
    *,
    careless: float,
    seed: int,
) -> None:
    """Let careful evaluators meet the known answers in latent scores (E, P, M, C), which are changed.

    The share `careless` of them is drawn, and answers as on any other page. `pages` and `methods` are primary keys.
    """
    place = {page: number for number, page in enumerate(pages)}
    known = KnownAnswer.objects.filter(
        page_candidate__page__subtask__study=study, page_candidate__page__role=Page.Role.KNOWN
    ).select_related("page_candidate", "criterion")
    # Beside the draws of everything else, which are the same without checks.
    careful = np.random.default_rng([seed, 1]).random(len(latent)) >= careless
    in_order: Mapping[int, int] = {one.pk: number for number, one in enumerate(criteria)}
    # The best text first, because it moves the others on its page.
    for one in sorted(known, key=lambda answer: answer.lowest is not None):
        page = place[one.page_candidate.page_id]
        method = methods.index(one.page_candidate.study_method_id)
        if one.lowest is None or one.highest is None or one.criterion is None:
            lower = (
                next((c.lower_is_better for c in criteria if c.is_overall), False)
                and study.asks.answer is None
            )
            on_page = latent[careful, page]
            latent[careful, page] = np.maximum(on_page, 11 - OTHERS) if lower else np.minimum(on_page, OTHERS)
            latent[careful, page, method] = 11 - BEST if lower else BEST
            continue
        criterion = one.criterion
        middle = round((one.lowest + one.highest) / 2)
        width = criterion.maximum - criterion.minimum
        latent[careful, page, method, in_order[criterion.pk]] = 1 + (middle - criterion.minimum) * 9 / width
