"""What staff may send to begin a self-training."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from generation.self_training.chain import LARGEST_SEED, MOST_CYCLES, MOST_STEPS, base_models
from generation.self_training.titles import MOST_TITLES, TitlesRefused, draw_titles, listed_titles
from generation.training.settings import PAPER

LARGEST_LIST = 1_000_000


class SelfTrainingForm(forms.Form):
    """A chain of cycles; the titles are drawn, typed or uploaded."""

    name = forms.CharField(
        max_length=40,
        label=_("Name"),
        help_text=_("small letters, digits and hyphens; the models will be called NAME-1, NAME-2 and so on"),
    )
    base_model = forms.ChoiceField(label=_("Base model"))
    number = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_TITLES,
        initial=PAPER.titles,
        label=_("Titles to draw"),
        help_text=_(
            "from the corpus, anew for each cycle; the seed decides which. Not used with titles of your own."
        ),
    )
    titles = forms.CharField(
        required=False,
        max_length=LARGEST_LIST,
        widget=forms.Textarea(attrs={"rows": 4, "lang": "zh-Hans"}),
        label=_("Titles of your own"),
        help_text=_("one a line, for every cycle"),
    )
    titles_file = forms.FileField(
        required=False, label=_("A file of titles"), help_text=_("text in UTF-8, one title a line")
    )
    percent = forms.IntegerField(
        min_value=1,
        max_value=100,
        initial=round(100 * PAPER.keep_share),
        label=_("Best share, %"),
        help_text=_("Only this share of the poems is learnt from, those with the highest scores."),
    )
    steps = forms.IntegerField(
        min_value=1, max_value=MOST_STEPS, initial=PAPER.steps, label=_("Steps of a cycle")
    )
    cycles = forms.IntegerField(min_value=1, max_value=MOST_CYCLES, initial=PAPER.cycles, label=_("Cycles"))
    seed = forms.IntegerField(
        min_value=0,
        max_value=LARGEST_SEED,
        initial=0,
        label=_("Seed"),
        help_text=_("decides titles, forms, poems and the order of what is learnt"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        base_model = self.fields["base_model"]
        assert isinstance(base_model, forms.ChoiceField)
        base_model.choices = [(model, model) for model in base_models()]

    def clean_titles_file(self) -> str:
        """Return the file's text."""
        file = self.cleaned_data["titles_file"]
        if file is None:
            return ""
        if file.size > LARGEST_LIST:
            raise forms.ValidationError(_("The file is larger than a megabyte."))
        try:
            text: str = file.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise forms.ValidationError(_("The file is not in UTF-8.")) from None
        return text

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        own = [name for name in ("titles", "titles_file") if cleaned.get(name)]
        if len(own) > 1:
            self.add_error("titles_file", _("Give titles in the box or in a file, not in both."))
        elif not own and not cleaned.get("number") and "number" not in self.errors:
            self.add_error("number", _("Say how many titles to draw, or give titles of your own."))
        return cleaned

    def lists_of_titles(self) -> list[list[str]]:
        """Return the titles of all cycles, or of each; the form must be valid. Raise `TitlesRefused`."""
        cleaned = self.cleaned_data
        if own := cleaned["titles"] or cleaned["titles_file"]:
            return [listed_titles(own)]
        try:
            return draw_titles(
                cleaned["number"],
                cycles=cleaned["cycles"],
                seed=cleaned["seed"],
                model=cleaned["base_model"],
            )
        except TitlesRefused as refused:
            self.add_error("number", str(refused))
            raise
