"""The sums of a study cost what its pages cost, once each, also where the database knows nothing of its tables yet."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection

from annotations.models import Criterion, Placement, Rating, Study
from annotations.monitoring.evaluator_sums import SUMS
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_study, build_user


def rated(slug: str, prompts: int) -> Study:
    """Return a study of which one evaluator has rated every text, in tables that were never analysed."""
    study = build_study(slug=slug, prompts=prompts)
    enrolment = enrol(study, build_user(f"rater of {slug}"))
    criterion = Criterion.objects.get(study=study, key="overall")
    Rating.objects.bulk_create(
        Rating(enrolment=enrolment, candidate_id=candidate, criterion=criterion, score=3)
        for candidate in Placement.objects.filter(enrolment=enrolment).values_list("candidate", flat=True)
    )
    return study


def rows_handled(study: Study) -> float:
    """Return how many rows all steps of the plan of the sums yield or throw away, each as often as it is run."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, BUFFERS OFF, FORMAT JSON) {SUMS}", {"study": study.pk})
        found = cursor.fetchone()[0]
    plan = json.loads(found) if isinstance(found, str) else found
    return counted(plan[0]["Plan"])


def counted(step: dict[str, Any]) -> float:
    removed = sum(
        step.get(f"Rows Removed by {name}", 0) for name in ("Filter", "Join Filter", "Index Recheck")
    )
    own = step["Actual Loops"] * (step["Actual Rows"] + removed)
    return float(own) + sum(counted(one) for one in step.get("Plans", ()))


def test_four_times_the_pages_take_four_times_the_rows_without_statistics(db: None) -> None:
    few, many = rated("few", 15), rated("many", 60)
    # By the square of the pages it would be 16 times as many; a sort more or less is no matter.
    assert rows_handled(many) < 8 * rows_handled(few)
