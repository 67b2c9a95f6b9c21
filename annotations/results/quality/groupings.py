"""By what the evaluators of a study may be compared: their groups, and what they chose in the study's short form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from annotations.models import Study
from annotations.plan.groups import GroupPair
from stats.groups.compared import Grouping


def groupings(study: Study, planned: Sequence[GroupPair] = ()) -> tuple[Grouping, ...]:
    """Return the groups of evaluators and one grouping for each question with choices, with one query.

    `planned` are the groups that the plan compares, in words.
    """
    rows = list(
        study.enrolments.filter(withdrawn_at=None).values_list("pseudonym", "group__name", "form_answers")
    )
    found = [
        Grouping(_("Group of evaluators"), {name: str(group) for name, group, _answers in rows if group})
    ]
    for question in study.form_questions:
        if question.get("choices"):
            key = question["key"]
            answers = {name: str(said[key]) for name, _group, said in rows if key in said}
            found.append(Grouping(str(question["label"]), answers))
    return tuple(
        replace(
            one,
            planned=frozenset(frozenset(pair) for grouping, *pair in planned if grouping == one.name),
        )
        for one in found
        if one.group_of
    )
