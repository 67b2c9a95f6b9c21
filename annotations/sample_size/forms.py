"""What is asked of those who reckon how many evaluators and prompts their study needs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from annotations.models import Criterion, Page, Study
from annotations.sample_size.sizing import USUAL, width
from stats.power import MOST_PLANNED

EVALUATORS = 12
# A share of the scale that most readers of a study would call a difference: half a point of 1 to 10.
USUAL_SHARE = 18


class SizingForm(forms.Form):
    """What shall be found, how much answers are expected to vary, and with how many evaluators and prompts."""

    difference = forms.FloatField(
        min_value=0.001,
        label=_("Smallest difference that matters"),
        help_text=_("In points of the primary criterion: what a reader of your report would care about."),
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    evaluators = forms.IntegerField(min_value=2, max_value=MOST_PLANNED, label=_("Evaluators"))
    prompts = forms.IntegerField(min_value=2, max_value=MOST_PLANNED, label=_("Prompts"))

    def __init__(self, study: Study, finished: list[Study], data: Any) -> None:
        self.criteria = {criterion.key: criterion for criterion in study.criteria.all()}
        proposed = max(self.criteria, key=lambda key: self.criteria[key].is_overall, default="")
        pages = Page.objects.counted().filter(subtask__study=study).count()
        initial = {
            "criterion": proposed,
            "spread": USUAL,
            "evaluators": EVALUATORS,
            "prompts": max(2, pages),
        }
        if proposed:
            initial["difference"] = round(width(self.criteria[proposed]) / USUAL_SHARE, 2)
        # The page answers before anything was asked, with what is proposed.
        super().__init__({**initial, **{name: data[name] for name in data}})
        self.fields["criterion"] = forms.ChoiceField(
            choices=[(key, str(one.label)) for key, one in self.criteria.items()],
            label=_("Primary criterion"),
            help_text=_("The one criterion that the study is decided by. The others are secondary."),
        )
        self.fields["spread"] = forms.ChoiceField(
            choices=[
                (USUAL, _("as in the published study of poems")),
                *((one.slug, _("as in “%(title)s”") % {"title": one.title}) for one in finished),
            ],
            label=_("How much answers vary"),
            help_text=_("A pilot or another finished study of the same kind says it best."),
        )
        self.order_fields(["criterion", "difference", "spread", "evaluators", "prompts"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        criterion, difference = self.criteria.get(cleaned.get("criterion", "")), cleaned.get("difference")
        if criterion and difference and difference >= width(criterion):
            self.add_error(
                "difference",
                _("It must be less than the whole scale, %(width)g points.") % {"width": width(criterion)},
            )
        return cleaned

    @property
    def criterion(self) -> Criterion:
        """The criterion that a valid form names."""
        return self.criteria[self.cleaned_data["criterion"]]
