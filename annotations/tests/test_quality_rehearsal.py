"""A rehearsal answers the checks of a study too: known answers well or badly, and repeats with noise."""

from __future__ import annotations

import pytest

from annotations.models import Page, Rating, Study
from annotations.plan.rehearsal import rehearse
from annotations.plan.simulation import Effects
from annotations.results.report import study_report
from annotations.setup.quality.declaration import Declaration, DeclaredAnswer, DeclaredPage, declare
from annotations.tests.cast import build_study

pytestmark = pytest.mark.django_db


def draft(**fields: object) -> Study:
    study = build_study(prompts=12, methods=2)
    Study.objects.filter(pk=study.pk).update(
        state="draft", launched_at=None, prompts_per_subtask=20, **fields
    )
    study.refresh_from_db()
    return study


@pytest.mark.parametrize("protocol", ["ratings", "pairwise"])
def test_careless_evaluators_are_those_who_are_flagged(protocol: str) -> None:
    study = draft(protocol=protocol, has_best_picks=False)
    answers = (DeclaredAnswer("method-0", "overall", 9, 10),) if protocol == "ratings" else ()
    known = DeclaredPage("1/3", "known", (*answers, DeclaredAnswer("method-0")))
    second = DeclaredPage("1/7", "known", (DeclaredAnswer("method-0"),))
    training = DeclaredPage("1/1", "training", (DeclaredAnswer("method-1"),))
    declare(
        study,
        Declaration({"repeats_per_subtask": 2, "training_share": 1}, (known, second, training)),
        by=None,
    )
    # Everybody likes the other method much better, so whoever does not look answers wrongly.
    effects = Effects(base=3, step=5, careless=0.5, noise=0.3)
    copy = rehearse(study, evaluators=16, effects=effects, seed=4)
    assert Page.objects.filter(subtask__study=copy, role="training").count() == 1
    assert not Rating.objects.filter(candidate__pagecandidate__page__role="training").exists()
    quality = study_report(copy).quality
    assert quality is not None
    assert {one.known for one in quality.evaluators} == {2}
    wrong = [one.evaluator for one in quality.evaluators if one.known_right == 0]
    assert list(quality.flagged) == wrong
    assert 3 <= len(wrong) <= 13
    assert all(one.known_right == 2 for one in quality.evaluators if one.evaluator not in wrong)


def test_repeats_differ_by_the_noise_of_single_ratings_alone() -> None:
    study = draft()
    declare(study, Declaration({"repeats_per_subtask": 3}), by=None)
    steady = study_report(rehearse(study, evaluators=6, effects=Effects(noise=0), seed=1)).quality
    noisy = study_report(rehearse(study, evaluators=6, effects=Effects(noise=2), seed=1)).quality
    assert steady is not None
    assert noisy is not None
    of_all = {one.criterion: one for one in steady.self_agreement if not one.evaluator}
    assert of_all["overall"].texts == 6 * 3 * 2
    assert of_all["overall"].identical == 1
    of_noisy = {one.criterion: one for one in noisy.self_agreement if not one.evaluator}
    assert of_noisy["overall"].identical < 0.6
    assert (of_noisy["overall"].kappa or 0) < 0.9
