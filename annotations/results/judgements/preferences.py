"""The methods of a study by comparisons of their texts, with what is known of the texts taken into account."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from annotations.models import PageCandidate, Study
from stats.comparisons.preferences import Kind, Preferences, preferences
from stats.ratings.table import RatingTable

if TYPE_CHECKING:
    from stats.scores import Floats

# What Markdown sets apart: headings, points of lists, quotes, strong words, code.
MARKS = re.compile(r"^\s*(?:#{1,6} |[-*+] |\d+[.)] |>)|\*\*|__|`", re.MULTILINE)


def study_preferences(
    study: Study,
    table: RatingTable,
    criterion: str,
    samples_of: Sequence[int] | None,
    seed: int,
    *,
    covariates: Sequence[str] | None = None,
) -> Preferences | None:
    """Return what the judgements of a study say of its methods, with one query; None where texts were rated."""
    if study.asks.answer is None:
        return None
    return preferences(
        table,
        criterion,
        cast("Kind", study.protocol),
        of_texts=numbers_of_texts(study, table),
        samples_of=samples_of,
        covariates=covariates,
        rng=np.random.default_rng(seed),
    )


def numbers_of_texts(study: Study, table: RatingTable) -> dict[str, Floats]:
    """Return the logarithms of the length of each text in characters and of one more than its marks, (P, M)."""
    row = {name: place for place, name in enumerate(table.prompts)}
    column = {key: place for place, key in enumerate(table.methods)}
    length = np.full((len(row), len(column)), np.nan)
    marks = length.copy()
    for subtask, page, method, text in PageCandidate.objects.counted(study).values_list(
        "page__subtask__number", "page__number", "study_method__method__key", "candidate__text"
    ):
        at = row[f"{subtask}/{page}"], column[method]
        length[at] = np.log(max(len(text), 1))
        marks[at] = np.log1p(len(MARKS.findall(text)))
    return {"length": length, "marks": marks}
