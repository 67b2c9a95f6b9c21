"""A slice is the study of its prompts alone."""

from __future__ import annotations

import numpy as np
import pytest

from stats.analysis import analyse
from stats.ratings.slices import MOST_VALUES, slices, uncut_tags
from stats.ratings.table import RatingTable
from stats.scores import Criterion, ScoreTable
from stats.significance import holm

PROMPTS = tuple(f"1/{number}" for number in range(1, 31))
NEWS = PROMPTS[:18]


@pytest.fixture
def table() -> RatingTable:
    rng = np.random.default_rng(7)
    scores = rng.integers(1, 8, size=(8, 30, 3, 2)).astype(np.float64)
    dense = ScoreTable(
        scores,
        tuple(f"E{number}" for number in range(8)),
        PROMPTS,
        ("a", "b", "c"),
        (Criterion("fluency", 1, 7), Criterion("overall", 1, 7, is_overall=True)),
        rng.integers(0, 3, size=(8, 30)),
    )
    return RatingTable.of_scores(dense)


def tagged(**by: dict[str, str]) -> dict[str, dict[str, str]]:
    return {
        prompt: {tag: values[prompt] for tag, values in by.items() if prompt in values} for prompt in PROMPTS
    }


def test_slice_has_the_numbers_of_its_prompts_analysed_alone(table: RatingTable) -> None:
    domain = {prompt: "news" if prompt in NEWS else "law" for prompt in PROMPTS}
    law, news = slices(table, tagged(domain=domain), "overall")
    assert [(part.tag, part.value, part.prompts) for part in (law, news)] == [
        ("domain", "law", 12),
        ("domain", "news", 18),
    ]
    alone = analyse(table.only_prompts(NEWS), primary="overall", rng=np.random.default_rng(1), resamples=50)
    primary = [one for one in alone.comparisons if one.criterion == "overall"]
    assert [one.crossed for one in news.comparisons] == [one.crossed for one in primary]
    assert [one.as_dict() for one in news.means] == [one.as_dict() for one in alone.means]
    rated = (table.prompt < 18) & (table.criterion == 1)
    by_hand = (
        table.score[rated & (table.method == 1)].mean() - table.score[rated & (table.method == 0)].mean()
    )
    assert news.comparisons[0].estimate == pytest.approx(by_hand)


def test_p_values_are_corrected_over_all_values_of_a_tag(table: RatingTable) -> None:
    domain = {prompt: "news" if prompt in NEWS else "law" for prompt in PROMPTS}
    found = [one for part in slices(table, tagged(domain=domain), "overall") for one in part.comparisons]
    assert len(found) == 6
    assert [one.p_holm for one in found] == holm([one.crossed.p for one in found])


def test_prompts_without_a_tag_are_in_none_of_its_slices(table: RatingTable) -> None:
    length = dict.fromkeys(PROMPTS[:4], "short") | dict.fromkeys(PROMPTS[4:9], "long")
    assert [(part.value, part.prompts) for part in slices(table, tagged(length=length), "overall")] == [
        ("long", 5),
        ("short", 4),
    ]


def test_tag_with_one_value_or_too_many_cuts_nothing(table: RatingTable) -> None:
    tags = tagged(
        same=dict.fromkeys(PROMPTS, "x"), id={prompt: prompt for prompt in PROMPTS[: MOST_VALUES + 1]}
    )
    assert slices(table, tags, "overall") == ()
    assert uncut_tags(table, tags) == ("id",)


def test_prompts_that_are_not_there_are_refused(table: RatingTable) -> None:
    with pytest.raises(ValueError, match="keys has prompts that are not in the table: 9/9"):
        table.only_prompts(["1/1", "9/9"])
