"""How evaluators agree with themselves on the pages that came again; the first showing is the one that counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from annotations.models import Page, Study
from annotations.results.rating_table import rating_table
from stats.agreement import krippendorff_alphas
from stats.judges.agreement import weighted_kappa
from stats.ratings.table import RatingTable
from stats.reports.quality_facts import SelfAgreement
from stats.scores import Floats, Ints


def self_agreement_on_repeats(study: Study, counted: RatingTable) -> tuple[SelfAgreement, ...]:
    """Return the agreement over all evaluators, by criterion, and then that of each; nothing without repeats."""
    name = {
        f"{subtask}/{number}": f"{of_subtask}/{of_number}"
        for subtask, number, of_subtask, of_number in Page.objects.filter(
            subtask__study=study, role=Page.Role.REPEAT
        ).values_list("subtask__number", "number", "repeats__subtask__number", "repeats__number")
    }
    if not name:
        return ()
    again = rating_table(study, roles=[Page.Role.REPEAT]).first_ratings()
    counted = counted.first_ratings()
    first_page = np.array([counted.prompts.index(name[page]) for page in again.prompts], dtype=np.int64)
    evaluators = {pseudonym: place for place, pseudonym in enumerate(counted.evaluators)}
    at = np.array([evaluators.get(one, -1) for one in again.evaluators], dtype=np.int64)
    shape = (len(counted.prompts), len(counted.methods), len(counted.criteria))

    def cells(table: RatingTable, evaluator: Ints, prompt: Ints) -> Ints:
        found: Ints = ((evaluator * shape[0] + prompt) * shape[1] + table.method) * shape[2] + table.criterion
        return found

    of_first = cells(counted, counted.evaluator, counted.prompt)
    of_again = cells(again, at[again.evaluator], first_page[again.prompt])
    shared, first, second = np.intersect1d(of_first, of_again, return_indices=True)
    pairs = np.stack([counted.score[first], again.score[second]], axis=1)
    criterion, evaluator = shared % shape[2], counted.evaluator[first]
    return (
        *_agreements(counted, pairs, criterion),
        *(
            one
            for place, pseudonym in enumerate(counted.evaluators)
            for one in _agreements(
                counted, pairs[evaluator == place], criterion[evaluator == place], pseudonym
            )
        ),
    )


def _agreements(
    table: RatingTable, pairs: Floats, criterion: Ints, evaluator: str = ""
) -> Iterator[SelfAgreement]:
    for place, one in enumerate(table.criteria):
        of_criterion = pairs[criterion == place]
        if len(of_criterion):
            yield agreement_of_pairs(one.key, of_criterion, evaluator)


def agreement_of_pairs(criterion: str, pairs: Floats, evaluator: str = "") -> SelfAgreement:
    """Return the agreement of first and second scores, shape (texts, 2)."""
    alphas = krippendorff_alphas(pairs.T)
    difference = np.abs(pairs[:, 1] - pairs[:, 0])
    return SelfAgreement(
        criterion=criterion,
        texts=len(pairs),
        identical=float((difference == 0).mean()),
        mean_difference=float(difference.mean()),
        alpha_ordinal=alphas["ordinal"],
        alpha_interval=alphas["interval"],
        kappa=weighted_kappa(pairs[:, 0], pairs[:, 1]),
        evaluator=evaluator,
    )


def by_criterion(rows: Iterable[tuple[str, float, float]]) -> tuple[SelfAgreement, ...]:
    """Return the agreement of rows of criterion, first and second score, by criterion in their order."""
    found: dict[str, list[tuple[float, float]]] = {}
    for key, first, second in rows:
        found.setdefault(key, []).append((first, second))
    return tuple(agreement_of_pairs(key, np.array(pairs, dtype=np.float64)) for key, pairs in found.items())
