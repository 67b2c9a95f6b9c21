"""A study that asks for no best text, and has no overall criterion, is finished by its ratings alone, everywhere."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotations.models import BestChoice, Criterion, Enrolment, Rating, Study
from annotations.monitoring.evaluator_sums import sums_by_evaluator
from annotations.plan.rehearsal import rehearse
from annotations.plan.simulation import Effects
from annotations.questionnaire.progress import study_progress
from annotations.results.rating_table import rating_table, verdicts_on
from annotations.results.report import study_report
from annotations.results.report_formats import export
from annotations.setup.lifecycle import close_study, material_obstacles
from annotations.setup.material import material_checks
from annotations.tests.cast import answer_everything, placements

FIRST = "/studies/poems/subtasks/1/pages/1/"


@pytest.fixture
def plain(study: Study) -> Study:
    Criterion.objects.filter(study=study).update(is_overall=False)
    Study.objects.filter(pk=study.pk).update(has_best_picks=False)
    study.refresh_from_db()
    return study


def test_ratings_alone_finish_it(plain: Study, enrolment: Enrolment) -> None:
    enrolment.refresh_from_db()
    answer_everything(enrolment)
    BestChoice.objects.all().delete()
    progress = study_progress(enrolment)
    assert (progress.answered, progress.total, progress.is_finished) == (16, 16, True)
    [verdict] = verdicts_on(plain, rating_table(plain))
    [summed] = sums_by_evaluator(plain)
    assert verdict.is_valid
    assert (summed.pages_answered, summed.exclusion) == (2, None)
    Rating.objects.first().delete()  # type: ignore[union-attr]
    [verdict] = verdicts_on(plain, rating_table(plain))
    [summed] = sums_by_evaluator(plain)
    assert verdict.exclusion == summed.exclusion == "unfinished"


def test_page_asks_for_ratings_alone_and_takes_no_pick(
    plain: Study, enrolment: Enrolment, alice: User, as_alice: Client
) -> None:
    page = as_alice.get(FIRST).content.decode()
    assert 'id="best"' not in page
    assert "0 of 8 answered" in page
    token = placements(plain, alice)[0].token
    pick = {"token": token, "criterion": None, "score": None, "order": 5, "seconds": None}
    assert as_alice.post(f"{FIRST}answers/", pick, content_type="application/json").status_code == 404
    assert not BestChoice.objects.exists()


def test_report_has_no_picks_and_takes_the_first_criterion(plain: Study, enrolment: Enrolment) -> None:
    answer_everything(enrolment)
    BestChoice.objects.all().delete()
    close_study(plain)
    report = study_report(plain)
    assert (report.participants.valid, report.participants.excluded) == (1, ())
    assert report.analysis is not None
    assert report.analysis.primary == "format"
    html = export(report, "html").decode()
    assert "An evaluator is valid who answered everything." in html
    assert "Best picks" not in html


def test_rehearsal_and_sign_off_need_no_pick(plain: Study) -> None:
    assert material_obstacles(plain, material_checks(plain)) == []
    copy = rehearse(plain, evaluators=2, effects=Effects(), seed=1)
    assert not copy.has_best_picks
    assert not BestChoice.objects.exists()
    assert study_report(copy).participants.valid == 2
