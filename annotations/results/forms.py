"""What is asked before a study's results are shown."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from annotations.models import SHORTEST_REASON, Unblinding
from annotations.models.bounds import bounds_of


class ShareForm(forms.Form):
    """For how long a link to the report is good."""

    days = forms.TypedChoiceField(
        coerce=int,
        choices=[
            (7, _("a week")),
            (30, _("30 days")),
            (90, _("90 days")),
            (365, _("a year")),
        ],
        initial=30,
        label=_("Good for"),
    )


class UnblindForm(forms.Form):
    """Why staff must see the numbers of a study that still takes answers."""

    reason = forms.CharField(
        min_length=SHORTEST_REASON,
        **bounds_of(Unblinding, "reason"),
        error_messages={
            "required": _("Give a reason. The report prints it."),
            "min_length": _("Give a reason of at least %(limit_value)d characters. The report prints it."),
        },
    )
