"""All answers of a study as a long table, read by COPY: what the consistency rule and every statistic start from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db.models import Count, Max, Q

from annotations.models import (
    AnswerChange,
    BestChoice,
    Enrolment,
    Page,
    PageCandidate,
    Placement,
    Rating,
    Study,
)
from annotations.questionnaire.progress import pages_answered
from annotations.results.checklists.scores import COLUMNS, answered_texts, share_scores
from annotations.results.consistency import Verdict, judge
from annotations.results.copying import Integers, copied_integers, copied_numbers, places
from annotations.results.judgements.scores import judged_scores
from annotations.results.spans.scores import derived_scores
from annotations.results.turns.scores import mean_key, mean_scores, turn_criteria
from generation.models import Prompt
from stats.ratings.cells import Cells
from stats.ratings.table import Picks, RatingTable, read_only
from stats.scores import Criterion


def rating_table(
    study: Study,
    *,
    roles: Sequence[Page.Role] = (Page.Role.COUNTED,),
    enrolment: Enrolment | None = None,
) -> RatingTable:
    """Return all answers of a study, of valid evaluators and of others, in a constant number of queries.

    They are those to the pages that count, unless `roles` names others, and of everybody or of one enrolment.
    Whoever has withdrawn is not in it, and has no answers. Evaluators are named by pseudonym in order of enrolment,
    prompts by 'sub-task/page', methods by key; a criterion that rates turns has the mean over the turns of each text
    beside it, as a criterion of its own. Memory grows with the answers, not with evaluators x prompts.
    """
    imported = study.from_elsewhere
    enrolments = list(
        study.enrolments.filter(Q() if enrolment is None else Q(pk=enrolment.pk), withdrawn_at=None)
        .order_by("number")
        .values_list("pk", "pseudonym")
    )
    given: dict[str, Any] = {"enrolment__study": study} if enrolment is None else {"enrolment": enrolment}
    study_methods = list(study.study_methods.order_by("number").values_list("pk", "method__key"))
    criteria = list(study.criteria.all())
    of_turns = turn_criteria(study, criteria)
    shown = list(
        PageCandidate.objects.filter(page__subtask__study=study, page__role__in=roles)
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
    picks = copied_integers(
        BestChoice.objects.filter(**given).values_list("enrolment_id", "candidate_id"),
        columns=2,
    )
    picks = picks[np.isin(picks[:, 1], candidates)]
    picked = places(candidates, picks[:, 1])
    picker = places(enrolment_pks, picks[:, 0])

    places_known = imported is None or imported.has_positions
    placements = copied_integers(
        Placement.objects.filter(**(given if places_known else {"enrolment": None})).values_list(
            "enrolment_id", "candidate_id", "position"
        ),
        columns=3,
    )
    placements = placements[np.isin(placements[:, 1], candidates)]
    placed = places(enrolment_pks, placements[:, 0]) * len(candidates) + places(candidates, placements[:, 1])
    order = np.argsort(placed)

    answer = study.asks.answer
    if study.asks.texts is not None and criteria:
        texts = copied_numbers(answered_texts(study), columns=COLUMNS)
        texts = texts[np.isin(texts[:, 0], enrolment_pks) & np.isin(texts[:, 1], candidates)]
        score, has_one = share_scores(study, texts)
        of_enrolment, of_candidate = texts[has_one, :2].astype(np.int64).T
        evaluator, text = places(enrolment_pks, of_enrolment), places(candidates, of_candidate)
        score, of_criterion = score[has_one], np.full(len(text), criteria[0].pk)
    elif answer is None:
        ratings = copied_numbers(
            Rating.objects.filter(**given).values_list(
                "enrolment_id", "candidate_id", "criterion_id", "score"
            ),
            columns=4,
        )
        if study.asks.marks_errors:
            ratings = np.concatenate([ratings, derived_scores(study, criteria)])
        ratings = np.concatenate([ratings, mean_scores(given, of_turns)])
        ratings = ratings[np.isin(ratings[:, 0], enrolment_pks) & np.isin(ratings[:, 1], candidates)]
        of_enrolment, of_candidate, of_criterion = ratings[:, :3].astype(np.int64).T
        evaluator, text = places(enrolment_pks, of_enrolment), places(candidates, of_candidate)
        score = ratings[:, 3]
    else:
        on_page = candidate_page[placed % max(len(candidates), 1)]
        evaluator, text, of_criterion, score = judged_scores(
            study,
            answer,
            pages=np.stack(
                [
                    placed // max(len(candidates), 1),
                    on_page,
                    placements[:, 2],
                    placed % max(len(candidates), 1),
                ],
                axis=1,
            ),
            enrolments=enrolment_pks,
            page_keys=pages,
        )
    # The mean over turns stands behind the criteria, by the negative of the key of its own.
    criterion = places([*(one.pk for one in criteria), *(-one.pk for one in of_turns)], of_criterion)

    def position(evaluator: Integers, text: Integers) -> Integers:
        """Return where each text stood for each evaluator, -1 where that is unknown."""
        wanted = evaluator * len(candidates) + text
        if not len(placed):
            return np.full(len(wanted), -1)
        at = order[np.minimum(np.searchsorted(placed, wanted, sorter=order), len(placed) - 1)]
        found: Integers = np.where(placed[at] == wanted, placements[at, 2], -1).astype(np.int64)
        return found

    # In the order of evaluators, pages, methods and criteria, whatever that of the database.
    rows = np.lexsort((criterion, candidate_method[text], candidate_page[text], evaluator))
    evaluator, text, criterion = evaluator[rows], text[rows], criterion[rows]
    # What is reckoned has no end of its scale.
    highest = [
        score[rows][criterion == number].max(initial=-np.inf) if one.derived else -np.inf
        for number, one in enumerate(criteria)
    ]
    written = np.zeros((len(pages), len(study_methods)), dtype=np.bool_)
    written[candidate_page, candidate_method] = True
    return RatingTable(
        evaluator=read_only(evaluator),
        prompt=read_only(candidate_page[text]),
        method=read_only(candidate_method[text]),
        criterion=read_only(criterion),
        score=read_only(score[rows]),
        evaluators=tuple(pseudonym for _, pseudonym in enrolments),
        prompts=tuple(page_names.values()),
        methods=tuple(key for _, key in study_methods),
        criteria=tuple(
            Criterion(one.key, low, max(high, highest[number]), one.is_overall, is_reversed)
            for number, one in enumerate(criteria)
            for low, high, is_reversed in [study.scale(one)]
        )
        + tuple(
            Criterion(mean_key(one), low, high, is_overall=False, lower_is_better=is_reversed)
            for one in of_turns
            for low, high, is_reversed in [study.scale(one)]
        ),
        position=position(evaluator, text),
        picks=Picks(
            evaluator=picker,
            prompt=candidate_page[picked],
            method=candidate_method[picked],
            position=position(picker, picked),
        ),
        written=written,
    )


def page_prompts(study: Study) -> dict[str, Prompt]:
    """Return the prompt of each page, by the page's name in a rating table."""
    pages = Page.objects.counted().filter(subtask__study=study).select_related("subtask", "prompt")
    return {f"{page.subtask.number}/{page.number}": page.prompt for page in pages}


def pages_asked(study: Study, table: RatingTable) -> tuple[int, ...]:
    """Return how many pages each evaluator of the table was given: those of the sub-tasks assigned to them."""
    pages = dict(
        study.enrolments.filter(withdrawn_at=None)
        .annotate(
            pages=Count(
                "assignments__subtask__pages",
                filter=Q(assignments__subtask__pages__role=Page.Role.COUNTED),
            )
        )
        .values_list("pseudonym", "pages")
    )
    return tuple(pages.get(evaluator, 0) for evaluator in table.evaluators)


def verdicts_on(study: Study, table: RatingTable) -> tuple[Verdict, ...]:
    """Return the verdict on every evaluator of the study's table, in at most two queries."""
    asked = pages_asked(study, table) if study.is_shared_out() else None
    # A text to which no item of a checklist applies is answered, and has no score.
    by_pages = study.asks.texts is not None or any(
        criterion.rates_turns for criterion in study.criteria.all()
    )
    answered = pages_answered(study) if by_pages else None
    return judge(
        table,
        threshold=study.inconsistency_threshold,
        asked=asked,
        answered=None if answered is None else [answered.get(one, 0) for one in table.evaluators],
        has_best_picks=study.has_best_picks,
        candidates_per_page=study.candidates_per_page,
        everybody_counts=study.from_elsewhere is not None and study.from_elsewhere.everybody_counts,
    )


def valid_table(study: Study) -> RatingTable:
    """Return the answers of the valid evaluators alone."""
    table = rating_table(study)
    verdicts = verdicts_on(study, table)
    return table.only_evaluators(verdict.evaluator for verdict in verdicts if verdict.is_valid)


def page_seconds(study: Study, table: RatingTable) -> Cells:
    """Return the longest time each evaluator of the table had each page in view, where it is known."""
    row = {evaluator: index for index, evaluator in enumerate(table.evaluators)}
    column = {prompt: index for index, prompt in enumerate(table.prompts)}
    longest = (
        AnswerChange.objects.filter(enrolment__study=study, seconds_on_page__isnull=False)
        .values_list("enrolment__pseudonym", "page__subtask__number", "page__number")
        .annotate(longest=Max("seconds_on_page"))
    )
    known = [
        (row[evaluator], column[f"{subtask}/{page}"], seconds)
        for evaluator, subtask, page, seconds in longest
        if evaluator in row and f"{subtask}/{page}" in column
    ]
    evaluators, prompts, seconds = zip(*known, strict=True) if known else ((), (), ())
    return Cells(
        np.array(evaluators, dtype=np.int64),
        np.array(prompts, dtype=np.int64),
        np.array(seconds, dtype=np.float64),
    )
