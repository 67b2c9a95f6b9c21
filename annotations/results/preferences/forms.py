"""The form by which preferences are asked for on the page of results."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from annotations.results.preferences.wanted import LAYOUTS, PREFERENCE_FORMATS, Layout, Source, Wanted

KINDS = [
    ("pairs", _("pairs, by what people answered")),
    ("unpaired", _("single texts, good or not (KTO)")),
    ("ranked", _("all texts of a page in order")),
    ("ratings", _("pairs by the mean of the overall criterion")),
    ("picks", _("pairs by the picks of the best text")),
]


class PreferencesForm(forms.Form):
    """Which preferences, and how they are laid out."""

    kind = forms.ChoiceField(choices=KINDS, label=_("Layout"))
    conversational = forms.BooleanField(required=False, label=_("prompts and texts as messages"))
    by_evaluator = forms.BooleanField(required=False, label=_("a row for each evaluator"))
    min_margin = forms.FloatField(required=False, label=_("least margin of a pair"))
    include_inconsistent = forms.BooleanField(required=False, label=_("pairs of inconsistent pages too"))
    format = forms.ChoiceField(choices=[(one, one) for one in PREFERENCE_FORMATS], label=_("Format"))

    def __init__(self, *args: Any, has_best_picks: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_best_picks:
            kinds = cast(forms.ChoiceField, self.fields["kind"])
            kinds.choices = [one for one in KINDS if one[0] != "picks"]

    def wanted(self) -> Wanted:
        """Return what is asked for by a form that is valid."""
        said = self.cleaned_data
        kind = said["kind"]
        return Wanted(
            **{"layout": cast(Layout, kind)} if kind in LAYOUTS else {"source": cast(Source, kind)},
            file_format=said["format"],
            conversational=said["conversational"],
            by_evaluator=said["by_evaluator"],
            min_margin=said["min_margin"] or 0.0,
            include_inconsistent=said["include_inconsistent"],
        )
