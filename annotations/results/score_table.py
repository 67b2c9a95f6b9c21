"""All answers of a study as arrays, read by COPY: what the consistency rule and every statistic start from."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Count, Max, QuerySet
from numpy.typing import NDArray

from annotations.models import AnswerChange, BestChoice, Page, PageCandidate, Placement, Rating, Study
from annotations.results.consistency import Verdict, judge
from generation.models import Prompt
from stats.scores import Criterion, Floats, ScoreTable

Integers = NDArray[np.int64]


def copied_integers(queryset: QuerySet[Any, tuple[int, ...]], columns: int) -> Integers:
    """Return the rows of a `values_list` of integers, shape (rows, columns)."""
    return copied_numbers(queryset, columns).astype(np.int64)


def copied_numbers(queryset: QuerySet[Any, tuple[float, ...]], columns: int) -> Floats:
    """Return the rows of a `values_list` of numbers, shape (rows, columns), whole ones exact up to 2^53.

    By COPY, because a million ratings as Python objects take ten times the time and memory.
    """
    sql, parameters = queryset.order_by().query.sql_with_params()
    buffer = io.BytesIO()
    with connection.cursor() as cursor:
        query = cursor.mogrify(sql, parameters).decode()
        cursor.copy_expert(f"COPY ({query}) TO STDOUT", buffer)
    if not buffer.tell():
        return np.empty((0, columns))
    buffer.seek(0)
    return np.loadtxt(buffer, dtype=np.float64, delimiter="\t", ndmin=2)


def places(keys: Sequence[int], wanted: Integers) -> Integers:
    """Return the index in `keys` of every wanted primary key; all of them must be there."""
    order = np.argsort(keys)
    found: Integers = order[np.searchsorted(keys, wanted, sorter=order)]
    return found


def score_table(study: Study) -> ScoreTable:
    """Return all answers of a study, of valid evaluators and of others, in a constant number of queries.

    Whoever has withdrawn is not in it, and has no answers. Evaluators are named by pseudonym in order of enrolment,
    prompts by 'sub-task/page', methods by key.
    """
    enrolments = list(
        study.enrolments.filter(withdrawn_at=None).order_by("number").values_list("pk", "pseudonym")
    )
    study_methods = list(study.study_methods.order_by("number").values_list("pk", "method__key"))
    criteria = list(study.criteria.order_by("number"))
    shown = list(
        PageCandidate.objects.filter(page__subtask__study=study)
        .order_by("page__subtask__number", "page__number")
        .values_list("candidate", "page", "page__subtask__number", "page__number", "study_method")
    )
    page_names = {page: f"{subtask}/{number}" for _, page, subtask, number, _ in shown}
    pages = list(page_names)
    method_pks = [pk for pk, _ in study_methods]
    candidates = [candidate for candidate, *_ in shown]
    candidate_page = places(pages, np.array([page for _, page, *_ in shown], dtype=np.int64))
    candidate_method = places(method_pks, np.array([row[4] for row in shown], dtype=np.int64))

    enrolment_pks = [pk for pk, _ in enrolments]
    shape = (len(enrolments), len(pages), len(study_methods))
    scores = np.full((*shape, len(criteria)), np.nan)
    best = np.full(shape[:2], -1, dtype=np.int64)
    positions = np.full(shape, -1, dtype=np.int64)

    ratings = copied_numbers(
        Rating.objects.filter(enrolment__study=study).values_list(
            "enrolment_id", "candidate_id", "criterion_id", "score"
        ),
        columns=4,
    )
    of_enrolment, of_candidate, of_criterion = ratings[:, :3].astype(np.int64).T
    at = places(candidates, of_candidate)
    of_criterion = places([criterion.pk for criterion in criteria], of_criterion)
    scores[places(enrolment_pks, of_enrolment), candidate_page[at], candidate_method[at], of_criterion] = (
        ratings[:, 3]
    )

    picks = copied_integers(
        BestChoice.objects.filter(enrolment__study=study).values_list("enrolment_id", "candidate_id"),
        columns=2,
    )
    at = places(candidates, picks[:, 1])
    best[places(enrolment_pks, picks[:, 0]), candidate_page[at]] = candidate_method[at]

    placements = copied_integers(
        Placement.objects.filter(enrolment__study=study).values_list(
            "enrolment_id", "candidate_id", "position"
        ),
        columns=3,
    )
    at = places(candidates, placements[:, 1])
    positions[places(enrolment_pks, placements[:, 0]), candidate_page[at], candidate_method[at]] = placements[
        :, 2
    ]

    return ScoreTable(
        scores=scores,
        evaluators=tuple(pseudonym for _, pseudonym in enrolments),
        prompts=tuple(page_names.values()),
        methods=tuple(key for _, key in study_methods),
        criteria=tuple(
            Criterion(
                criterion.key,
                criterion.minimum,
                criterion.maximum,
                criterion.is_overall,
                criterion.lower_is_better,
            )
            for criterion in criteria
        ),
        best=best,
        positions=positions,
    )


def page_prompts(study: Study) -> dict[str, Prompt]:
    """Return the prompt of each page, by the page's name in a score table."""
    pages = Page.objects.filter(subtask__study=study).select_related("subtask", "prompt")
    return {f"{page.subtask.number}/{page.number}": page.prompt for page in pages}


def pages_asked(study: Study, table: ScoreTable) -> tuple[int, ...]:
    """Return how many pages each evaluator of the table was given: those of the sub-tasks assigned to them."""
    pages = dict(
        study.enrolments.filter(withdrawn_at=None)
        .annotate(pages=Count("assignments__subtask__pages"))
        .values_list("pseudonym", "pages")
    )
    return tuple(pages.get(evaluator, 0) for evaluator in table.evaluators)


def verdicts_on(study: Study, table: ScoreTable) -> tuple[Verdict, ...]:
    """Return the verdict on every evaluator of the study's table, in at most one query."""
    asked = pages_asked(study, table) if study.is_shared_out() else None
    return judge(
        table,
        threshold=study.inconsistency_threshold,
        asked=asked,
        has_best_picks=study.has_best_picks,
    )


def valid_table(study: Study) -> ScoreTable:
    """Return the answers of the valid evaluators alone."""
    table = score_table(study)
    verdicts = verdicts_on(study, table)
    return table.only_evaluators(verdict.evaluator for verdict in verdicts if verdict.is_valid)


def page_seconds(study: Study, table: ScoreTable) -> Floats:
    """Return the longest time each evaluator of the table had each page in view, shape (E, P); NaN if unknown."""
    seconds = np.full(table.best.shape, np.nan)
    row = {evaluator: index for index, evaluator in enumerate(table.evaluators)}
    column = {prompt: index for index, prompt in enumerate(table.prompts)}
    longest = (
        AnswerChange.objects.filter(enrolment__study=study, seconds_on_page__isnull=False)
        .values("enrolment__pseudonym", "page__subtask__number", "page__number")
        .annotate(longest=Max("seconds_on_page"))
    )
    for page in longest:
        if page["enrolment__pseudonym"] in row:
            prompt = f"{page['page__subtask__number']}/{page['page__number']}"
            seconds[row[page["enrolment__pseudonym"]], column[prompt]] = page["longest"]
    return seconds
