from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from annotations.models import Enrolment, Study
from annotations.plan.simulation import Effects, simulate_ratings
from annotations.results.rating_table import rating_table
from annotations.results.report import study_report
from annotations.tests.cast import build_study


def test_simulated_evaluators_answer_everything_and_are_marked(study: Study) -> None:
    simulate_ratings(study, evaluators=3, seed=1)
    assert set(study.enrolments.values_list("source", flat=True)) == {Enrolment.Source.SIMULATED}
    report = study_report(study)
    assert (report.participants.recruited, report.participants.finished) == (3, 3)
    assert report.participants.simulated == 3


def test_simulated_evaluators_cannot_log_in(study: Study) -> None:
    (enrolment,) = simulate_ratings(study, evaluators=1, seed=1)
    assert not enrolment.evaluator.is_active
    assert not enrolment.evaluator.has_usable_password()


def test_the_same_seed_gives_the_same_ratings_and_another_does_not(db: None) -> None:
    def scores(slug: str, seed: int) -> list[float]:
        study = build_study(slug=slug)
        simulate_ratings(study, evaluators=2, seed=seed)
        found: list[float] = rating_table(study).score.tolist()
        return found

    first = scores("first", 7)
    assert scores("second", 7) == first
    assert scores("third", 8) != first


def test_a_known_effect_comes_out_of_the_report(db: None) -> None:
    """Without any other spread, methods differ by the step on a scale of 10 and 4/9 of it on one of 5."""
    study = build_study(prompts=60)
    effects = Effects(base=4, step=1, leniency=0, liking=0, difficulty=0, luck=0, noise=1, slip=0)
    simulate_ratings(study, evaluators=6, seed=3, effects=effects)
    means = study_report(study).published.means
    # 360 ratings with a standard deviation of about 1.04 (noise and rounding): se .055, of a difference .078.
    overall = np.array([means[f"method-{number}"]["overall"] for number in range(4)], dtype=float)
    assert np.diff(overall) == pytest.approx([1, 1, 1], abs=4 * 0.078)
    form = np.array([means[f"method-{number}"]["format"] for number in range(4)], dtype=float)
    assert np.diff(form) == pytest.approx([4 / 9] * 3, abs=4 * 0.04)


def test_slips_make_evaluators_inconsistent(study: Study) -> None:
    study.inconsistency_threshold = Decimal(0)
    simulate_ratings(study, evaluators=8, seed=1, effects=Effects(slip=1))
    assert {excluded.reason for excluded in study_report(study).participants.excluded} == {"inconsistent"}


def test_simulating_twice_adds_evaluators(study: Study) -> None:
    simulate_ratings(study, evaluators=2, seed=1)
    simulate_ratings(study, evaluators=1, seed=2)
    names = list(study.enrolments.values_list("pseudonym", flat=True))
    assert names == ["simulated-1", "simulated-2", "simulated-3"]


def test_the_command_refuses_an_unknown_study_and_no_evaluators(study: Study) -> None:
    with pytest.raises(CommandError, match="lost: no such study"):
        call_command("simulate_ratings", "lost", evaluators=1)
    with pytest.raises(CommandError, match="--evaluators: This must be a whole number from 1"):
        call_command("simulate_ratings", "poems", evaluators=0)
