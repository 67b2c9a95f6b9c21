"""Which pages an evaluator has answered in full: sums over ratings, which the database makes.

What is watched while people answer is asked for often, and of studies with a million answers; so the ratings are
summed up where they lie. `annotations.results.consistency` has the same rule for the report, in NumPy.
"""

from __future__ import annotations

from annotations.protocols.table import PROTOCOLS

# Whose pages: those of all evaluators of a study, or of some evaluators.
OF_STUDY = "enrolment.study_id = %(study)s"
OF_ENROLMENTS = "enrolment.id = ANY(%(enrolments)s)"
# Those pages of a study whose kept sums (`PageSums`) are not those of now: a common table `stale` names them.
OF_STALE_PAGES = "enrolment.id IN (SELECT enrolment_id FROM stale)"
STALE_PLACEMENT = "(placement.enrolment_id, placement.page_id) IN (SELECT enrolment_id, page_id FROM stale)"
STALE_RATING = f"""EXISTS (
    SELECT FROM annotations_placement placement WHERE placement.enrolment_id = rating.enrolment_id
        AND placement.candidate_id = rating.candidate_id AND {STALE_PLACEMENT})"""


# The protocols whose pages are judged as a whole, and whether a judgement says all that its protocol asks.
WHOLE = {key: one.answer.is_whole for key, one in PROTOCOLS.items() if one.answer is not None}
JUDGED = ", ".join(f"'{key}'" for key in WHOLE)
TEXTS = """(SELECT count(*) FROM annotations_placement
    WHERE enrolment_id = judgement.enrolment_id AND page_id = judgement.page_id)"""
IS_WHOLE = "CASE study.protocol {} ELSE false END".format(
    " ".join(f"WHEN '{key}' THEN {rule.format(texts=TEXTS)}" for key, rule in WHOLE.items())
)


def page_sums(whose: str, *, ratings: str = "true", placements: str = "true") -> str:
    """Return the SQL of the common table `page`, with one row for each evaluator and page of `whose`, a constant above.

    `ratings` and `placements` are further conditions on the rows of these tables.

    A page asks for a rating by each criterion of each candidate and, where the study has best picks (as
    `Study.has_best_picks`), for one pick; by another protocol than ratings, for one whole judgement by each criterion.
    It is complete when `answered` equals `asked`. `is_inconsistent` is null where the pick has no overall rating. The
    ORM has no aggregate of aggregates.
    """
    return f"""
rated AS (
    SELECT rating.enrolment_id, rating.candidate_id, count(*) AS ratings,
           max(CASE WHEN criterion.lower_is_better THEN -rating.score ELSE rating.score END)
               FILTER (WHERE criterion.is_overall) AS overall,
           min(rating.saved_at) AS first_at, max(rating.saved_at) AS last_at
    FROM annotations_rating rating
    JOIN annotations_enrolment enrolment ON enrolment.id = rating.enrolment_id
    JOIN annotations_criterion criterion ON criterion.id = rating.criterion_id
    WHERE {whose} AND {ratings}
    GROUP BY rating.enrolment_id, rating.candidate_id
),
judged AS (
    SELECT judgement.enrolment_id, judgement.page_id, count(*) FILTER (WHERE {IS_WHOLE}) AS answers,
           min(judgement.saved_at) AS first_at, max(judgement.saved_at) AS last_at
    FROM annotations_judgement judgement
    JOIN annotations_enrolment enrolment ON enrolment.id = judgement.enrolment_id
    JOIN annotations_study study ON study.id = enrolment.study_id
    WHERE {whose}
    GROUP BY judgement.enrolment_id, judgement.page_id
),
page AS (
    SELECT placement.enrolment_id, placement.page_id,
           CASE WHEN bool_or(study.protocol IN ({JUDGED})) THEN coalesce(max(criteria.number), 0)
                ELSE count(*) * coalesce(max(criteria.number), 0) + bool_or(study.has_best_picks)::int END AS asked,
           coalesce(sum(rated.ratings), 0) + (count(choice.id) > 0)::int + coalesce(max(judged.answers), 0)
               AS answered,
           max(rated.overall) FILTER (WHERE placement.candidate_id = choice.candidate_id) < max(rated.overall)
               AS is_inconsistent,
           least(min(rated.first_at), min(choice.saved_at), min(judged.first_at)) AS first_at,
           greatest(max(rated.last_at), max(choice.saved_at), max(judged.last_at)) AS last_at
    FROM annotations_placement placement
    JOIN annotations_enrolment enrolment ON enrolment.id = placement.enrolment_id
    JOIN annotations_study study ON study.id = enrolment.study_id
    LEFT JOIN (
        SELECT study_id, count(*) AS number FROM annotations_criterion GROUP BY study_id
    ) criteria ON criteria.study_id = enrolment.study_id
    LEFT JOIN rated
        ON rated.enrolment_id = placement.enrolment_id AND rated.candidate_id = placement.candidate_id
    LEFT JOIN annotations_bestchoice choice
        ON choice.enrolment_id = placement.enrolment_id AND choice.page_id = placement.page_id
    LEFT JOIN judged ON judged.enrolment_id = placement.enrolment_id AND judged.page_id = placement.page_id
    WHERE {whose} AND {placements}
    GROUP BY placement.enrolment_id, placement.page_id
)
"""
