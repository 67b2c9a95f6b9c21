"""While people compare, order, check or mark, those who run the study see what they see of ratings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotations.models import Criterion, Judgement, QualityControl, Study
from annotations.monitoring.dashboard import Stage, dashboard
from annotations.monitoring.quality import checks_context, quality_so_far
from annotations.plan.simulation import simulate_ratings
from annotations.recruiting.enrolment import enrol
from annotations.results.rating_table import rating_table
from annotations.tests.cast import build_checklist_study, build_study, build_user
from annotations.tests.marking_cast import build_marked_study
from stats.agreement import agreement
from stats.quality import evaluator_quality


def judged(protocol: str, size: int, prompts: int = 8) -> Study:
    study = build_study(prompts=prompts, methods=4)
    Study.objects.update(protocol=protocol, candidates_per_page=size, has_best_picks=False)
    study.refresh_from_db()
    return study


STUDIES: dict[str, Callable[[], Study]] = {
    "pairwise": lambda: judged("pairwise", 2),
    "ranking": lambda: judged("ranking", 4),
    "best_worst": lambda: judged("best_worst", 4),
    "checklist": lambda: build_checklist_study(prompts=4),
    "spans": lambda: build_marked_study(prompts=6),
}


@pytest.mark.parametrize("protocol", STUDIES)
def test_agreement_while_a_study_runs_is_that_of_the_report(
    db: None, protocol: str, client: Client, carol: User
) -> None:
    study = STUDIES[protocol]()
    simulate_ratings(study, evaluators=4, seed=3)
    assert study.state == Study.State.OPEN
    found, table = dashboard(study), rating_table(study)
    assert [one.criterion.key for one in found.alphas] == [one.key for one in study.criteria.all()]
    for alpha in found.alphas:
        expected = agreement(table, alpha.criterion.key)
        assert alpha.texts > 0
        assert alpha.ordinal == pytest.approx(expected.alpha_ordinal, abs=1e-12)
        assert alpha.interval == pytest.approx(expected.alpha_interval, abs=1e-12)
    assert any(alpha.ordinal is not None for alpha in found.alphas)
    assert found.criterion is not None
    correlations = {
        one.evaluator: one.leave_one_out_r for one in evaluator_quality(table, found.criterion.key)
    }
    assert [row.agreement for row in found.evaluators] == list(correlations.values())
    assert any(row.agreement is not None for row in found.evaluators)
    assert {row.progress for row in found.evaluators} == {1.0}
    assert {row.stage for row in found.evaluators} <= {Stage.VALID, Stage.EXCLUDED}
    assert all(one.complete == one.asked > 0 for one in found.matrix.rows)
    client.force_login(carol)
    page = client.get(f"/manage/studies/{study.slug}/progress/")
    assert page.status_code == 200
    assert "method-" not in page.content.decode()
    by_api = client.get(f"/api/v1/studies/{study.slug}/progress/").json()["agreement"]
    assert [one["ordinal"] for one in by_api] == [one.ordinal for one in found.alphas]


def test_whoever_has_answered_some_pages_counts_and_alone_agrees_with_nobody(db: None) -> None:
    study = judged("pairwise", 2)
    answer_alike(study, "alice", pages=3)
    found = dashboard(study)
    assert [(alpha.texts, alpha.ordinal) for alpha in found.alphas] == [(0, None)] * study.criteria.count()
    assert [(row.stage, row.agreement) for row in found.evaluators] == [(Stage.STARTED, None)]
    answer_alike(study, "bob", pages=2)
    assert dashboard(study).alphas[0].texts > 0


def answer_alike(study: Study, name: str, *, pages: int, **answer: Any) -> None:
    """Let a new evaluator answer so many pages in the same way by every criterion."""
    enrolment = enrol(study, build_user(name))
    order = ("page__subtask__number", "page__number")
    shown = dict.fromkeys(enrolment.placements.order_by(*order).values_list("page", flat=True))
    criteria = list(Criterion.objects.filter(study=study))
    Judgement.objects.bulk_create(
        Judgement(enrolment=enrolment, page_id=page, criterion=criterion, **(answer or {"preference": -1}))
        for page in list(shown)[:pages]
        for criterion in criteria
    )


def test_ten_pages_in_a_row_that_are_judged_alike_are_a_straight_line(db: None) -> None:
    study = judged("pairwise", 2, prompts=30)
    QualityControl.objects.create(study=study, has_flags=True)
    answer_alike(study, "alice", pages=10)
    answer_alike(study, "bob", pages=9)
    answer_alike(study, "dora", pages=30)
    # One other answer in the middle: fifteen alike before, none long enough after.
    other = Judgement.objects.filter(enrolment__evaluator__username="dora").order_by(
        "page__subtask__number", "page__number"
    )[15 * study.criteria.count()]
    Judgement.objects.filter(pk=other.pk).update(preference=1)
    last = Judgement.objects.filter(enrolment__evaluator__username="dora").order_by(
        "-page__subtask__number", "-page__number"
    )[5 * study.criteria.count()]
    Judgement.objects.filter(pk=last.pk).update(preference=0, both_bad=True)
    found = quality_so_far(study)
    assert found is not None
    assert [(one.straight, one.rated) for one in found.evaluators] == [(10, 10), (0, 9), (15, 30)]
    assert [one.flags for one in found.evaluators] == [("straight lines",), (), ("straight lines",)]
    context = checks_context(study)
    assert context is not None
    assert any("answered alike with 10 or more in a row" in one for one in context["sentences"])


def test_an_order_that_is_always_that_of_the_page_is_a_straight_line(db: None) -> None:
    study = judged("ranking", 4)
    QualityControl.objects.create(study=study, has_flags=True)
    answer_alike(study, "alice", pages=8, places=[0, 1, 2, 3])
    found = quality_so_far(study)
    assert found is not None
    assert [(one.straight, one.rated) for one in found.evaluators] == [(0, 8)]
