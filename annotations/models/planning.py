"""What was decided before the first answer, and who looked at the numbers before the last one."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length, Now, Trim
from django.db.models.lookups import GreaterThanOrEqual
from django.utils.translation import gettext_lazy as _

from annotations.models.bounds import LONGEST_NOTES, LONGEST_REASON, MOST_PLANNED, whole_number
from annotations.models.study import Criterion, Study

SHORTEST_REASON = 10


class AnalysisPlan(models.Model):
    """The plan of a study's analysis. A row is a locked plan: there are no drafts.

    Triggers (migration `0004_plan_guards`) refuse a plan after the first answer, any change of one, and its
    deletion other than with its study.
    """

    class OffScale(models.TextChoices):
        KEPT = "kept", _("kept as they were found")
        MISSING = "missing", _("taken as missing")

    class Analysis(models.TextChoices):
        BY_DESIGN = "by design", _("by the rule of the design")
        PAGE_DIFFERENCES = "page differences", _("differences on whole pages")
        RATINGS_MODEL = "ratings model", _("model of all ratings")

    class JudgeUse(models.TextChoices):
        """What the scores of a judge or metric are for, if there is one."""

        NONE = "", _("no judge is planned")
        CHECKS = "checks", _("it is checked against the evaluators, no more")
        COMBINED = "combined", _("the combined estimate is secondary")

    class Covariate(models.TextChoices):
        """What comparisons of texts are adjusted for, beside the strengths without any of it."""

        FIRST = "first", _("which text was shown first")
        LENGTH = "length", _("the lengths of the texts")
        MARKS = "marks", _("their Markdown marks")

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="plan")
    primary_criterion = models.ForeignKey(Criterion, on_delete=models.RESTRICT, related_name="+")
    # The pairs of methods to be compared, [a, b] by key in the study's order: one row holds the whole plan, so
    # that nothing can be added to it later. A trigger knows the methods of the study.
    comparisons = models.JSONField()
    inconsistency_threshold = models.DecimalField(max_digits=4, decimal_places=3)
    off_scale = models.CharField(max_length=8, choices=OffScale, default=OffScale.KEPT)
    # In points of the primary criterion; without one the report never calls two methods comparable.
    equivalence_margin = models.DecimalField(max_digits=6, decimal_places=3, null=True, blank=True)
    # In points of the primary criterion: the smallest difference worth finding, which power is reported for.
    planned_effect = models.DecimalField(max_digits=6, decimal_places=3, null=True, blank=True)
    analysis = models.CharField(max_length=16, choices=Analysis, default=Analysis.BY_DESIGN)
    planned_evaluators = models.PositiveIntegerField(
        null=True, blank=True, validators=whole_number(MOST_PLANNED)
    )
    planned_prompts = models.PositiveIntegerField(validators=whole_number(MOST_PLANNED))
    # The judge by its short name, and what exactly it is; it may come later.
    judge = models.SlugField(max_length=60, blank=True)
    judge_version = models.CharField(max_length=200, blank=True)
    judge_use = models.CharField(max_length=8, choices=JudgeUse, blank=True, default=JudgeUse.NONE)
    # Names of prompts by which the judge's own prompt was written or tuned: they count in none of its checks.
    judge_set_aside = models.JSONField(default=list, blank=True)
    # [grouping, group, group] by key (`annotations.plan.groups`): whose differences between methods are compared.
    group_comparisons = models.JSONField(default=list, blank=True)
    # Where pages are judged as a whole; None in plans from before it could be said, which adjust for all.
    covariates = models.JSONField(null=True, blank=True)
    notes = models.TextField(blank=True, max_length=LONGEST_NOTES)
    # The study's methods, criteria and prompts (by digest) as they were when the plan was locked.
    design = models.JSONField()
    # SHA-256 of `planning.canonical_json` of the plan with its design.
    digest = models.CharField(max_length=64)
    locked_at = models.DateTimeField(db_default=Now())
    # Nobody where the plan was locked from the command line.
    locked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(off_scale__in=["kept", "missing"]), name="plan_off_scale_known"
            ),
            models.CheckConstraint(condition=Q(equivalence_margin__gt=0), name="plan_margin_positive"),
            models.CheckConstraint(condition=Q(planned_effect__gt=0), name="plan_effect_positive"),
            models.CheckConstraint(
                condition=Q(analysis__in=["by design", "page differences", "ratings model"]),
                name="plan_analysis_known",
            ),
            models.CheckConstraint(condition=Q(planned_evaluators__gte=1), name="plan_evaluators_positive"),
            models.CheckConstraint(condition=Q(planned_prompts__gte=1), name="plan_prompts_positive"),
            models.CheckConstraint(
                condition=Q(judge="", judge_version="", judge_use="", judge_set_aside=[])
                | ~Q(judge="") & Q(judge_use__in=["checks", "combined"]),
                name="plan_judge_and_use_together",
            ),
            models.CheckConstraint(condition=Q(digest__regex="^[0-9a-f]{64}$"), name="plan_digest_is_sha256"),
        ]

    def __str__(self) -> str:
        return f"plan of study {self.study_id}"


class Unblinding(models.Model):
    """The moment from which staff could see the numbers of an open study, and why. Rows are only added."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="unblindings")
    # Nobody where it was done from the command line.
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(max_length=LONGEST_REASON)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=GreaterThanOrEqual(Length(Trim("reason")), SHORTEST_REASON),
                name="unblinding_reason_given",
            ),
        ]

    def __str__(self) -> str:
        return f"unblinding of study {self.study_id} at {self.created_at}"
