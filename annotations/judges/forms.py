"""What those who run a study may send of a judge's scores."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from annotations.judges.judges import About
from annotations.judges.runs import MOST_ORDERS, MOST_REPEATS, MOST_TOKENS, Asking
from annotations.models import Judge, JudgeRun, Study
from annotations.models.bounds import bounds_of
from annotations.setup.forms import TABLES
from annotations.uploads.forms import FileForm
from generation.web.encodings import EncodingField


def own_methods_field(study: Study) -> forms.MultipleChoiceField:
    """Return the field that asks which methods of a study are of the judge's own family."""
    return forms.MultipleChoiceField(
        choices=[(one.method.key, one.name) for one in study.study_methods.select_related("method")],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=_("Methods of the judge's own family"),
        help_text=_("Whether it favours them is looked at."),
    )


class ScoresForm(FileForm):
    """A file with the scores of a judge or metric, and what has to be known about them."""

    scores = forms.FileField(
        label=_("File with scores"),
        help_text=_(
            "A table (CSV, JSON, XLSX or Parquet) with the columns prompt, method and score, and if there are such"
            " criterion, repeat and position. A score without a criterion is compared with every one."
        ),
        widget=forms.FileInput(attrs={"accept": TABLES}),
    )
    key = forms.SlugField(
        **bounds_of(Judge, "key"),
        label=_("Short name"),
        help_text=_("Letters, digits, hyphens and underscores, such as comet-22."),
    )
    label = forms.CharField(
        **bounds_of(Judge, "label"),
        required=False,
        label=_("Name in reports"),
        help_text=_("The short name if empty."),
    )
    version = forms.CharField(
        **bounds_of(Judge, "version"),
        required=False,
        label=_("Version"),
        help_text=_("What exactly made the scores: model, version, prompt."),
    )
    saw_answers = forms.ChoiceField(
        choices=Judge.SawAnswers.choices,
        widget=forms.RadioSelect,
        label=_("Were people's answers in sight when the scores were made?"),
        help_text=_(
            "For tuning, for choosing the prompt or the judge. Nobody can find it out later; the report prints it."
        ),
        error_messages={"required": _("Say whether people's answers were in sight.")},
    )
    has_own_scale = forms.BooleanField(
        required=False, label=_("The scores have a scale of their own, as those of metrics do")
    )
    sampling = forms.ChoiceField(
        choices=Judge.Sampling.choices,
        initial=Judge.Sampling.ALL,
        widget=forms.RadioSelect,
        label=_("Prompts that nobody rates"),
        help_text=_(
            "Only where prompts were drawn at random can scores stand in for those that nobody rated."
        ),
    )
    columns = forms.CharField(
        required=False,
        max_length=500,
        label=_("Columns of other names"),
        help_text=_("As in prompt=doc, score=bleurt."),
    )
    replaces = forms.BooleanField(
        required=False, label=_("Replace the scores that this judge has now. This cannot be undone.")
    )
    encoding = EncodingField()

    def __init__(self, study: Study, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["own_methods"] = own_methods_field(study)
        if not self.is_bound:
            # Most files tell their encoding by themselves: it is asked for where one did not.
            del self.fields["encoding"]
        self.order_fields(
            [name for name in self.fields if name not in ("columns", "replaces", "encoding")]
            + ["columns", "replaces", "encoding"]
        )

    def about(self) -> About:
        """Return what was said of the scores."""
        said = self.cleaned_data
        return About(
            key=said["key"],
            label=said["label"],
            version=said["version"],
            saw_answers=said["saw_answers"],
            has_own_scale=said["has_own_scale"],
            sampling=said["sampling"],
            own_methods=tuple(said["own_methods"]),
        )


class AskingForm(forms.Form):
    """How a served language model is asked to rate, and what it may cost."""

    prefix = "ask"

    key = forms.SlugField(**bounds_of(Judge, "key"), label=_("Short name"))
    orders = forms.IntegerField(
        min_value=1,
        max_value=MOST_ORDERS,
        initial=2,
        label=_("Orders of the texts"),
        help_text=_(
            "Each page is asked once in each, balanced as for evaluators; 2 show both orders of a pair."
        ),
    )
    repeats = forms.IntegerField(min_value=1, max_value=MOST_REPEATS, initial=1, label=_("Repeats"))
    temperature = forms.FloatField(min_value=0, max_value=2, initial=0, label=_("Temperature"))
    probe = forms.ChoiceField(
        choices=JudgeRun.Probe.choices, required=False, label=_("What is asked"), widget=forms.RadioSelect
    )
    most_tokens = forms.IntegerField(
        min_value=1,
        max_value=MOST_TOKENS,
        initial=1_000_000,
        label=_("Most tokens"),
        help_text=_("Counted before anything is sent, as if no token were longer than a byte."),
    )
    most_money = forms.DecimalField(
        min_value=0,
        max_digits=12,
        decimal_places=4,
        required=False,
        label=_("Most money (optional)"),
        help_text=_("By the prices that the setting of the server has."),
    )

    def __init__(self, study: Study, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["server"] = forms.ChoiceField(
            choices=[(name, name) for name in settings.LANGUAGE_MODEL_SERVERS], label=_("Server")
        )
        self.fields["own_methods"] = own_methods_field(study)
        self.order_fields(["key", "server", "probe", "orders", "repeats", "temperature"])

    def asking(self) -> Asking:
        """Return how the model is to be asked."""
        said = self.cleaned_data
        names = ("server", "orders", "repeats", "temperature")
        return Asking(**{name: said[name] for name in names}, own_methods=tuple(said["own_methods"]))


class BudgetForm(forms.Form):
    """Another budget for a run that goes on."""

    most_tokens = forms.IntegerField(min_value=1, max_value=MOST_TOKENS, required=False)
