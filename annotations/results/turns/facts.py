"""What a report says of the ratings of turns, by the evaluators who count."""

from __future__ import annotations

import numpy as np

from annotations.models import PageCandidate, Study, TurnRating
from annotations.results.copying import copied_numbers, places
from annotations.results.turns.scores import mean_key, turn_criteria
from stats.ratings.table import RatingTable
from stats.turns.facts import TurnFacts, TurnScores, turn_facts


def study_turns(study: Study, table: RatingTable) -> TurnFacts | None:
    """Return the facts of the ratings of turns by the evaluators of a table; None where no turn was rated."""
    criteria = turn_criteria(study, list(study.criteria.all()))
    scores = turn_scores(study, table) if criteria else None
    if scores is None or not len(scores):
        return None
    return turn_facts(scores, methods=table.methods, criteria=[(one.key, mean_key(one)) for one in criteria])


def turn_scores(study: Study, table: RatingTable) -> TurnScores:
    """Return the scores of turns by the evaluators of a table, with four queries."""
    criteria = turn_criteria(study, list(study.criteria.all()))
    at = {pseudonym: number for number, pseudonym in enumerate(table.evaluators)}
    enrolments = dict(study.enrolments.values_list("pk", "pseudonym"))
    evaluator_of = np.array([at.get(pseudonym, -1) for pseudonym in enrolments.values()], dtype=np.int64)
    prompts = {name: number for number, name in enumerate(table.prompts)}
    methods = {key: number for number, key in enumerate(table.methods)}
    shown = {
        candidate: (prompts[f"{subtask}/{page}"], methods[method])
        for candidate, subtask, page, method in PageCandidate.objects.counted(study).values_list(
            "candidate_id", "page__subtask__number", "page__number", "study_method__method__key"
        )
    }
    ratings = copied_numbers(
        TurnRating.objects.filter(enrolment__study=study, criterion__in=criteria).values_list(
            "enrolment_id", "candidate_id", "criterion_id", "turn", "score"
        ),
        columns=5,
    )
    ratings = ratings[np.isin(ratings[:, 1], list(shown))]
    keys = ratings[:, :4].astype(np.int64)
    # In the order of evaluators, texts, criteria and turns, whatever that of the database.
    order = np.lexsort(keys.T[::-1])
    keys, score = keys[order], ratings[order, 4]
    of_text = np.array(list(shown.values()), dtype=np.int64).reshape(-1, 2)[places(list(shown), keys[:, 1])]
    found = TurnScores(
        evaluator=evaluator_of[places(list(enrolments), keys[:, 0])],
        prompt=of_text[:, 0],
        method=of_text[:, 1],
        criterion=places([one.pk for one in criteria], keys[:, 2]),
        turn=keys[:, 3],
        score=score,
    )
    return found.rows(found.evaluator >= 0)
