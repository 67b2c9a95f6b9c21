"""What staff may send to have texts written for a study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotations.models import Study
from annotations.setup.runs import methods_complete
from generation.compose.forms import REGULATED
from generation.methods import METHODS, PRESETS
from generation.models import Worker, method_name
from generation.runs.notifications import known_models
from generation.runs.runs import LARGEST_SEED

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

PRESET_NAMES: dict[str, _StrPromise] = {
    "qa": _("for answers"),
    "qa_paragraph": _("for answers of one paragraph"),
    "poem": _("for poems"),
    "poem_evaluation": _("for poems, the widest and slowest"),
    "authors": _("for poems, as the authors' code searches"),
}
OTHER_NAMES: dict[str, _StrPromise] = {
    "sampling": _("the prompting baseline, under the name that other papers give it"),
}


def method_words(key: str) -> str:
    """Return what a method is called, and how it writes."""
    how = gettext(METHODS[key].how) if METHODS[key].how else str(OTHER_NAMES.get(key, ""))
    return gettext("%(method)s: %(how)s") % {"method": method_name(key), "how": how}


def preset_words(key: str) -> str:
    """Return what a preset is for, and how wide its search is."""
    search = PRESETS[key]
    words = gettext("%(what)s (%(preset)s): %(beams)d beams of %(samples)d samples")
    return words % {
        "what": PRESET_NAMES.get(key, key),
        "preset": key,
        "beams": search.beams,
        "samples": search.samples,
    }


class RunForm(forms.Form):
    """A run over the prompts of a study that lack a text by its method.

    First comes the method that the study has for some prompts alone, as after further prompts were added.
    """

    seed = forms.IntegerField(
        min_value=0,
        max_value=LARGEST_SEED,
        initial=0,
        label=_("Seed"),
        help_text=_("The same seed gives the same texts, with the same model and versions."),
    )

    def __init__(self, study: Study, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        complete = methods_complete(study)
        # Those that the study has, for some prompts only, come first.
        offered = sorted(
            (key for key in METHODS if not complete.get(key)), key=lambda key: key not in complete
        )
        self.fields["method"] = forms.ChoiceField(
            choices=[(key, method_words(key)) for key in offered],
            initial=next(iter(offered), None),
            label=_("Method"),
            widget=forms.RadioSelect,
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
            choices=[
                ("", _("the usual one for this kind of text")),
                *((key, preset_words(key)) for key in PRESETS),
            ],
            label=_("Preset"),
            help_text=_("How wide the search is: the wider, the slower."),
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
