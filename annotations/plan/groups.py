"""Which groups of evaluators a plan can compare: those of the study, and the answers of a question with choices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from django.utils.translation import gettext as _

from annotations.models import Study
from generation.files.problems import listed
from generation.refusals import Refused

OF_STUDY, OF_QUESTION = "groups", "question."
# A grouping with the keys of two of its groups.
GroupPair = tuple[str, str, str]


@dataclass(frozen=True)
class GroupsOfEvaluators:
    """By what evaluators are grouped: its key and words, and the words of each group by its key."""

    key: str
    label: str
    groups: Mapping[str, str]


def groupings_of(study: Study) -> tuple[GroupsOfEvaluators, ...]:
    """Return every grouping of a study that has two groups or more, with one query."""
    of_study = {key: str(name) for key, name in study.groups.values_list("key", "name")}
    found = [GroupsOfEvaluators(OF_STUDY, _("Group of evaluators"), of_study)]
    found += [
        GroupsOfEvaluators(
            OF_QUESTION + question["key"], str(question["label"]), {one: one for one in question["choices"]}
        )
        for question in study.form_questions
        if question.get("choices")
    ]
    return tuple(one for one in found if len(one.groups) > 1)


def group_pairs(study: Study) -> dict[GroupPair, str]:
    """Return every two groups that a plan can compare, in words."""
    return {
        (one.key, first, second): pair_words(one.label, one.groups[first], one.groups[second])
        for one in groupings_of(study)
        for first, second in combinations(one.groups, 2)
    }


def pair_words(grouping: str, first: str, second: str) -> str:
    return _("%(first)s / %(second)s (%(grouping)s)") % {
        "first": first,
        "second": second,
        "grouping": grouping,
    }


def checked_group_pairs(study: Study, pairs: Iterable[Sequence[str]]) -> list[list[str]]:
    """Return pairs of groups each once and in the study's order; raise `Refused` for one that there is not."""
    known = list(group_pairs(study))
    found = set()
    for pair in pairs:
        grouping, first, second = [*pair, "", "", ""][:3]
        wanted = next(
            (one for one in ((grouping, first, second), (grouping, second, first)) if one in known), None
        )
        if wanted is None or len(pair) != 3:
            raise Refused(
                _("%(pair)s are no two groups of this study. There are %(pairs)s.")
                % {"pair": ":".join(pair), "pairs": listed(map(":".join, known)) or _("none")}
            )
        found.add(wanted)
    return [list(one) for one in known if one in found]


def planned_pair_labels(study: Study, pairs: Iterable[Sequence[str]]) -> tuple[GroupPair, ...]:
    """Return pairs of groups by their words; what is no longer there keeps its key."""
    pairs = list(pairs)
    if not pairs:
        return ()
    by_key = {one.key: one for one in groupings_of(study)}
    found = []
    for grouping, first, second in pairs:
        known = by_key.get(grouping)
        groups = known.groups if known else {}
        found.append(
            (known.label if known else grouping, groups.get(first, first), groups.get(second, second))
        )
    return tuple(found)
