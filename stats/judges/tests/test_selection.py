"""Which prompts people rate: worth by judges' scores, chances that sum to the number, and draws that keep them."""

from __future__ import annotations

import numpy as np
import pytest

from stats.judges.selection import By, drawn, inclusion_probabilities, worth

SCORES = np.array([[[1.0, 5.0], [3.0, 3.0], [9.0, 9.0]]])


@pytest.mark.parametrize(("by", "most"), [("variance", 0), ("disagreement", 0), ("diversity", 2)])
def test_worth_is_largest_where_methods_differ_or_prompts_are_unusual(by: By, most: int) -> None:
    assert worth(SCORES, by).argmax() == most


def test_variance_and_disagreement_are_those_written_out() -> None:
    spread = SCORES.std()
    assert worth(SCORES, "variance") == pytest.approx([4 / spread**2, 0, 0])
    assert worth(SCORES, "disagreement") == pytest.approx([4 / spread, 0, 0])


def test_a_prompt_without_scores_has_the_mean_worth() -> None:
    holed = np.append(SCORES, np.full((1, 1, 2), np.nan), axis=1)
    found = worth(holed, "disagreement")
    assert found[3] == pytest.approx(found[:3].mean())
    assert worth(np.full((1, 3, 2), np.nan), "variance").tolist() == [0, 0, 0]


def test_chances_sum_to_the_number_half_of_them_uniform_and_none_above_one() -> None:
    found = inclusion_probabilities(np.array([100.0, 1, 1, 1, 1]), 2)
    assert found.sum() == pytest.approx(2) and found[0] == 1 and found.max() <= 1
    assert found[1:] == pytest.approx([0.25] * 4)
    plain = inclusion_probabilities(np.array([1.0, 2, 3, 4]), 1)
    assert plain == pytest.approx(0.5 / 4 + 0.5 * np.array([0.1, 0.2, 0.3, 0.4]))
    assert inclusion_probabilities(np.zeros(4), 2) == pytest.approx([0.5] * 4)
    with pytest.raises(ValueError, match="count must be 1 to 4"):
        inclusion_probabilities(np.ones(4), 5)


def test_draws_have_the_number_and_each_prompt_its_chance() -> None:
    rng = np.random.default_rng(3)
    chances = inclusion_probabilities(np.arange(1.0, 21.0), 6)
    draws = np.array([drawn(chances, rng) for _ in range(4_000)])
    assert (draws.sum(axis=1) == 6).all()
    assert draws.mean(axis=0) == pytest.approx(chances, abs=4 * (0.25 / 4_000) ** 0.5)
