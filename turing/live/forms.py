"""What a browser may send to live conversations."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from turing.live.verdicts import LONGEST_REASON
from turing.models import Round, Side


class EnterForm(forms.Form):
    """What a visitor agrees to before they wait."""

    consent = forms.BooleanField(
        label=_("I agree that what I write is shown to a stranger and stored."),
        error_messages={"required": _("Without this nobody can be met.")},
    )
    adult = forms.BooleanField(
        label=_("I am 18 or older."),
        error_messages={"required": _("Only who is 18 or older may meet others here.")},
    )
    may_be_read = forms.BooleanField(
        label=_("Others may read my conversation later, without my name."),
        required=False,
        help_text=_("It then stays here as long as the game does. It is shown only if both people agreed."),
    )


class MessageForm(forms.Form):
    """Something said on one side; the rules of a message are those of the act."""

    side = forms.ChoiceField(choices=Side.choices)
    text = forms.CharField(strip=False, required=False)
    client_id = forms.UUIDField()


class VerdictForm(forms.Form):
    """Who is human, how sure the interrogator is, and why."""

    choice = forms.ChoiceField(choices=Side.choices)
    confidence = forms.TypedChoiceField(
        choices=Round.Confidence.choices,
        coerce=lambda value: Round.Confidence(int(value)),
        required=False,
        empty_value=None,
    )
    reason = forms.CharField(max_length=LONGEST_REASON, required=False)

    def verdict(self) -> tuple[Side, Round.Confidence | None, str]:
        """Return what was decided; the form must be valid."""
        cleaned: dict[str, Any] = self.cleaned_data
        return Side(cleaned["choice"]), cleaned["confidence"], cleaned["reason"]
