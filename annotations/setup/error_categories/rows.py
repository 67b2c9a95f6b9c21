"""Categories and severities in a rubric: what they hold, what is wrong with them, and how they are stored.

- `severities`: from the lightest on, each an object with `key`, `label` and `weight`, the penalty of one error
- `error_categories`: in the order of their letters, each an object with
    - `key`, `label`, and what counts as one, `description`; optional
    - `weight`: 1 if left out; multiplies the weight of the severity
    - `penalties`: other penalties by the severity's key, such as `{"minor": 0.1}`; optional
    - `is_missing`: true for what should be in the text and is not
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from annotations.access.fixed import refuse_if_fixed
from annotations.access.log import log_act
from annotations.models import Criterion, ErrorCategory, ErrorSeverity, Study
from annotations.models.protocols.spans import LARGEST_WEIGHT, MOST_CATEGORIES, MOST_SEVERITIES
from annotations.models.texts_by_language import TextsByLanguage, longest_text
from generation.files.problems import Problems, listed, shown
from generation.refusals import Refused

KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
SEVERITY_TEXTS = {"label": longest_text(ErrorSeverity, "label")}
CATEGORY_TEXTS = {name: longest_text(ErrorCategory, name) for name in ("label", "description")}
MOST = {"severities": MOST_SEVERITIES, "error_categories": MOST_CATEGORIES}


@dataclass(frozen=True)
class RubricSeverity:
    """One severity, with the names of the fields of `ErrorSeverity`."""

    key: str
    label: TextsByLanguage = field(default_factory=TextsByLanguage)
    weight: float = 1


@dataclass(frozen=True)
class RubricCategory:
    """One category, with the names of the fields of `ErrorCategory`."""

    key: str
    label: TextsByLanguage = field(default_factory=TextsByLanguage)
    description: TextsByLanguage = field(default_factory=TextsByLanguage)
    weight: float = 1
    penalties: Mapping[str, float] = field(default_factory=dict)
    is_missing: bool = False


KINDS: Mapping[str, tuple[type[RubricSeverity | RubricCategory], Mapping[str, int]]] = {
    "severities": (RubricSeverity, SEVERITY_TEXTS),
    "error_categories": (RubricCategory, CATEGORY_TEXTS),
}


def check_weights(found: Mapping[str, Any], problems: Problems) -> None:
    """Add to the problems what is wrong with keys and weights; texts and names are looked at by the rubric's rules."""
    lists = {name: found.get(name, []) for name in MOST}
    for name, rows in lists.items():
        if not isinstance(rows, list) or len(rows) > MOST[name]:
            problems.add(0, name, _("must be a list of at most %(most)d"), most=MOST[name])
            return
        keys = [row.get("key") if isinstance(row, dict) else None for row in rows]
        for number, (row, key) in enumerate(zip(rows, keys, strict=True)):
            path = f"{name}[{number}]"
            if not isinstance(row, dict):
                problems.add(0, path, _("must be a JSON object"))
                continue
            if not isinstance(key, str) or not KEY.fullmatch(key):
                problems.add(
                    0, f"{path}.key", _("must be given, and hold only small English letters, digits, - and _")
                )
            elif key in keys[:number]:
                problems.add(0, f"{path}.key", _("%(key)s stands twice"), key=shown(key))
            label = row.get("label", {})
            if isinstance(label, dict) and not any(label.values()):
                problems.add(0, f"{path}.label", _("must be given in a language"))
            _check_weight(row.get("weight", 1), f"{path}.weight", problems)
            if not isinstance(row.get("is_missing", False), bool):
                problems.add(0, f"{path}.is_missing", _("must be true or false"))
    severities = [row.get("key") for row in lists["severities"] if isinstance(row, dict)]
    for number, row in enumerate(lists["error_categories"]):
        penalties = row.get("penalties", {}) if isinstance(row, dict) else {}
        path = f"error_categories[{number}].penalties"
        if not isinstance(penalties, dict):
            problems.add(0, path, _("must be numbers by the keys of severities"))
            continue
        for key, weight in penalties.items():
            if key not in severities:
                problems.add(0, f"{path}.{shown(key)}", _("is none of %(names)s"), names=listed(severities))
            _check_weight(weight, f"{path}.{shown(key)}", problems)
    if bool(lists["severities"]) != bool(lists["error_categories"]):
        problems.add(0, "", _("give both severities and error_categories, or neither"))


def _check_weight(weight: object, path: str, problems: Problems) -> None:
    is_number = isinstance(weight, int | float) and not isinstance(weight, bool) and math.isfinite(weight)
    if not is_number or not 0 <= weight <= LARGEST_WEIGHT:  # type: ignore[operator]
        problems.add(0, path, _("must be a number from 0 to %(most)d"), most=LARGEST_WEIGHT)


def store_categories(
    study: Study, severities: tuple[RubricSeverity, ...], categories: tuple[RubricCategory, ...]
) -> None:
    """Give a draft other categories and severities than before; none given leaves those that there are."""
    if not categories:
        return
    study.error_categories.all().delete()
    study.severities.all().delete()
    ErrorSeverity.objects.bulk_create(
        ErrorSeverity(study=study, number=number, **asdict(one)) for number, one in enumerate(severities)
    )
    ErrorCategory.objects.bulk_create(
        ErrorCategory(study=study, number=number, **asdict(one)) for number, one in enumerate(categories)
    )


@transaction.atomic
def replace_categories(
    study: Study,
    severities: tuple[RubricSeverity, ...],
    categories: tuple[RubricCategory, ...],
    *,
    by: User | None,
) -> None:
    """Have other kinds of errors marked than before; the study has to be signed off again.

    Raises `Refused` where it is too late, or where nothing is left to be marked.
    """
    locked = Study.objects.locked(study)
    refuse_if_fixed(locked)
    if not (severities and categories):
        raise Refused(_("A study of error spans needs at least one severity and one category."))
    store_categories(locked, severities, categories)
    Study.objects.filter(pk=study.pk).update(signed_off_at=None)
    study.signed_off_at = None
    log_act(study, by, "study.changed", fields=["error_categories"])


def stored_categories(study: Study) -> tuple[tuple[RubricSeverity, ...], tuple[RubricCategory, ...]]:
    """Return the severities and categories of a study, with two queries; none where no errors are marked."""
    if not study.asks.marks_errors:
        return (), ()
    names = list(RubricSeverity.__dataclass_fields__)
    severities = tuple(RubricSeverity(**row) for row in study.severities.values(*names))
    names = list(RubricCategory.__dataclass_fields__)
    return severities, tuple(RubricCategory(**row) for row in study.error_categories.values(*names))


def marking_obstacles(study: Study) -> list[str]:
    """Say what a study of error spans lacks, or what another one cannot ask; at most two queries."""
    derived = set(Criterion.objects.filter(study=study).exclude(derived="").values_list("derived", flat=True))
    wrong = []
    if unknown := derived - study.asks.derives.keys():
        wrong.append(
            _("By this protocol no criterion is reckoned from %(what)s.") % {"what": listed(sorted(unknown))}
        )
    if study.asks.marks_errors:
        if not derived:
            wrong.append(
                _(
                    "No criterion is reckoned from the errors that are marked: take a rubric such as MQM or ESA."
                )
            )
        if not study.error_categories.exists():
            wrong.append(_("There are no categories of errors: take a rubric such as MQM or ESA."))
    return wrong
