"""A study in whose texts errors are marked."""

from __future__ import annotations

from typing import Any

from annotations.models import Criterion, ErrorCategory, ErrorSeverity, PageCandidate, Study
from annotations.tests.cast import build_study
from generation.models import Candidate

SEVERITIES = [("minor", "Minor", "轻微", 1), ("major", "Major", "严重", 5)]
CATEGORIES: list[dict[str, Any]] = [
    {"key": "accuracy", "label": {"en": "Accuracy", "zh-hans": "准确性"}},
    {
        "key": "punctuation",
        "label": {"en": "Punctuation", "zh-hans": "标点"},
        "penalties": {"minor": 0.1},
    },
    {"key": "omission", "label": {"en": "Omission", "zh-hans": "遗漏"}, "is_missing": True},
]


def build_marked_study(
    *texts: str, normalisation: str = "prose", is_rated: bool = True, slug: str = "marked", **sizes: int
) -> Study:
    """Create a study of error spans with a penalty and, where it `is_rated`, a rating from 0 to 100.

    Its first texts are those given, in the order of pages and methods.
    """
    study = build_study(slug=slug, genre="text", **{"prompts": 2, "methods": 2} | sizes)
    Study.objects.filter(pk=study.pk).update(
        protocol="spans", has_best_picks=False, normalisation=normalisation
    )
    study.refresh_from_db()
    study.criteria.all().delete()
    penalty = {
        "label": {"en": "Penalty", "zh-hans": "扣分"},
        "minimum": 0,
        "maximum": 25,
        "lower_is_better": True,
    }
    Criterion.objects.create(
        study=study, number=0, key="penalty", derived="penalty", is_overall=not is_rated, **penalty
    )
    if is_rated:
        Criterion.objects.create(
            study=study,
            number=1,
            key="score",
            label={"en": "Score", "zh-hans": "评分"},
            minimum=0,
            maximum=100,
            is_overall=True,
            is_slider=True,
        )
    ErrorSeverity.objects.bulk_create(
        ErrorSeverity(study=study, number=number, key=key, label={"en": en, "zh-hans": zh}, weight=weight)
        for number, (key, en, zh, weight) in enumerate(SEVERITIES)
    )
    ErrorCategory.objects.bulk_create(
        ErrorCategory(study=study, number=number, **fields) for number, fields in enumerate(CATEGORIES)
    )
    shown = PageCandidate.objects.filter(page__subtask__study=study).order_by(
        "page__subtask__number", "page__number", "study_method__number"
    )
    for pk, text in zip(shown.values_list("candidate_id", flat=True), texts, strict=False):
        Candidate.objects.filter(pk=pk).update(text=text)
    return study
