"""The ratings of a study by the tags of its prompts: means and comparisons of each part, for exploration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from stats.analysis import MethodMean, method_means
from stats.ratings.choice import Planned, choose
from stats.ratings.table import RatingTable
from stats.significance import Comparison, compare, with_holm

# A tag with more values says something of each prompt, and cuts nothing.
MOST_VALUES = 20

Tags = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Slice:
    """
    The prompts with one value of a tag: the means of all methods, and their pairs on the primary criterion.

    `p_holm` is adjusted over all pairs and values of the tag.
    """

    tag: str
    value: str
    prompts: int
    means: tuple[MethodMean, ...]
    comparisons: tuple[Comparison, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the slice, ready for JSON."""
        return {
            "tag": self.tag,
            "value": self.value,
            "prompts": self.prompts,
            "means": [mean.as_dict() for mean in self.means],
            "comparisons": [comparison.as_dict() for comparison in self.comparisons],
        }


def slices(table: RatingTable, tags: Tags, primary: str, planned: Planned = "by design") -> tuple[Slice, ...]:
    """
    Return the slices of a table by every tag that cuts it, by tag and value.

    `tags` has the tags of each prompt by its name. A tag cuts where it has 2 to `MOST_VALUES` values; prompts without
    it are in none of its slices.
    """
    found: list[Slice] = []
    for tag, prompts_by in sorted(values_of(table, tags).items()):
        if not 2 <= len(prompts_by) <= MOST_VALUES:
            continue
        of_tag = [
            _slice(table.only_prompts(prompts), tag, value, primary, planned)
            for value, prompts in sorted(prompts_by.items())
        ]
        adjusted = iter(with_holm([one for part in of_tag for one in part.comparisons]))
        found += [
            Slice(
                part.tag,
                part.value,
                part.prompts,
                part.means,
                tuple(next(adjusted) for _ in part.comparisons),
            )
            for part in of_tag
        ]
    return tuple(found)


def uncut_tags(table: RatingTable, tags: Tags) -> tuple[str, ...]:
    """Return the tags that have too many values to make slices of."""
    return tuple(tag for tag, by in sorted(values_of(table, tags).items()) if len(by) > MOST_VALUES)


def values_of(table: RatingTable, tags: Tags) -> dict[str, dict[str, list[str]]]:
    """Return the prompts of the table by tag and value."""
    found: dict[str, dict[str, list[str]]] = {}
    for prompt in table.prompts:
        for tag, value in tags.get(prompt, {}).items():
            found.setdefault(tag, {}).setdefault(value, []).append(prompt)
    return found


def _slice(table: RatingTable, tag: str, value: str, primary: str, planned: Planned) -> Slice:
    choice = choose(table, primary, planned)
    pages = choice.table.pages()
    comparisons = tuple(
        compare(
            pages.pair(a, b),
            criterion=primary,
            a=table.methods[a],
            b=table.methods[b],
            choice=choice,
            places=(a, b),
        )
        for a, b in combinations(range(len(table.methods)), 2)
    )
    return Slice(tag, value, len(table.prompts), method_means(table), comparisons)
