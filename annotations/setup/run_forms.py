"""What staff may send to have texts written for a study."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from annotations.models import Study
from generation.compose.forms import REGULATED
from generation.methods import METHODS, PRESETS
from generation.models import Worker, method_name
from generation.runs.notifications import known_models
from generation.runs.runs import LARGEST_SEED


class RunForm(forms.Form):
    """A run over all prompts of a study, by a method that the study does not have yet."""

    seed = forms.IntegerField(
        min_value=0,
        max_value=LARGEST_SEED,
        initial=0,
        label=_("Seed"),
        help_text=_("The same seed gives the same texts, with the same model and versions."),
    )

    def __init__(self, study: Study, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        taken = set(study.study_methods.values_list("method__key", flat=True))
        self.fields["method"] = forms.ChoiceField(
            choices=[(key, method_name(key)) for key in METHODS if key not in taken], label=_("Method")
        )
        self.fields["model"] = forms.ChoiceField(
            required=False,
            choices=[
                ("", _("the one for the method and the language")),
                *((name, name) for name in dict.fromkeys(self.models())),
            ],
            label=_("Model"),
        )
        self.fields["preset"] = forms.ChoiceField(
            required=False,
            choices=[("", _("the one for the genre")), *((key, key) for key in PRESETS)],
            label=_("Preset"),
            help_text=_("How wide the search is; poem_evaluation is the widest and the slowest."),
        )
        self.fields["form"] = forms.ChoiceField(
            required=False,
            choices=[("", _("each method's own choice")), *REGULATED],
            label=_("Form of the poems"),
            help_text=_("One form for all methods, so that it does not tell them apart. Ignored for prose."),
        )
        self.order_fields(["method", "form", "model", "preset", "seed"])

    def models(self) -> list[str]:
        """Return the models that can be named; those that engines serve also before a worker takes them."""
        return [*known_models(Worker.objects.seen_lately()), *settings.LANGUAGE_MODEL_SERVERS]
