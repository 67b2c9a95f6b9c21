"""What those who run a study may send of a judge's scores."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from annotations.judges.judges import About
from annotations.models import Judge, Study
from annotations.models.bounds import bounds_of
from annotations.setup.forms import TABLES, FileForm
from generation.web.encodings import EncodingField


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
        self.fields["own_methods"] = forms.MultipleChoiceField(
            choices=[(one.method.key, one.name) for one in study.study_methods.select_related("method")],
            required=False,
            widget=forms.CheckboxSelectMultiple,
            label=_("Methods of the judge's own family"),
            help_text=_("Whether it favours them is looked at."),
        )
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
