"""Straight lines: pages that are answered alike throughout, or page after page in the same way."""

from __future__ import annotations

from itertools import groupby

import numpy as np

from annotations.models import Judgement, Study
from stats.ratings.table import RatingTable
from stats.scores import Ints

# Straight lines are only told on pages with so many ratings.
FEWEST_RATINGS = 3
# Judgements of so many pages in a row. By chance all of them name the same one of two texts once in 512 times.
LONGEST_BY_CHANCE = 10


def straight_lines(study: Study, counted: RatingTable) -> tuple[Ints, Ints, Ints]:
    """Return of each evaluator how many pages they answered, of how many a line can be told, and how many are one (E,).

    Where pages are judged as a whole, with one query.
    """
    if study.asks.answer is None:
        return lines_of_ratings(counted)
    return lines_of_judgements(study, counted)


def lines_of_judgements(study: Study, counted: RatingTable) -> tuple[Ints, Ints, Ints]:
    """Return what `straight_lines` does for judgements of whole pages.

    A page stands in a line where it is one of `LONGEST_BY_CHANCE` or more of its evaluator in a row that were answered
    alike by the places of the texts: always the left one, always the order in which they stand.
    """
    row = {evaluator: place for place, evaluator in enumerate(counted.evaluators)}
    known = set(counted.prompts)
    found = np.zeros((3, len(counted.evaluators)), dtype=np.int64)
    judgements = (
        Judgement.objects.filter(enrolment__study=study, enrolment__withdrawn_at=None)
        .order_by("enrolment__number", "page__subtask__number", "page__number", "criterion__number")
        .values_list(
            "enrolment__pseudonym", "page__subtask__number", "page__number",
            "preference", "both_bad", "places",
        )
    )  # fmt: skip
    pages = [
        (page[0], [(preference, both_bad, tuple(places or ())) for *_, preference, both_bad, places in group])
        for page, group in groupby(judgements, key=lambda one: one[:3])
        if f"{page[1]}/{page[2]}" in known
    ]
    # One who gives up in the middle of a page answers it by fewer criteria, and alike with no other.
    for (evaluator, _answers), run in groupby(pages):
        length = len(list(run))
        found[:2, row[evaluator]] += length
        if length >= LONGEST_BY_CHANCE:
            found[2, row[evaluator]] += length
    answered, told, straight = found
    return answered, told, straight


def lines_of_ratings(counted: RatingTable) -> tuple[Ints, Ints, Ints]:
    """Return of each evaluator how many pages they answered, rated several times, and rated alike throughout (E,).

    A line is straight where all ratings of a page, by every criterion, stand at the same part of their scales.
    """
    ratings = counted.first_ratings()
    evaluators = len(ratings.evaluators)
    pages, page, number = np.unique(ratings.page, return_inverse=True, return_counts=True)
    scales = np.array([(one.minimum, one.maximum) for one in ratings.criteria]).reshape(-1, 2)
    low, high = scales[ratings.criterion].T if len(ratings) else (np.empty(0), np.empty(0))
    place = (ratings.score - low) / np.where(high > low, high - low, 1)
    least, most = np.full(len(pages), np.inf), np.full(len(pages), -np.inf)
    np.minimum.at(least, page, place)
    np.maximum.at(most, page, place)
    is_rated = number >= FEWEST_RATINGS
    evaluator = pages // max(len(ratings.prompts), 1)
    of = [evaluator, evaluator[is_rated], evaluator[is_rated & (most - least < 1e-9)]]
    answered, rated, straight = (np.bincount(one, minlength=evaluators) for one in of)
    return answered, rated, straight
