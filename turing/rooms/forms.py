"""What opens a room."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from turing.models import Genre, Kind
from turing.rooms.rooms import MOST_PAIRS


class RoomForm(forms.Form):
    """A room to be opened."""

    name = forms.CharField(label=_("Name of the room"), max_length=100)
    kind = forms.ChoiceField(
        label=_("Kind of game"), choices=Kind.choices, widget=forms.RadioSelect, initial=Kind.PAIRS
    )
    genre = forms.ChoiceField(
        label=_("Texts"),
        choices=[
            (Genre.POEM, _("poems")),
            (Genre.QA, _("answers to questions")),
            (Genre.CHAT, _("conversations")),
        ],
        initial=Genre.POEM,
    )
    pairs = forms.IntegerField(
        label=_("Pairs in the pool"),
        min_value=5,
        max_value=MOST_PAIRS,
        initial=100,
        help_text=_("Drawn at random from those in play. Fewer are answered more often each."),
    )
    takes_names = forms.BooleanField(
        label=_("Players may say what they are called"),
        required=False,
        help_text=_("Everybody who has the address of the room sees these names on its board."),
    )
    closes_at = forms.DateTimeField(
        label=_("Closes at"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text=_("No game begins after this. Empty: it stays open until you close it."),
    )
