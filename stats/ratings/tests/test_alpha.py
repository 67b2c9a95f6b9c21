"""Intervals of Krippendorff's alpha, and how groups of evaluators differ in it."""

from __future__ import annotations

from dataclasses import replace

import krippendorff
import numpy as np
import pytest

import stats.ratings.alpha
from stats.agreement import agreement
from stats.ratings.alpha import AlphaSums, alpha_intervals, group_agreement, resampled
from stats.ratings.table import RatingTable
from stats.ratings.tests.designs import drawn
from stats.scores import Bools


def study(prompts: int = 40, seed: int = 1, rated: Bools | None = None) -> RatingTable:
    rng = np.random.default_rng(seed)
    everything = np.ones((6, prompts, 3), dtype=np.bool_)
    table = drawn(everything if rated is None else rated, rng, (0.5, 1.0, 0.3, 0.8, 0.8))
    return replace(table, score=np.clip(np.rint(3 + table.score), 1, 5))


@pytest.mark.parametrize("most", [0, 20])
def test_alpha_of_weighted_prompts_is_that_of_the_prompts_written_out(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stats.ratings.alpha, "MOST_RANKED_ANEW", most)
    rated = np.random.default_rng(3).random((6, 12, 3)) < 0.7
    table = study(12, rated=rated)
    weights = np.array([np.ones(12), np.arange(12) % 3])
    found = AlphaSums.of(table, 12).alphas(weights)
    dense = np.full((6, 12, 3), np.nan)
    dense[table.evaluator, table.prompt, table.method] = table.score
    for row, weight in zip(found, weights, strict=True):
        items = np.repeat(dense, weight.astype(int), axis=1).reshape(6, -1)
        interval = krippendorff.alpha(reliability_data=items, level_of_measurement="interval")
        assert row[1] == pytest.approx(interval)
        if most or weight.all():  # else the ranks are held as they are in the sample
            ordinal = krippendorff.alpha(reliability_data=items, level_of_measurement="ordinal")
            assert row[0] == pytest.approx(ordinal)


def test_interval_is_as_wide_as_alpha_varies_from_study_to_study() -> None:
    alphas = [agreement(study(seed=seed), "overall").alpha_interval or 0.0 for seed in range(60)]
    widths = []
    for seed in range(12):
        found = alpha_intervals(study(seed=seed), np.random.default_rng(seed)).interval
        assert found is not None
        widths.append(found[1] - found[0])
    # Evaluators are the same in every resample, so the width is that of prompts: somewhat less than the whole.
    assert 0.5 * 4 * np.std(alphas) < np.mean(widths) < 1.3 * 4 * np.std(alphas)


def test_few_prompts_have_no_interval() -> None:
    found = agreement(study(9), "overall", rng=np.random.default_rng(1))
    assert found.alpha_ordinal is not None
    assert found.as_dict()["alpha_ordinal_ci"] is None


def test_interval_holds_the_estimate_and_is_in_the_numbers() -> None:
    found = agreement(study(), "overall", rng=np.random.default_rng(1))
    low, high = found.as_dict()["alpha_ordinal_ci"]
    assert found.alpha_ordinal is not None
    assert low < found.alpha_ordinal < high


def test_groups_who_agree_more_among_themselves_are_told_apart() -> None:
    table = study(80)
    noise = np.random.default_rng(2).integers(1, 6, size=len(table))
    table = replace(table, score=np.where(table.evaluator >= 3, noise, table.score))
    groups = {f"e{e}": "careful" if e < 3 else "random" for e in range(6)}
    found = group_agreement(table, "overall", groups, np.random.default_rng(1))
    assert found is not None
    careful, random = found.groups
    assert (careful.group, careful.evaluators, random.group) == ("careful", 3, "random")
    alone = agreement(table.only_evaluators(["e0", "e1", "e2"]), "overall")
    assert careful.ordinal == pytest.approx(alone.alpha_ordinal)
    (difference,) = found.differences
    assert (difference.a, difference.b) == ("careful", "random")
    assert difference.ci is not None and difference.ci[1] < 0
    assert found.as_dict()["differences"][0]["difference"] == difference.difference


@pytest.mark.parametrize("groups", [{}, {"e0": "a", "e1": "a"}, {"e0": "a", "e1": "b"}])
def test_one_group_or_single_evaluators_are_not_compared(groups: dict[str, str]) -> None:
    assert group_agreement(study(), "overall", groups, np.random.default_rng(1)) is None


def test_prompts_are_drawn_as_many_as_there_are() -> None:
    assert set(resampled(7, np.random.default_rng(1)).sum(axis=1)) == {7.0}
