"""The results of a study without the evaluators who are flagged: how much hangs on them, and no rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from stats.analysis import Analysis, method_means
from stats.ratings.choice import Planned, choose
from stats.ratings.table import RatingTable
from stats.reports.quality_facts import QualityFacts
from stats.significance import Comparison, compare, with_holm


def without_flagged(
    quality: QualityFacts | None, table: RatingTable, analysis: Analysis, planned: Planned
) -> QualityFacts | None:
    """Return the checks with every result of the analysis on the evaluators of `table` who are not flagged.

    As they are where nobody is flagged, or nobody else is left.
    """
    if quality is None:
        return None
    kept = [evaluator for evaluator in table.evaluators if evaluator not in quality.flagged]
    if len(kept) in (0, len(table.evaluators)):
        return quality
    rest = table.only_evaluators(kept)
    return replace(
        quality,
        means_without_flagged=method_means(rest),
        without_flagged=tuple(_comparisons(rest, analysis, planned)),
    )


def _comparisons(table: RatingTable, analysis: Analysis, planned: Planned) -> Iterator[Comparison]:
    """Yield the comparisons of the analysis on other evaluators, in its order."""
    for criterion in dict.fromkeys(one.criterion for one in analysis.comparisons):
        choice = choose(table, criterion, planned)
        pages = choice.table.pages()
        yield from with_holm(
            [
                replace(
                    compare(
                        pages.pair(table.methods.index(one.a), table.methods.index(one.b)),
                        criterion=criterion,
                        a=one.a,
                        b=one.b,
                        choice=choice,
                        places=(table.methods.index(one.a), table.methods.index(one.b)),
                    ),
                    is_planned=one.is_planned,
                )
                for one in analysis.comparisons
                if one.criterion == criterion
            ]
        )
