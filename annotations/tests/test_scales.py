"""Scales from 0, below 0, downwards and with decimals, and studies that ask for no best text."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotations.models import BestChoice, Criterion, Enrolment, Placement, Rating, Study
from annotations.monitoring.evaluator_sums import sums_by_evaluator
from annotations.plan.plan import study_design
from annotations.plan.simulation import simulate_ratings
from annotations.questionnaire.progress import study_progress
from annotations.questionnaire.saving import Answer, OffScale, PageAddress, UnknownPlace, save_answer
from annotations.results.document import report_document
from annotations.results.preferences.pairs import preferences
from annotations.results.report import study_report
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import answer_everything, build_study, placements, shown
from annotations.tests.test_guards import assert_refused

PAGE = PageAddress("poems", 1, 1)


def set_scale(minimum: float, maximum: float, *, lower_is_better: bool = False) -> None:
    Criterion.objects.filter(key="overall").update(
        minimum=minimum, maximum=maximum, lower_is_better=lower_is_better
    )


def rate(alice: User, score: int) -> float:
    token = placements(Study.objects.get(), alice)[0].token
    save_answer(alice, PAGE, Answer(token, 1_700_000_000_000 + score, "overall", score))
    stored: float = Rating.objects.get().score
    return stored


@pytest.mark.parametrize(("minimum", "maximum", "score"), [(0, 100, 0), (-2, 2, -2), (-2, 2, 0), (0, 1, 1)])
def test_a_scale_may_begin_at_0_or_below(
    enrolment: Enrolment, alice: User, minimum: int, maximum: int, score: int
) -> None:
    set_scale(minimum, maximum)
    assert rate(alice, score) == score


def test_a_cleared_star_is_no_score_on_a_scale_from_1(enrolment: Enrolment, alice: User) -> None:
    with pytest.raises(OffScale, match="from 1 to 10"):
        rate(alice, 0)
    assert not Rating.objects.exists()


def test_the_page_offers_the_points_of_a_negative_scale(enrolment: Enrolment, as_alice: Client) -> None:
    set_scale(-1, 1)
    page = shown(as_alice, "/studies/poems/subtasks/1/pages/1/")
    assert 'value="-1"' in page
    assert 'value="-2"' not in page
    form = {f"{one.token}.overall": "-1" for one in placements(Study.objects.get(), enrolment.evaluator)}
    as_alice.post("/studies/poems/subtasks/1/pages/1/", form)
    assert list(Rating.objects.values_list("score", flat=True)) == [-1] * 4


def test_decimals_come_in_with_imported_records_alone(enrolment: Enrolment) -> None:
    first = Placement.objects.filter(enrolment=enrolment).first()
    assert first is not None
    rating = Rating(
        enrolment=enrolment,
        candidate_id=first.candidate_id,
        criterion=Criterion.objects.get(key="overall"),
        score=2.5,
    )
    assert_refused(rating.save, "only an imported record may hold a score with decimals")
    Enrolment.objects.update(source=Enrolment.Source.IMPORTED)
    rating.save()
    stored = Rating.objects.get()
    assert stored.score == 2.5
    Rating.objects.update(score=3)
    assert repr(Rating.objects.get().score) == "3"


def test_a_score_that_is_no_number_is_refused(enrolment: Enrolment) -> None:
    Enrolment.objects.update(source=Enrolment.Source.IMPORTED)
    first = Placement.objects.filter(enrolment=enrolment).first()
    assert first is not None
    rating = Rating(
        enrolment=enrolment,
        candidate_id=first.candidate_id,
        criterion=Criterion.objects.get(key="overall"),
        score=float("nan"),
        off_scale=True,
    )
    assert_refused(rating.save, "rating_score_within_bounds")


def test_the_direction_of_a_rated_criterion_stays(enrolment: Enrolment) -> None:
    answer_everything(enrolment)
    change = Criterion.objects.filter(key="overall").update
    assert_refused(lambda: change(lower_is_better=True), "its scale and study cannot change")


def test_where_lower_is_better_the_pick_with_the_lowest_score_is_consistent(enrolment: Enrolment) -> None:
    set_scale(1, 10, lower_is_better=True)
    # The first method is rated 1 and the last one 4.
    answer_everything(enrolment, best_method=0)
    study = enrolment.study
    assert [one.exclusion for one in sums_by_evaluator(study)] == [None]
    close_study(study)
    report = study_report(study)
    assert report.participants.valid == 1
    assert report.analysis is not None
    assert report.analysis.ranking_by_rating is not None
    strengths = [one.method for one in report.analysis.ranking_by_rating.methods]
    assert strengths == ["method-0", "method-1", "method-2", "method-3"]
    assert report.cases[0].method == "method-0"
    document = json.dumps(asdict(report_document(report)), default=str, ensure_ascii=False)
    assert "Lower scores are better." in document
    assert "Overall (1–10, lower is better)" in document
    chosen = {row[6] for row in preferences(study, "ratings")}
    assert "method-0" in chosen
    assert "method-3" not in chosen


def test_a_plan_says_the_direction_only_where_lower_is_better(study: Study) -> None:
    assert ["lower_is_better" in one for one in study_design(study)["criteria"]] == [False, False]
    set_scale(1, 10, lower_is_better=True)
    assert study_design(study)["criteria"][1]["lower_is_better"] is True


class TestWithoutBestPicks:
    @pytest.fixture(autouse=True)
    def without_picks(self, study: Study) -> None:
        study.has_best_picks = False
        study.save()

    def test_the_page_asks_for_ratings_alone(self, enrolment: Enrolment, as_alice: Client) -> None:
        page = shown(as_alice, "/studies/poems/subtasks/1/pages/1/")
        assert "Which poem is the best?" not in page
        assert "0 of 8 answered" in page
        assert study_progress(enrolment).total == 16

    def test_a_pick_is_refused(self, enrolment: Enrolment, alice: User) -> None:
        token = placements(enrolment.study, alice)[0].token
        with pytest.raises(UnknownPlace):
            save_answer(alice, PAGE, Answer(token, 1_700_000_000_000))
        assert not BestChoice.objects.exists()

    def test_the_page_is_saved_without_a_pick(self, enrolment: Enrolment, as_alice: Client) -> None:
        tokens = [one.token for one in placements(enrolment.study, enrolment.evaluator)]
        form = {f"{token}.{key}": "3" for token in tokens for key in ("format", "overall")}
        sent = as_alice.post("/studies/poems/subtasks/1/pages/1/", {**form, "best": tokens[0]})
        assert sent.status_code == 302
        assert Rating.objects.count() == 8
        assert not BestChoice.objects.exists()

    def test_the_report_speaks_of_no_picks(self, study: Study) -> None:
        simulate_ratings(study, evaluators=3, seed=1)
        assert not BestChoice.objects.exists()
        close_study(study)
        report = study_report(study)
        assert (report.participants.finished, report.participants.valid) == (3, 3)
        document = json.dumps(asdict(report_document(report)), default=str)
        assert "An evaluator is valid who answered everything." in document
        assert "Best picks" not in document


def test_a_study_without_picks_needs_no_overall_criterion(db: None) -> None:
    from annotations.setup.lifecycle import material_obstacles
    from annotations.setup.material import material_checks

    study = build_study()
    Criterion.objects.update(is_overall=False)
    [needs_one] = material_obstacles(study, material_checks(study))
    assert "one criterion marked as the overall one" in needs_one
    study.has_best_picks = False
    assert material_obstacles(study, material_checks(study)) == []
