"""How strict the evaluators of a study are while they still answer: no method is named, so nothing is unblinded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from annotations.models import Criterion, PageCandidate, Rating, Study

if TYPE_CHECKING:
    from stats.ordinal.severity import EvaluatorSeverity, Severity

# More ratings take longer than a page should; the report of the closed study has them.
MOST_RATINGS = 50_000
# Of the drawing, whose middle is the average.
HALF = 100


@dataclass(frozen=True)
class StrictnessRow:
    """An evaluator with the places of the estimate and of the ends of its interval on a line from 0 to 2 HALF."""

    found: EvaluatorSeverity
    low: float
    place: float
    high: float


@dataclass(frozen=True)
class Strictness:
    """The evaluators from strict to lenient on one criterion, or why that cannot be told."""

    criterion: Criterion
    found: Severity
    rows: tuple[StrictnessRow, ...]


def strictness(study: Study) -> Strictness | None:
    """Return how strict everybody who has rated is on the overall or the first criterion, with three queries.

    None without a criterion or without ratings of two evaluators.
    """
    criterion = study.criteria.order_by("-is_overall", "number").first()
    if criterion is None:
        return None
    import numpy as np

    from annotations.results.copying import copied_numbers
    from stats.ordinal.severity import Severity, severity
    from stats.ratings.numbering import renumbered
    from stats.ratings.table import RatingTable
    from stats.scores import Criterion as Scale

    ratings = copied_numbers(
        Rating.objects.filter(criterion=criterion)
        .exclude(candidate__in=PageCandidate.objects.beside_results(study))
        .values_list("enrolment_id", "candidate_id", "score"),
        columns=3,
    )
    enrolments, evaluator = renumbered(ratings[:, 0].astype(np.int64))
    if len(enrolments) < 2:
        return None
    if len(ratings) > MOST_RATINGS:
        return Strictness(criterion, Severity(criterion.key, refusal="too many ratings"), ())
    pseudonyms = dict(study.enrolments.values_list("pk", "pseudonym"))
    texts, text = renumbered(ratings[:, 1].astype(np.int64))
    one = np.zeros(len(ratings), dtype=np.int64)
    # Every text is a prompt of its own: which method wrote it is not even read.
    found = severity(
        RatingTable(
            evaluator=evaluator,
            prompt=text,
            method=one,
            criterion=one,
            score=ratings[:, 2],
            evaluators=tuple(pseudonyms[pk] for pk in enrolments.tolist()),
            prompts=tuple(map(str, texts.tolist())),
            methods=("text",),
            criteria=(Scale(criterion.key, criterion.minimum, criterion.maximum),),
        ),
        criterion.key,
    )
    widest = max((abs(end) for one in found.evaluators for end in one.ci), default=1.0)
    return Strictness(
        criterion,
        found,
        tuple(
            StrictnessRow(
                one, *(round(HALF + HALF * at / widest, 1) for at in (one.ci[0], one.severity, one.ci[1]))
            )
            for one in sorted(found.evaluators, key=lambda one: -one.severity)
        ),
    )
