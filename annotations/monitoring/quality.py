"""The checks and flags of every evaluator while a study runs: no method is named, so nothing is unblinded."""

from __future__ import annotations

from typing import Any

from annotations.models import Study
from annotations.results.document.quality import checks_table, self_agreement_table
from annotations.results.quality.checks import quality_facts
from annotations.results.quality.wording import rule_sentences
from annotations.results.rating_table import rating_table
from stats.reports.quality_facts import QualityFacts


def quality_so_far(study: Study) -> QualityFacts | None:
    """Return the checks on the answers that there are; None where nothing is declared."""
    return quality_facts(study, rating_table(study))


def checks_context(study: Study) -> dict[str, Any] | None:
    """Return the checks in the words of their page; None where nothing is declared."""
    study = study.reading_once()
    found = quality_so_far(study)
    if found is None:
        return None
    labels = {one.key: str(one.label) for one in study.criteria.all()}
    return {
        "sentences": list(rule_sentences(found.rules)),
        "tables": [
            checks_table(found),
            *([self_agreement_table(labels, found.self_agreement)] if found.self_agreement else []),
        ],
        "flagged": len(found.flagged),
    }
