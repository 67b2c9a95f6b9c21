"""What the report says of ratings that were collected elsewhere, and how evaluators agree with themselves there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from django.db import connection

from annotations.models import RatingImport, Study
from stats.reports.quality_facts import SelfAgreement
from stats.reports.study_report import ElsewhereFacts

if TYPE_CHECKING:
    from stats.ratings.choice import Planned

KINDS: dict[str, Literal["ratings", "pairs", "spans"]] = {
    "ratings": "ratings",
    "pairs": "pairs",
    "spans": "spans",
}
# The first score and the second of every text that an evaluator rated twice on a criterion.
TWICE = """
SELECT criterion.key, first.score, again.score
FROM annotations_repeatedrating again
JOIN annotations_enrolment enrolment ON enrolment.id = again.enrolment_id
JOIN annotations_rating first USING (enrolment_id, candidate_id, criterion_id)
JOIN annotations_criterion criterion ON criterion.id = again.criterion_id
WHERE enrolment.study_id = %s AND again.number = 2
ORDER BY criterion.number
"""


def elsewhere_facts(study: Study) -> ElsewhereFacts | None:
    """Return where a study's ratings were collected and what is known of it; None where they were collected here."""
    found: RatingImport | None = study.from_elsewhere
    if found is None:
        return None
    return ElsewhereFacts(
        kind=KINDS[found.kind],
        files=tuple((file["name"], file["sha256"]) for file in found.files),
        imported_at=found.imported_at.isoformat(timespec="seconds"),
        names_evaluators=found.names_evaluators,
        everybody_counts=found.everybody_counts,
        has_positions=found.has_positions,
        self_agreement=self_agreement(study),
    )


def analysis_by_design(study: Study) -> Planned:
    """Return how a study without a plan is analysed: raters without a name speak for themselves alone.

    The scores of a page that was judged as a whole are one answer, so these are never taken for single ratings.
    """
    if study.asks.answer is not None:
        return "page differences"
    found = study.from_elsewhere
    if found is None:
        return "by design"
    if not found.names_evaluators:
        return "these evaluators"
    return "page differences" if found.kind == RatingImport.Kind.PAIRS else "by design"


def self_agreement(study: Study) -> tuple[SelfAgreement, ...]:
    """Return how the second scores of the same evaluators for the same texts agree with the first, by criterion."""
    # Loaded where it is used: what computes takes longer to load than all the rest of a web process.
    from annotations.results.quality.repeats import by_criterion

    with connection.cursor() as cursor:
        cursor.execute(TWICE, [study.pk])
        return by_criterion(cursor.fetchall())
