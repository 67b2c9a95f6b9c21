"""What a browser may send to the game."""

from __future__ import annotations

from typing import Any

from django import forms

from turing.game.play import Answer
from turing.models import Genre, Round, Side


class BeginForm(forms.Form):
    """Which texts to play with."""

    genre = forms.ChoiceField(choices=Genre.choices)


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
