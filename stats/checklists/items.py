"""Answers to the items of a checklist: scores of texts, items that split evaluators, and the consensus."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stats.agreement import item_alphas
from stats.checklists.dawid_skene import dawid_skene
from stats.scores import Floats, Ints

YES, NO, DOES_NOT_APPLY = 1, 2, 3
CLASSES = 3
# Fewer evaluators leave nothing to tell their errors from.
FEWEST_EVALUATORS = 3


@dataclass(frozen=True, eq=False)
class ItemAnswers:
    """
    A answers: who (`evaluator`) said what (`answer`: yes, no or does not apply) of which item and text, (A,) each.

    Items and texts are places from 0; `weight` is that of each item (I,), `method` that of each text (T,).
    """

    evaluator: Ints
    item: Ints
    text: Ints
    answer: Ints
    weight: Floats
    method: Ints


@dataclass(frozen=True)
class ItemFacts:
    """How an item was answered over its texts.

    `yes` is the share of yes among the answers by which it applies; `disagreement` the chance that two evaluators
    answered it differently for a text; `alpha` Krippendorff's for nominal answers.
    """

    key: str
    page: str | None
    text: str
    answers: int
    yes: float | None
    does_not_apply: float
    disagreement: float | None
    alpha: float | None


@dataclass(frozen=True)
class ConsensusFacts:
    """What is most likely true of all items and texts, by Dawid and Skene.

    `shares` are the mean scores of the methods by it; `changed` counts the answers of the majority that it overrules.
    """

    shares: dict[str, float | None]
    yes: float
    no: float
    does_not_apply: float
    units: int
    changed: int
    log_likelihood: float


@dataclass(frozen=True)
class ChecklistFacts:
    """What a report says of a checklist: its items, those that split evaluators most first, and the consensus."""

    items: tuple[ItemFacts, ...]
    consensus: ConsensusFacts | None

    def as_dict(self) -> dict[str, Any]:
        """Return the facts, ready for JSON."""
        return asdict(self)


def weighted_shares(yes: Floats, applying: Floats) -> Floats:
    """Return the scores 0 to 100 of texts from the weights of the items that hold and that apply; NaN where none do.

    >>> weighted_shares(np.array([3.0, 0.0]), np.array([4.0, 0.0]))
    array([75., nan])
    """
    shares: Floats = np.divide(100 * yes, applying, out=np.full(len(yes), np.nan), where=applying > 0)
    return shares


def disagreements(answers: ItemAnswers, items: int) -> Floats:
    """Return for each item the chance that two evaluators answered it differently for a text (I,); NaN without two."""
    _unit, counts, item = _counts(answers)
    said = counts.sum(axis=1)
    pairs = said * (said - 1)
    unlike = pairs - (counts * (counts - 1)).sum(axis=1)
    of_pairs = np.bincount(item, pairs, items)
    found: Floats = np.divide(
        np.bincount(item, unlike, items), of_pairs, out=np.full(items, np.nan), where=of_pairs > 0
    )
    return found


def consensus(answers: ItemAnswers, methods: tuple[str, ...]) -> ConsensusFacts | None:
    """Return what is most likely true of the items and texts that were answered; None with too few evaluators."""
    evaluators, observer = np.unique(answers.evaluator, return_inverse=True)
    if len(evaluators) < FEWEST_EVALUATORS:
        return None
    unit, counts, item = _counts(answers)
    fit = dawid_skene(unit, observer, answers.answer - 1, classes=CLASSES)
    found = fit.most_likely + 1
    majority = counts.max(axis=1)
    # A tie has no majority that could be overruled.
    has_one = (counts == majority[:, np.newaxis]).sum(axis=1) == 1
    text = np.unique(answers.item * (answers.text.max() + 1) + answers.text) % (answers.text.max() + 1)
    weight = answers.weight[item]
    texts = len(answers.method)
    shares = weighted_shares(
        np.bincount(text, weight * (found == YES), texts).astype(np.float64),
        np.bincount(text, weight * (found != DOES_NOT_APPLY), texts).astype(np.float64),
    )
    known = ~np.isnan(shares)
    means = [shares[known & (answers.method == number)] for number in range(len(methods))]
    return ConsensusFacts(
        shares={
            key: float(mean.mean()) if len(mean) else None for key, mean in zip(methods, means, strict=True)
        },
        yes=float(fit.shares[YES - 1]),
        no=float(fit.shares[NO - 1]),
        does_not_apply=float(fit.shares[DOES_NOT_APPLY - 1]),
        units=len(found),
        changed=int((has_one & (counts.argmax(axis=1) + 1 != found)).sum()),
        log_likelihood=fit.log_likelihood,
    )


def checklist_facts(
    answers: ItemAnswers, items: list[tuple[str, str | None, str]], methods: tuple[str, ...]
) -> ChecklistFacts:
    """Return the facts of a checklist.

    :param items: the key, the page (None: all pages) and the text of each item, in the order of their places
    """
    split = disagreements(answers, len(items))
    facts = []
    for number, (key, page, text) in enumerate(items):
        own = answers.item == number
        said = answers.answer[own]
        applying = int((said != DOES_NOT_APPLY).sum())
        facts.append(
            ItemFacts(
                key=key,
                page=page,
                text=text,
                answers=len(said),
                yes=float((said == YES).sum() / applying) if applying else None,
                does_not_apply=float((said == DOES_NOT_APPLY).mean()) if len(said) else 0.0,
                disagreement=None if np.isnan(split[number]) else float(split[number]),
                alpha=item_alphas(said.astype(np.float64), answers.text[own])["nominal"]
                if len(said)
                else None,
            )
        )
    facts.sort(key=lambda one: -1.0 if one.disagreement is None else one.disagreement, reverse=True)
    return ChecklistFacts(tuple(facts), consensus(answers, methods))


def _counts(answers: ItemAnswers) -> tuple[Ints, Ints, Ints]:
    """Return the unit (item and text) of each answer (A,), what was said of each unit (U, 3), and its item (U,)."""
    texts = int(answers.text.max(initial=0)) + 1
    units, unit = np.unique(answers.item * texts + answers.text, return_inverse=True)
    counts = np.zeros((len(units), CLASSES), dtype=np.int64)
    np.add.at(counts, (unit, answers.answer - 1), 1)
    return unit, counts, units // texts
