"""Cases worked out by hand on a table of three prompts and two methods."""

from __future__ import annotations

import numpy as np
import pytest

from stats.cases import Case, chosen_cases, prompt_gains, prompt_means, prompt_splits
from stats.scores import Criterion, Floats, ScoreTable


def table_of(scores: Floats) -> ScoreTable:
    evaluators, prompts, methods = scores.shape
    return ScoreTable(
        scores=scores[..., None],
        evaluators=tuple(f"E{number}" for number in range(evaluators)),
        prompts=tuple(f"1/{number + 1}" for number in range(prompts)),
        methods=tuple("abc"[:methods]),
        criteria=(Criterion("overall", 1, 10, is_overall=True),),
        best=np.full((evaluators, prompts), -1),
    )


@pytest.fixture
def table() -> ScoreTable:
    # Means of a: 2, 5, 4; of b: 6, 4, 5. Deviations of b: 0, sqrt(2) * 3, 0.
    return table_of(np.array([[[1.0, 6.0], [5.0, 7.0], [4.0, 5.0]], [[3.0, 6.0], [5.0, 1.0], [4.0, 5.0]]]))


def test_means_gains_and_splits_of_each_prompt(table: ScoreTable) -> None:
    assert prompt_means(table, "overall").tolist() == [[2, 6], [5, 4], [4, 5]]
    assert prompt_gains(table, "overall").tolist() == [[-4, 4], [1, -1], [-1, 1]]
    assert prompt_splits(table, "overall")[:, 1] == pytest.approx([0, 3 * np.sqrt(2), 0])


def test_the_best_methods_cases_are_chosen(table: ScoreTable) -> None:
    *cases, split = chosen_cases(table, "overall")
    assert cases == [Case("gains most", "1/1", "b", 4.0), Case("fails worst", "1/2", "b", -1.0)]
    assert (split.kind, split.prompt, split.method) == ("splits most", "1/2", "b")
    assert split.size == pytest.approx(3 * np.sqrt(2))


def test_a_gain_is_over_the_mean_of_all_other_methods() -> None:
    table = table_of(np.array([[[2.0, 4.0, 9.0]]]))
    assert prompt_gains(table, "overall").tolist() == [[-4.5, -1.5, 6.0]]


def test_a_prompt_nobody_rated_is_passed_over() -> None:
    table = table_of(np.array([[[np.nan, np.nan], [1.0, 2.0]]]))
    assert chosen_cases(table, "overall")[:2] == (
        Case("gains most", "1/2", "b", 1.0),
        Case("fails worst", "1/2", "b", 1.0),
    )


def test_methods_alike_gain_lose_and_split_nothing() -> None:
    assert chosen_cases(table_of(np.full((2, 3, 2), 4.0)), "overall") == ()


@pytest.mark.parametrize("shape", [(0, 3, 2), (2, 0, 2), (2, 3, 1)])
def test_nothing_to_compare_gives_no_cases(shape: tuple[int, int, int]) -> None:
    assert chosen_cases(table_of(np.full(shape, np.nan)), "overall") == ()


def test_the_published_prompt_has_its_published_means(poem: ScoreTable) -> None:
    """Means of the first prompt, as the authors' own totals state them: 2.2, 5.1, 4.8 and 5.7."""
    by_method = dict(zip(poem.methods, prompt_means(poem, "overall")[0].tolist(), strict=True))
    assert by_method == pytest.approx(
        {"search_baseline": 2.2, "jiuge": 5.1, "inverse_prompting": 4.8, "inverse_prompting_st": 5.7}
    )
