"""What simulated evaluators say of the items of a checklist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from annotations.models import ChecklistAnswer, ChecklistItem, Study
from stats.scores import Floats

# Spreads in points of a scale from 1 to 10: of how hard items are to fulfil, and of single answers.
HARDNESS, NOISE = 1.5, 1.5
MIDDLE = 5.0
DOES_NOT_APPLY = 0.05


@dataclass(frozen=True)
class SimulatedItem:
    """An answer by evaluator, page and method, as places, to an item."""

    evaluator: int
    page: int
    method: int
    item: ChecklistItem
    answer: ChecklistAnswer.Answer


def simulated_items(
    study: Study, rng: np.random.Generator, pages: list[int], latent: Floats
) -> Iterator[SimulatedItem]:
    """Yield what latent scores (E, P, M) of texts make evaluators say of the items on pages (primary keys).

    An item holds of a text whose score, with a noise of its own, is above the hardness of the item.
    """
    of_study = list(study.checklist_items.filter(page=None))
    of_page: dict[int, list[ChecklistItem]] = {}
    for item in study.checklist_items.exclude(page=None):
        of_page.setdefault(item.page_id or 0, []).append(item)
    hardness = {item.pk: float(MIDDLE + HARDNESS * rng.standard_normal()) for item in of_study}
    for number, page in enumerate(pages):
        for item in (*of_study, *of_page.get(page, ())):
            least = hardness.get(item.pk, MIDDLE + HARDNESS * float(rng.standard_normal()))
            holds = latent[:, number] + NOISE * rng.standard_normal(latent[:, number].shape) > least
            applies = rng.random(holds.shape) >= (DOES_NOT_APPLY if item.may_not_apply else 0)
            said = np.where(applies, np.where(holds, 1, 2), 3)
            for (evaluator, method), answer in np.ndenumerate(said):
                yield SimulatedItem(evaluator, number, method, item, ChecklistAnswer.Answer(int(answer)))
