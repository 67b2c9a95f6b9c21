"""What a report says of a locked plan, and what it tells the analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from annotations.models import AnalysisPlan
from annotations.plan.groups import planned_pair_labels
from annotations.plan.plan import plan_document

if TYPE_CHECKING:
    from stats.ratings.choice import Planned
    from stats.reports.study_report import PlanFacts


def planned_analysis(plan: AnalysisPlan) -> Planned:
    """Return the plan's analysis in the words of the statistics."""
    if plan.analysis == AnalysisPlan.Analysis.PAGE_DIFFERENCES:
        return "page differences"
    return "ratings model" if plan.analysis == AnalysisPlan.Analysis.RATINGS_MODEL else "by design"


def plan_facts(plan: AnalysisPlan) -> PlanFacts:
    """Return what the report says of a plan."""
    # The records of a report are many, and no page of a plan needs them.
    from stats.reports.study_report import PlanFacts

    margin = plan.equivalence_margin
    return PlanFacts(
        primary_criterion=plan.primary_criterion.key,
        comparisons=tuple((a, b) for a, b in plan.comparisons),
        inconsistency_threshold=float(plan.inconsistency_threshold),
        off_scale="missing" if plan.off_scale == AnalysisPlan.OffScale.MISSING else "kept",
        equivalence_margin=None if margin is None else float(margin),
        planned_effect=None if plan.planned_effect is None else float(plan.planned_effect),
        analysis=planned_analysis(plan),
        planned_evaluators=plan.planned_evaluators,
        planned_prompts=plan.planned_prompts,
        judge=plan.judge,
        judge_version=plan.judge_version,
        judge_use="combined"
        if plan.judge_use == AnalysisPlan.JudgeUse.COMBINED
        else "checks"
        if plan.judge
        else "",
        judge_set_aside=tuple(plan.judge_set_aside),
        group_comparisons=planned_pair_labels(plan.study, plan.group_comparisons),
        covariates=None if plan.covariates is None else tuple(plan.covariates),
        notes=plan.notes,
        locked_at=plan.locked_at.isoformat(timespec="seconds"),
        locked_by=plan.locked_by.get_username() if plan.locked_by else _("command line"),
        digest=plan.digest,
        document=plan_document(plan),
    )
