"""What a browser may send to the game."""

from __future__ import annotations

from typing import Any

from django import forms

from turing.game.play import Answer, Stop
from turing.models import FIRST_STEP, Genre, Round, Side


class BeginForm(forms.Form):
    """Which texts to play with."""

    genre = forms.ChoiceField(choices=Genre.choices)


class StepForm(forms.Form):
    """The sentence shown last, and whether the machine begins there."""

    act = forms.ChoiceField(choices=[("next", "next"), ("here", "here")])
    step = forms.IntegerField(min_value=FIRST_STEP, max_value=1000)
    confidence = forms.TypedChoiceField(
        choices=Round.Confidence.choices,
        coerce=lambda value: Round.Confidence(int(value)),
        required=False,
        empty_value=None,
    )
    known = forms.BooleanField(required=False)

    def stop(self) -> Stop | None:
        """Return where the machine is said to begin, None to go on; the form must be valid."""
        cleaned: dict[str, Any] = self.cleaned_data
        if cleaned["act"] == "next":
            return None
        return Stop(cleaned["step"], cleaned["confidence"], cleaned["known"])


class ChoiceForm(forms.Form):
    """The side taken for the human one, and what the player says of it of their own accord."""

    choice = forms.ChoiceField(choices=Side.choices)
    confidence = forms.TypedChoiceField(
        choices=Round.Confidence.choices,
        coerce=lambda value: Round.Confidence(int(value)),
        required=False,
        empty_value=None,
    )
    known = forms.BooleanField(required=False)

    def clean_choice(self) -> Side:
        return Side(self.cleaned_data["choice"])

    def answer(self) -> Answer:
        """Return the answer; the form must be valid."""
        cleaned: dict[str, Any] = self.cleaned_data
        return Answer(cleaned["choice"], cleaned["confidence"], cleaned["known"])
