"""What staff may send: the plan of an analysis, and the reason for looking before the end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from annotations.models import AnalysisPlan, Page, Study
from annotations.models.bounds import bounds_of
from annotations.plan.groups import group_pairs
from annotations.plan.plan import Pair, every_pair

LONGEST_SET_ASIDE = 100_000
SMALLEST_DIFFERENCE = Decimal("0.001")


def method_pair(value: str) -> Pair:
    """Return the two methods of 'a:b'."""
    a, _colon, b = value.partition(":")
    return a, b


class PlanForm(forms.Form):
    """The plan of one study, filled in at first with what most studies plan."""

    off_scale = forms.ChoiceField(
        choices=AnalysisPlan.OffScale.choices,
        widget=forms.RadioSelect,
        label=_("Scores off their scale"),
        help_text=_("Only imported records can hold such scores."),
    )
    equivalence_margin = forms.DecimalField(
        **bounds_of(AnalysisPlan, "equivalence_margin"),
        min_value=SMALLEST_DIFFERENCE,
        required=False,
        label=_("Margin of equivalence (optional)"),
        help_text=_(
            "In points of the primary criterion. Two methods are called comparable only if they certainly differ by"
            " less than this."
        ),
    )
    planned_effect = forms.DecimalField(
        **bounds_of(AnalysisPlan, "planned_effect"),
        min_value=SMALLEST_DIFFERENCE,
        required=False,
        label=_("Effect to be found (optional)"),
        help_text=_(
            "The smallest difference worth finding, in points of the primary criterion. The report says with what"
            " power the study could find it."
        ),
    )
    analysis = forms.ChoiceField(
        required=False,
        choices=AnalysisPlan.Analysis.choices,
        widget=forms.RadioSelect,
        label=_("Analysis"),
        help_text=_(
            "The rule takes differences on pages where evaluators rate all methods of a prompt, and else a model of"
            " all ratings; two to five evaluators speak for themselves alone."
        ),
    )
    planned_evaluators = forms.IntegerField(
        required=False,
        **bounds_of(AnalysisPlan, "planned_evaluators"),
        label=_("Evaluators to recruit (optional)"),
    )
    planned_prompts = forms.IntegerField(**bounds_of(AnalysisPlan, "planned_prompts"), label=_("Prompts"))
    judge = forms.SlugField(
        required=False,
        **bounds_of(AnalysisPlan, "judge"),
        label=_("Judge or metric (optional)"),
        help_text=_(
            "The short name of a program that rates the texts too. Named later, the report calls it not planned."
        ),
    )
    judge_version = forms.CharField(
        required=False,
        **bounds_of(AnalysisPlan, "judge_version"),
        label=_("Version of the judge"),
    )
    judge_use = forms.ChoiceField(
        required=False,
        choices=AnalysisPlan.JudgeUse.choices,
        widget=forms.RadioSelect,
        label=_("What its scores are for"),
    )
    judge_set_aside = forms.CharField(
        required=False,
        max_length=LONGEST_SET_ASIDE,
        widget=forms.Textarea(attrs={"rows": 3}),
        label=_("Prompts set aside for the judge (optional)"),
        help_text=_(
            "Those by which its own prompt was written or tuned, by id or as they begin, one a line. They count in"
            " none of its checks."
        ),
    )
    covariates = forms.MultipleChoiceField(
        required=False,
        choices=AnalysisPlan.Covariate.choices,
        widget=forms.CheckboxSelectMultiple,
        label=_("What comparisons are adjusted for"),
        help_text=_("The report has the strengths of methods without and with all that is ticked here."),
    )
    group_comparisons = forms.TypedMultipleChoiceField(
        required=False,
        coerce=json.loads,
        widget=forms.CheckboxSelectMultiple,
        label=_("Groups of evaluators to be compared (optional)"),
        help_text=_(
            "By how much the differences between methods differ between two groups. The report marks any other pair of"
            " groups as exploratory."
        ),
    )
    notes = forms.CharField(
        required=False,
        **bounds_of(AnalysisPlan, "notes"),
        widget=forms.Textarea(attrs={"rows": 5}),
        label=_("Notes (optional)"),
        help_text=_(
            "What you expect to find, and anything else that readers should know was decided beforehand."
        ),
    )
    is_meant = forms.BooleanField(
        label=_("Lock the plan for good. I know that it can then neither be changed nor replaced."),
        error_messages={"required": _("Tick the box to lock the plan.")},
    )

    # What the page of the sample size proposes in its address.
    PROPOSED = ("primary_criterion", "planned_effect", "planned_evaluators", "planned_prompts")

    def __init__(
        self, study: Study, *args: Any, proposed: Mapping[str, str] | None = None, **kwargs: Any
    ) -> None:
        pairs = [f"{a}:{b}" for a, b in every_pair(study)]
        criteria = {criterion.key: criterion for criterion in study.criteria.all()}
        label = study.study_methods.names()
        kwargs["initial"] = {
            # Where no criterion is the overall one, the first is as good a proposal as any.
            "primary_criterion": max(criteria, key=lambda key: criteria[key].is_overall, default=None),
            "comparisons": pairs,
            "off_scale": AnalysisPlan.OffScale.KEPT,
            "analysis": AnalysisPlan.Analysis.BY_DESIGN,
            "covariates": AnalysisPlan.Covariate.values,
            "planned_prompts": Page.objects.counted().filter(subtask__study=study).count(),
        }
        kwargs["initial"] |= {
            name: value for name, value in (proposed or {}).items() if name in self.PROPOSED
        }
        super().__init__(*args, **kwargs)
        self.fields["primary_criterion"] = forms.TypedChoiceField(
            choices=[(key, str(criterion.label)) for key, criterion in criteria.items()],
            coerce=criteria.__getitem__,
            widget=forms.RadioSelect,
            label=_("Primary criterion"),
            help_text=_("The one criterion that the study is decided by. The others are secondary."),
        )
        self.fields["comparisons"] = forms.TypedMultipleChoiceField(
            choices=[(pair, " − ".join(label[key] for key in reversed(method_pair(pair)))) for pair in pairs],
            coerce=method_pair,
            widget=forms.CheckboxSelectMultiple,
            label=_("Comparisons"),
            help_text=_(
                "Which methods are to be compared. The report marks any other comparison as exploratory."
            ),
            error_messages={"required": _("Choose at least one pair of methods to compare.")},
        )
        if study.asks.answer is None:
            del self.fields["covariates"]
        pairs_of_groups = group_pairs(study)
        if pairs_of_groups:
            groups = cast("forms.TypedMultipleChoiceField", self.fields["group_comparisons"])
            groups.choices = [(json.dumps(pair), words) for pair, words in pairs_of_groups.items()]
        else:
            del self.fields["group_comparisons"]
        self.order_fields(["primary_criterion", "comparisons"])

    def clean_judge_set_aside(self) -> list[str]:
        """Return the names of prompts, one a line."""
        said: str = self.cleaned_data["judge_set_aside"]
        return said.splitlines()

    def clean_analysis(self) -> str:
        """Return the chosen analysis, the rule of the design where none was chosen."""
        return self.cleaned_data["analysis"] or AnalysisPlan.Analysis.BY_DESIGN


class RehearsalForm(forms.Form):
    """How many simulated evaluators answer a copy of the study, and what they are to find."""

    EVALUATORS = ("5", "10", "20", "30", "50")
    EFFECTS = ("0", "0.25", "0.5", "1")

    evaluators = forms.ChoiceField(
        choices=[(number, number) for number in EVALUATORS], initial="20", label=_("Evaluators")
    )
    effect = forms.ChoiceField(
        choices=[(points, points) for points in EFFECTS],
        initial="0.5",
        label=_("Points between one method and the next"),
    )
