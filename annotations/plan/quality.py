"""What a plan takes for given of a study's quality control."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from annotations.models import KnownAnswer, QualityControl, Study
from annotations.setup.quality.declaration import RULES
from generation.models import Prompt


def quality_document(study: Study, digest: Callable[[Prompt], str]) -> dict[str, Any]:
    """Return the rules and known answers of a study; nothing where none are declared, as in earlier plans.

    Known answers are named by the digests of their prompts, as their pages move at the launch.
    """
    control = QualityControl.objects.filter(study=study).first()
    if control is None:
        return {}
    answers = KnownAnswer.objects.filter(page_candidate__page__subtask__study=study).select_related(
        "page_candidate__page__prompt", "page_candidate__study_method__method", "criterion"
    )
    said = [
        [
            one.page_candidate.page.role,
            digest(one.page_candidate.page.prompt),
            one.page_candidate.study_method.method.key,
            one.criterion.key if one.criterion else None,
            one.lowest,
            one.highest,
        ]
        for one in answers
    ]
    rules = {name: getattr(control, name) for name in RULES}
    return {
        "quality_control": {
            **{name: float(one) if isinstance(one, Decimal) else one for name, one in rules.items()},
            "known_answers": sorted(said, key=str),
        }
    }
