"""Judgements of pages as scores of texts, so that every statistic of ratings holds for them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotations.models import Judgement, Study
from annotations.protocols.protocol import AnswerToPage, Judgements
from stats.scores import Floats, Ints


def judged_scores(
    study: Study, answer: AnswerToPage, *, pages: Ints, enrolments: Sequence[int], page_keys: Sequence[int]
) -> tuple[Ints, Ints, Ints, Floats]:
    """Return the scores of texts on the pages that are judged in full: enrolment, text, criterion and score (N,).

    Enrolments and texts are places, criteria primary keys.

    :param pages: who sees which text where: enrolment, page, place on it (from 0) and text, shape (K, 4)
    :param enrolments: primary keys of the enrolments, in the order of their places; `page_keys` of the pages
    """
    most = int(pages[:, 2].max(initial=1)) + 1
    of_page = pages[:, 0] * len(page_keys) + pages[:, 1]
    keys, row = np.unique(of_page, return_inverse=True)
    texts = np.full((len(keys), most), -1, dtype=np.int64)
    texts[row, pages[:, 2]] = pages[:, 3]
    enrolment_at = {key: place for place, key in enumerate(enrolments)}
    page_at = {key: place for place, key in enumerate(page_keys)}
    at = dict(zip(keys.tolist(), range(len(keys)), strict=True))
    sizes = (texts >= 0).sum(axis=1).tolist()
    found: list[tuple[int, int, int, bool, list[int]]] = []
    for enrolment, page, criterion, preference, both_bad, places in Judgement.objects.filter(
        enrolment__study=study, enrolment__withdrawn_at=None
    ).values_list("enrolment_id", "page_id", "criterion_id", "preference", "both_bad", "places"):
        if page not in page_at or enrolment not in enrolment_at:
            continue
        shown = at[enrolment_at[enrolment] * len(page_keys) + page_at[page]]
        if places is None or len(places) == answer.page.places(sizes[shown]):
            found.append((shown, criterion, preference or 0, both_bad, places or []))
    if not found:
        nothing = np.empty(0, dtype=np.int64)
        return nothing, nothing, nothing, np.empty(0)
    chosen = np.full((len(found), most), -1, dtype=np.int64)
    for number, (*_, places) in enumerate(found):
        chosen[number, : len(places)] = places
    shown_at = np.array([one[0] for one in found], dtype=np.int64)
    scores = answer.scores(
        Judgements(
            preference=np.array([one[2] for one in found]),
            both_bad=np.array([one[3] for one in found]),
            places=chosen,
            texts=np.array(sizes)[shown_at],
        ),
        study,
    )
    on_page = texts[shown_at][:, : scores.shape[1]]
    judged, place = np.nonzero(~np.isnan(scores) & (on_page >= 0))
    criteria = np.array([one[1] for one in found], dtype=np.int64)
    return (
        keys[shown_at[judged]] // len(page_keys),
        on_page[judged, place],
        criteria[judged],
        scores[judged, place],
    )
