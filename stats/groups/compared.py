"""Groups of evaluators side by side: their means, and how much their differences between methods differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from stats.analysis import MethodMean, method_means
from stats.groups.differences import difference_of_groups
from stats.mixed import CrossedMean
from stats.ratings.cells import Cells
from stats.ratings.table import RatingTable
from stats.significance import holm

# A group of fewer evaluators speaks for nobody but them; a question with more answers makes no groups.
FEWEST_IN_GROUP, MOST_GROUPS = 3, 6
FEWEST_PROMPTS = 5


@dataclass(frozen=True)
class Grouping:
    """By what evaluators are grouped, and the group of each who has one."""

    name: str
    group_of: Mapping[str, str]
    # The groups whose differences the plan compares.
    planned: frozenset[frozenset[str]] = frozenset()


@dataclass(frozen=True)
class GroupMeans:
    """One group: how many evaluators, and the means of all methods."""

    group: str
    evaluators: int
    means: tuple[MethodMean, ...]


@dataclass(frozen=True)
class DifferenceOfDifferences:
    """
    The difference between methods a and b in the second group less that in the first; `first` and `second` are these.

    `p_holm` is corrected over the planned pairs of groups and methods of the grouping; where none is planned, all are
    exploratory, and it is over all.
    """

    groups: tuple[str, str]
    a: str
    b: str
    first: float | None
    second: float | None
    crossed: CrossedMean
    p_holm: float | None = None
    is_planned: bool = False


@dataclass(frozen=True)
class GroupsCompared:
    """The groups of one grouping on one criterion; what no plan names is exploratory."""

    name: str
    criterion: str
    groups: tuple[GroupMeans, ...]
    differences: tuple[DifferenceOfDifferences, ...]

    @property
    def is_exploratory(self) -> bool:
        """Whether no plan names any of it."""
        return not any(one.is_planned for one in self.differences)

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison, ready for JSON."""
        return {
            "grouping": self.name,
            "criterion": self.criterion,
            "exploratory": self.is_exploratory,
            "groups": [
                {
                    "group": one.group,
                    "evaluators": one.evaluators,
                    "means": [mean.as_dict() for mean in one.means],
                }
                for one in self.groups
            ],
            "differences": [
                {
                    "groups": list(one.groups),
                    "a": one.a,
                    "b": one.b,
                    "first": one.first,
                    "second": one.second,
                    **one.crossed.as_dict(),
                    "p_holm": one.p_holm,
                    "planned": one.is_planned,
                }
                for one in self.differences
            ],
        }


def groups_compared(
    table: RatingTable,
    criterion: str,
    groupings: Sequence[Grouping],
    confidence_level: float = 0.95,
    planned_pairs: Sequence[Sequence[str]] = (),
) -> tuple[GroupsCompared, ...]:
    """Compare the groups of each grouping that has two to six groups of at least three evaluators.

    `planned_pairs` are the pairs of methods that the plan compares.
    """
    methods = frozenset(frozenset(pair) for pair in planned_pairs)
    found = []
    for grouping in groupings:
        members: dict[str, list[str]] = {}
        for evaluator in table.evaluators:
            if evaluator in grouping.group_of:
                members.setdefault(grouping.group_of[evaluator], []).append(evaluator)
        large = {group: who for group, who in members.items() if len(who) >= FEWEST_IN_GROUP}
        if 2 <= len(large) <= MOST_GROUPS:
            found.append(_compared(table, criterion, grouping, large, methods, confidence_level))
    return tuple(found)


def _compared(
    table: RatingTable,
    criterion: str,
    grouping: Grouping,
    members: Mapping[str, list[str]],
    planned_pairs: frozenset[frozenset[str]],
    level: float,
) -> GroupsCompared:
    names = sorted(members)
    tables = {group: table.only_evaluators(members[group]) for group in names}
    of_criterion = table.for_criterion(criterion).first_ratings()
    pages = of_criterion.pages()
    places = {
        group: [place for place, one in enumerate(table.evaluators) if one in members[group]]
        for group in names
    }
    differences = []
    for a, b in combinations(range(len(table.methods)), 2):
        cells = pages.pair(a, b).differences
        of_group = {group: _of_evaluators(cells, places[group]) for group in names}
        means = {group: float(one.value.mean()) if len(one) else None for group, one in of_group.items()}
        for first, second in combinations(names, 2):
            crossed = difference_of_groups(of_group[first], of_group[second], confidence_level=level)
            differences.append(
                DifferenceOfDifferences(
                    (first, second),
                    table.methods[a],
                    table.methods[b],
                    means[first],
                    means[second],
                    replace(crossed, descriptive_only=crossed.prompts < FEWEST_PROMPTS),
                    is_planned=frozenset((first, second)) in grouping.planned
                    and frozenset((table.methods[a], table.methods[b])) in planned_pairs,
                )
            )
    has_plan = any(one.is_planned for one in differences)
    adjusted = holm([one.crossed.p if one.is_planned or not has_plan else None for one in differences])
    return GroupsCompared(
        grouping.name,
        criterion,
        tuple(GroupMeans(group, len(members[group]), method_means(tables[group], level)) for group in names),
        tuple(replace(one, p_holm=p) for one, p in zip(differences, adjusted, strict=True)),
    )


def _of_evaluators(cells: Cells, evaluators: Sequence[int]) -> Cells:
    """Return the cells of some evaluators."""
    own = np.isin(cells.evaluator, evaluators)
    return Cells(cells.evaluator[own], cells.prompt[own], cells.value[own])
