"""
Which analysis a criterion's ratings allow, and the differences of methods by it.

By the rule of the design: two to five evaluators speak for themselves alone ('these evaluators'). With more, page
differences where nine ratings in ten stand on pages that hold every method of their prompt, else the ratings model,
which loses no rating.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from stats.cluster import ClusterRobustMean, two_way_mean
from stats.exact import ExactTest, sign_flip_of_means
from stats.mixed import CrossedMean, VarianceComponents
from stats.ratings.conditional import conditional_difference, prompt_differences
from stats.ratings.model import RatingsModel, RatingsVariance, TooLarge, fit_ratings_model
from stats.ratings.table import RatingTable
from stats.ratings.terms import DroppedTerm
from stats.scores import Bools, Ints

Kind = Literal["page differences", "ratings model", "these evaluators"]
Planned = Literal["by design", "page differences", "ratings model", "these evaluators"]
Refusal = Literal["too few ratings", "too large", "not converged"]
FEWEST_FOR_ONES_OWN = 2
FEWEST_EVALUATORS = 6
WHOLE_PAGES = 0.9


@dataclass(frozen=True, eq=False)
class Choice:
    """
    How the pairs of one criterion are compared, and why.

    `share_on_whole_pages` is that of ratings on pages that hold every method of their prompt. `variance` and
    `dropped` are those of the ratings model; `refusal` says why it has no result.
    """

    criterion: str
    kind: Kind
    evaluators: int
    share_on_whole_pages: float
    table: RatingTable
    model: RatingsModel | None = None
    refusal: Refusal | None = None

    @property
    def variance(self) -> RatingsVariance | None:
        return None if self.model is None else self.model.variance

    @property
    def dropped(self) -> tuple[DroppedTerm, ...]:
        return () if self.model is None else self.model.dropped

    def as_dict(self) -> dict[str, Any]:
        """Return the choice, ready for JSON."""
        return {
            "criterion": self.criterion,
            "kind": self.kind,
            "generalises_to": "prompts" if self.kind == "these evaluators" else "evaluators and prompts",
            "evaluators": self.evaluators,
            "share_on_whole_pages": self.share_on_whole_pages,
            "variance": None if self.variance is None else self.variance.as_dict(),
            "dropped_terms": [{"term": one.term, "reason": one.reason} for one in self.dropped],
            "components_from": None if self.model is None else self.model.part,
            "refusal": self.refusal,
        }

    def difference(self, a: int, b: int, confidence_level: float) -> CrossedMean | None:
        """Return method b less method a, by their places; None where page differences are the analysis."""
        if self.kind == "page differences":
            return None
        if self.kind == "these evaluators":
            found = conditional_difference(self.table, a, b)
            return CrossedMean(
                estimate=found.estimate,
                se=found.se,
                df=found.df,
                variance=None,
                evaluators=found.evaluators,
                prompts=found.prompts,
                cells=len(self.table.of_methods([a, b])),
                method="these evaluators",
                confidence_level=confidence_level,
            )
        return self._by_model(a, b, confidence_level)

    def cluster_robust(self, a: int, b: int, confidence_level: float) -> ClusterRobustMean | None:
        """Return the difference of the ratings model with an error robust to evaluators and prompts."""
        model = self.model
        if model is None or not {a, b} <= set(model.methods):
            return None
        moved = model.influences(a, b) * model.ratings
        robust = two_way_mean(
            moved, model.evaluator_of, model.prompt_of, confidence_level=confidence_level, floor_at_iid=True
        )
        return None if robust is None else replace(robust, estimate=model.difference(a, b)[0])

    def prompt_flips(self, a: int, b: int) -> ExactTest | None:
        """Return the sign flips of the prompts' differences where evaluators are held fixed."""
        if self.kind != "these evaluators":
            return None
        by_prompt = prompt_differences(self.table, a, b)
        return sign_flip_of_means(by_prompt, np.ones(len(by_prompt))) if len(by_prompt) else None

    @cached_property
    def _rated(self) -> tuple[Bools, Bools, Ints]:
        """Return which methods evaluators rated (E, M) and prompts have ratings of (P, M), and their ratings (M,)."""
        table, methods = self.table, len(self.table.methods)
        by_evaluator, by_prompt = (
            np.bincount(side * methods + table.method, minlength=len(names) * methods).reshape(-1, methods)
            for side, names in ((table.evaluator, table.evaluators), (table.prompt, table.prompts))
        )
        return by_evaluator > 0, by_prompt > 0, by_evaluator.sum(axis=0)

    def _by_model(self, a: int, b: int, confidence_level: float) -> CrossedMean:
        by_evaluator, by_prompt, ratings = self._rated
        evaluators, prompts = (int(side[:, [a, b]].any(axis=1).sum()) for side in (by_evaluator, by_prompt))
        none = CrossedMean(None, None, None, None, evaluators, prompts, 0, "none", confidence_level)
        if not (ratings[a] and ratings[b]):
            return none
        cells = int(ratings[a] + ratings[b])
        model = self.model
        if model is None:
            means = self.table.method_means()
            return replace(none, estimate=float(means[b] - means[a]), cells=cells)
        estimate, se, df = model.difference(a, b)
        variance = model.variance
        return CrossedMean(
            estimate=estimate,
            se=se,
            df=df,
            # Those of a difference on a page, to plan a study of whole pages by.
            variance=VarianceComponents(
                2 * (variance.evaluator_method or 0.0),
                2 * (variance.prompt_method or 0.0),
                2 * variance.residual,
            ),
            evaluators=evaluators,
            prompts=prompts,
            cells=cells,
            method="ratings model",
            confidence_level=confidence_level,
        )


def choose(table: RatingTable, criterion: str, planned: Planned = "by design") -> Choice:
    """Choose the analysis of one criterion of `table` by the rule of the design, or as it was planned."""
    ratings = table.for_criterion(criterion).first_ratings()
    evaluators = len(np.unique(ratings.evaluator))
    share = ratings.share_on_whole_pages()
    kind: Kind = "page differences" if share >= WHOLE_PAGES else "ratings model"
    if planned != "by design":
        kind = planned
    if FEWEST_FOR_ONES_OWN <= evaluators < FEWEST_EVALUATORS:
        kind = "these evaluators"
    choice = Choice(criterion, kind, evaluators, share, ratings)
    if kind != "ratings model":
        return choice
    try:
        model = fit_ratings_model(ratings)
    except TooLarge:
        return replace(choice, refusal="too large")
    if model is None:
        return replace(choice, refusal="too few ratings")
    return replace(choice, model=model) if model.is_converged else replace(choice, refusal="not converged")
