"""Which pages an evaluator has answered in full: sums over ratings, which the database makes.

What is watched while people answer is asked for often, and of studies with a million answers; so the ratings are
summed up where they lie. `annotations.results.consistency` has the same rule for the report, in NumPy.
"""

from __future__ import annotations

from annotations.protocols.table import PROTOCOLS

# Whose pages: those of some evaluators, or those of a study whose kept sums (`PageSums`) are not those of now.
OF_ENROLMENTS = "enrolment.id = ANY(%(enrolments)s)"
OF_STALE_PAGES = "enrolment.study_id = %(study)s AND sums.summed_at_change IS DISTINCT FROM sums.changes"


# The protocols whose pages are judged as a whole, and whether a judgement says all that its protocol asks.
WHOLE = {key: one.answer.is_whole for key, one in PROTOCOLS.items() if one.answer is not None}
JUDGED = ", ".join(f"'{key}'" for key in WHOLE)
TEXTS = """(SELECT count(*) FROM annotations_placement
    WHERE enrolment_id = judgement.enrolment_id AND page_id = judgement.page_id)"""
# The protocols by which errors are marked in each text, beside its ratings.
MARKED = ", ".join(f"'{key}'" for key, one in PROTOCOLS.items() if one.marks_errors)
# The protocols by which something else than scores is answered about each text.
OF_TEXTS = {key: one.texts for key, one in PROTOCOLS.items() if one.texts is not None}
ASKED = "".join(f"WHEN study.protocol = '{key}' THEN {texts.asked} " for key, texts in OF_TEXTS.items())
GIVEN = " UNION ALL ".join(
    f"SELECT * FROM ({texts.given}) given WHERE study.protocol = '{key}'" for key, texts in OF_TEXTS.items()
)
IS_WHOLE = "CASE study.protocol {} ELSE false END".format(
    " ".join(f"WHEN '{key}' THEN {rule.format(texts=TEXTS)}" for key, rule in WHOLE.items())
)


def page_sums(whose: str) -> str:
    """Return the SQL of the common table `page`, with one row for each evaluator and page of `whose`, a constant above.

    A page asks for a rating by each criterion of each candidate and, where the study has best picks (as
    `Study.has_best_picks`), for one pick, and by a criterion that rates turns for a rating of each turn of a dialogue;
    where errors are marked for all marks of each candidate, and for no rating by a criterion reckoned from them; by
    protocols that judge pages for one whole judgement by each criterion, by others for what these say.
    It is complete when `answered` equals `asked`. `is_inconsistent` is null where the pick has no overall rating. The
    ORM has no aggregate of aggregates.

    Each page is looked up by indexes: joins of what is summed up would take the square of the pages where the database
    has no statistics yet, as after an import.
    """
    return f"""
page AS (
    SELECT sums.id, sums.changes, sums.enrolment_id, sums.page_id,
           CASE WHEN study.protocol IN ({JUDGED}) THEN criteria.number
                {ASKED}
                ELSE texts.number * (criteria.number + (study.protocol IN ({MARKED}))::int) + study.has_best_picks::int
                    + CASE WHEN criteria.of_turns > 0 THEN criteria.of_turns * turns.asked ELSE 0 END
           END AS asked,
           texts.ratings + texts.markings + (choice.id IS NOT NULL)::int + judged.answers + given.answers
               + CASE WHEN criteria.of_turns > 0 THEN turns.answered ELSE 0 END AS answered,
           texts.overall_of_pick < texts.overall AS is_inconsistent,
           least(texts.first_at, choice.saved_at, judged.first_at, given.first_at, turns.first_at) AS first_at,
           greatest(texts.last_at, choice.saved_at, judged.last_at, given.last_at, turns.last_at) AS last_at
    FROM annotations_pagesums sums
    JOIN annotations_enrolment enrolment ON enrolment.id = sums.enrolment_id
    JOIN annotations_study study ON study.id = enrolment.study_id
    LEFT JOIN annotations_bestchoice choice
        ON choice.enrolment_id = sums.enrolment_id AND choice.page_id = sums.page_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS number, count(*) FILTER (WHERE rates_turns) AS of_turns
        FROM annotations_criterion WHERE study_id = study.id AND derived = ''
    ) criteria
    CROSS JOIN LATERAL (
        SELECT count(*) AS number, coalesce(sum(rated.ratings), 0) AS ratings, max(rated.overall) AS overall,
               max(rated.overall) FILTER (WHERE placement.candidate_id = choice.candidate_id) AS overall_of_pick,
               count(*) FILTER (WHERE marking.is_done) AS markings,
               least(min(rated.first_at), min(marking.saved_at)) AS first_at,
               greatest(max(rated.last_at), max(marking.saved_at)) AS last_at
        FROM annotations_placement placement
        LEFT JOIN annotations_marking marking ON study.protocol IN ({MARKED})
            AND marking.enrolment_id = placement.enrolment_id AND marking.candidate_id = placement.candidate_id
        CROSS JOIN LATERAL (
            SELECT count(*) AS ratings,
                   max(CASE WHEN criterion.lower_is_better THEN -rating.score ELSE rating.score END)
                       FILTER (WHERE criterion.is_overall) AS overall,
                   min(rating.saved_at) AS first_at, max(rating.saved_at) AS last_at
            FROM annotations_rating rating
            JOIN annotations_criterion criterion ON criterion.id = rating.criterion_id
            WHERE rating.enrolment_id = placement.enrolment_id AND rating.candidate_id = placement.candidate_id
        ) rated
        WHERE placement.enrolment_id = sums.enrolment_id AND placement.page_id = sums.page_id
    ) texts
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE {IS_WHOLE}) AS answers,
               min(judgement.saved_at) AS first_at, max(judgement.saved_at) AS last_at
        FROM annotations_judgement judgement
        WHERE judgement.enrolment_id = sums.enrolment_id AND judgement.page_id = sums.page_id
    ) judged
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(answers), 0) AS answers, min(first_at) AS first_at, max(last_at) AS last_at
        FROM ({GIVEN}) by_protocol
    ) given
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(shown.turns), 0) AS asked, coalesce(sum(rated.ratings), 0) AS answered,
               min(rated.first_at) AS first_at, max(rated.last_at) AS last_at
        FROM annotations_placement placement
        JOIN annotations_pagecandidate shown
            ON shown.page_id = placement.page_id AND shown.candidate_id = placement.candidate_id
        CROSS JOIN LATERAL (
            SELECT count(*) AS ratings, min(saved_at) AS first_at, max(saved_at) AS last_at
            FROM annotations_turnrating
            WHERE enrolment_id = placement.enrolment_id AND candidate_id = placement.candidate_id
        ) rated
        WHERE criteria.of_turns > 0
            AND placement.enrolment_id = sums.enrolment_id AND placement.page_id = sums.page_id
    ) turns
    WHERE {whose}
)
"""
