"""Two studies of the same methods, compared by the command."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from annotations.models import Study
from annotations.plan.simulation import simulate_ratings
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import build_study


def simulated(slug: str, seed: int) -> Study:
    study = build_study(slug=slug, prompts=12, methods=3)
    simulate_ratings(study, evaluators=6, seed=seed)
    close_study(study)
    return study


def compared(*words: str) -> str:
    output = io.StringIO()
    call_command("compare_studies", *words, stdout=output)
    return output.getvalue()


def test_two_studies_are_compared_by_the_methods_and_criteria_they_share(db: None) -> None:
    simulated("first", 1), simulated("second", 2)
    text = compared("first", "second")
    assert "overall: Pearson" in text
    assert "of 3 pairs" in text
    numbers = json.loads(compared("first", "second", "--format", "json"))
    assert [one["criterion"] for one in numbers["criteria"]] == ["format", "overall"]
    assert len(numbers["methods"]) == 6
    assert all(one["cv_star"] >= 0 for one in numbers["methods"])


def test_a_study_without_results_or_that_is_not_there_is_named(db: None) -> None:
    simulated("first", 1)
    close_study(build_study(slug="empty"))
    with pytest.raises(CommandError, match="empty has no results yet"):
        compared("first", "empty")
    with pytest.raises(CommandError, match="nobody: no such study"):
        compared("first", "nobody")
