"""What those who set a study up may send: its beginning, its words and rules, its material."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from annotations.access.fixed import changeable_fields
from annotations.models import Study, StudyMethod
from annotations.models.bounds import LONGEST_TEXT, bounds_of
from annotations.models.texts_by_language import longest_text
from annotations.protocols.table import protocol_choices
from annotations.setup.material import MethodCheck
from annotations.setup.rubrics import READY_MADE, Rubric, load_rubric
from annotations.setup.uploads.forms import MaterialForm
from annotations.setup.uploads.reading import prompts_in, rubric_in
from annotations.text_forms import TextInput, TextsForm
from annotations.uploads.forms import FileForm
from generation.refusals import Refused
from generation.web.fields import KeyField

TABLES = ".csv,.tsv,.txt,.jsonl,.json,.xlsx,.parquet"


def rubric_choices() -> list[tuple[str, str]]:
    """Return the ready-made rubrics in words, and the choice of one's own."""
    return [
        *((name, rubric_in_words(load_rubric(name))) for name in READY_MADE),
        ("file", gettext("A rubric of your own, from a file")),
    ]


def rubric_in_words(rubric: Rubric) -> str:
    """Return the title of a rubric with the names of its criteria, in the reader's language."""
    criteria = pgettext("list", ", ").join(str(criterion.label).lower() for criterion in rubric.criteria)
    return gettext("%(title)s: %(criteria)s") % {"title": rubric.title, "criteria": criteria}


class RubricForm(FileForm):
    """Which criteria a study asks by: ready-made ones or those of a file."""

    rubric = forms.ChoiceField(
        choices=rubric_choices,
        initial="poem",
        widget=forms.RadioSelect,
        label=_("Criteria"),
        help_text=_("You can change every criterion afterwards."),
    )
    rubric_file = forms.FileField(
        required=False,
        label=_("File with a rubric (optional)"),
        help_text=_("JSON, in the form of fixtures/rubrics/poem.json."),
        widget=forms.FileInput(attrs={"accept": ".json"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        chosen, upload = cleaned.get("rubric"), cleaned.get("rubric_file")
        if chosen == "file" and upload is None and "rubric_file" not in self.errors:
            self.add_error("rubric_file", gettext("Choose the file with your rubric."))
        elif chosen:
            self.read_rubric(chosen, upload)
        return cleaned

    def read_rubric(self, chosen: str, upload: UploadedFile[Any] | None) -> None:
        try:
            if chosen in READY_MADE:
                self.cleaned_data["rubric"] = load_rubric(chosen)
            elif upload is not None:
                self.cleaned_data["rubric"] = rubric_in(upload)
        except Refused as refused:
            self.refuse("rubric_file", refused)

    @property
    def chosen_rubric(self) -> Rubric:
        """The rubric of a valid form."""
        rubric: Rubric = self.cleaned_data["rubric"]
        return rubric


class ReplaceCriteriaForm(RubricForm):
    """The rubric whose criteria take the place of all that a study has."""

    is_meant = forms.BooleanField(
        label=_("Replace all criteria that the study has now. This cannot be undone."),
        error_messages={"required": _("Tick the box to replace what there is.")},
    )


class NewStudyForm(TextsForm, RubricForm):
    """What a study begins with."""

    texts = {
        "title": TextInput(
            pgettext_lazy("study", "Title"),
            longest_text(Study, "title"),
            help_text=_("One language is enough. Evaluators read it."),
            missing=_("Give the study a title."),
        )
    }
    slug = KeyField(
        max_length=80,
        label=_("Name in addresses"),
        help_text=_("English letters, digits, - and _, such as tang-poems-2026. It cannot be changed."),
    )

    field_order = ["title", "slug", "rubric", "rubric_file"]


def text_area(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class SettingsForm(TextsForm):
    """The words and the rules of a study; what can no longer change is shown and not taken."""

    texts = {
        "title": TextInput(
            pgettext_lazy("study", "Title"),
            longest_text(Study, "title"),
            missing=_("Give the study a title."),
        ),
        "instructions": TextInput(_("Instructions"), LONGEST_TEXT, rows=4),
    }
    interface_languages = forms.MultipleChoiceField(
        choices=lambda: settings.LANGUAGES,
        widget=forms.CheckboxSelectMultiple,
        label=_("Languages of the pages"),
        help_text=_("Evaluators can read the study in these. Its words are asked for in each of them."),
    )
    contact = forms.CharField(
        required=False,
        max_length=200,
        label=_("Contact"),
        help_text=_("Whom evaluators may ask, such as a name with an e-mail address."),
    )
    normalisation = forms.ChoiceField(
        choices=Study.Normalisation.choices,
        widget=forms.RadioSelect,
        label=_("Rule for the texts"),
        help_text=_(
            "How what evaluators see is made of the texts. The texts are stored and exported as they were written."
        ),
    )
    rendering = forms.ChoiceField(
        choices=Study.Rendering.choices,
        widget=forms.RadioSelect,
        label=_("Rendering of the texts"),
        help_text=_("The same for all texts of the study. The preview shows it."),
    )
    text_language = forms.CharField(
        max_length=35,
        widget=forms.TextInput(attrs={"size": 10, "class": "short"}),
        label=_("Language of the texts"),
        help_text=_("A language tag such as en, zh-Hans, pt-BR or ar. An upload guesses it by the script."),
    )
    protocol = forms.ChoiceField(
        required=False,
        choices=protocol_choices,
        widget=forms.RadioSelect,
        label=_("Protocol"),
        help_text=_("What evaluators do on a page, for each criterion."),
    )
    preference_scale = forms.ChoiceField(
        required=False,
        choices=Study.PreferenceScale.choices,
        widget=forms.RadioSelect,
        label=_("Answers where two texts are compared"),
        help_text=_("Only for pairwise."),
    )
    candidates_per_page = forms.IntegerField(
        required=False,
        **bounds_of(Study, "candidates_per_page"),
        label=_("Texts on a page"),
        help_text=_(
            "Of those of a prompt; empty: all of them. Which ones is drawn for each evaluator and page, so that every"
            " two methods stand together equally often. Pairwise pages have two."
        ),
    )
    reasons = forms.ChoiceField(
        required=False,
        choices=Study.Reasons.choices,
        widget=forms.RadioSelect,
        label=_("Reasons may be written"),
        help_text=_("Why somebody answers so, in their own words; never asked for, and exported."),
    )
    has_corrections = forms.BooleanField(
        required=False,
        label=_("Texts may be corrected"),
        help_text=_("Evaluators may write how a text should have been; the results show what they changed."),
    )
    has_best_picks = forms.BooleanField(
        required=False,
        label=_("Ask for the best text of each page"),
        help_text=_(
            "Beside the ratings. Whoever often picks a text that is not the highest rated can be left out."
        ),
    )
    allows_missing_texts = forms.BooleanField(
        required=False,
        label=_("Methods may lack texts for some prompts"),
        help_text=_(
            "Set this before the upload. Each prompt still needs texts by two methods; the report says it."
        ),
    )
    prompts_per_subtask = forms.IntegerField(
        **bounds_of(Study, "prompts_per_subtask"),
        label=_("Prompts in a sub-task"),
        help_text=_("What one evaluator does in one sitting. The last sub-task takes the rest."),
    )
    evaluators_per_subtask = forms.IntegerField(
        required=False,
        **bounds_of(Study, "evaluators_per_subtask"),
        label=_("Evaluators for each sub-task"),
        help_text=_("Leave both this and the next empty, and everybody rates everything."),
    )
    subtasks_per_evaluator = forms.IntegerField(
        required=False, **bounds_of(Study, "subtasks_per_evaluator"), label=_("Sub-tasks for each evaluator")
    )
    days_to_rate = forms.IntegerField(
        **bounds_of(Study, "days_to_rate"),
        label=_("Days to rate"),
        help_text=_("From the day on which an evaluator is enrolled."),
    )
    hours_to_give_back = forms.IntegerField(
        **bounds_of(Study, "hours_to_give_back"),
        label=_("Hours until a sub-task is given back"),
        help_text=_(
            "Where sub-tasks are shared out: one without a single answer for so long goes to another evaluator."
        ),
    )
    inconsistency_threshold = forms.DecimalField(
        **bounds_of(Study, "inconsistency_threshold"),
        label=_("Largest share of inconsistent pages"),
        help_text=_(
            "A page is inconsistent when the text picked as the best has not the highest overall score. Evaluators"
            " with more such pages do not count. 0.2 is a fifth."
        ),
    )
    payment = forms.DecimalField(
        **bounds_of(Study, "payment"),
        label=_("Payment of a valid evaluator"),
        help_text=_("0 where nobody is paid. A group of evaluators can have its own."),
    )
    currency = forms.CharField(
        **bounds_of(Study, "currency"),
        widget=forms.TextInput(attrs={"size": 3, "class": "short"}),
        label=_("Currency"),
        help_text=_("The code in three capital letters, such as CNY."),
    )

    GROUPS = (
        (_("Words"), ("interface_languages", "title", "instructions", "contact")),
        (_("What is shown"), ("normalisation", "rendering", "text_language", "allows_missing_texts")),
        (
            _("What is asked"),
            (
                "protocol",
                "preference_scale",
                "candidates_per_page",
                "has_best_picks",
                "reasons",
                "has_corrections",
            ),
        ),
        (_("Who rates what"), ("prompts_per_subtask", "evaluators_per_subtask", "subtasks_per_evaluator")),
        (_("Time"), ("days_to_rate", "hours_to_give_back")),
        (_("Who counts"), ("inconsistency_threshold",)),
        (_("Payment"), ("payment", "currency")),
    )

    def __init__(self, study: Study, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {name: getattr(study, name) for name in (*self.texts, *self.base_fields)}
        super().__init__(*args, languages=study.interface_languages, **kwargs)
        may_change = self.input_names(changeable_fields(study))
        for name, field in self.fields.items():
            field.disabled = name not in may_change

    def clean_protocol(self) -> str:
        """Return the chosen protocol; where none was sent it stays."""
        return str(self.cleaned_data["protocol"] or self.initial["protocol"])

    def clean_preference_scale(self) -> str:
        """Return the chosen answers of pairwise; where none were sent they stay."""
        return str(self.cleaned_data["preference_scale"] or self.initial["preference_scale"])

    def clean_reasons(self) -> str:
        """Return where reasons may be written; where nothing was sent it stays."""
        return str(self.cleaned_data["reasons"] or self.initial["reasons"])

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the fields under their headings."""
        return [
            (str(heading), [self[name] for name in self.input_names(names)]) for heading, names in self.GROUPS
        ]


class CandidatesForm(FileForm):
    """A file with prompts and candidates."""

    candidates = forms.FileField(
        label=_("File with candidates"),
        help_text=_(
            "A table (CSV, JSON, XLSX or Parquet) with one row a text or one column a method. You say next what its"
            " columns are. Every prompt needs one text by every method, unless the settings of the study"
            " allow some to be missing; texts by further methods can be added from further files."
        ),
        widget=forms.FileInput(attrs={"accept": TABLES}),
    )


class PromptsForm(MaterialForm):
    """Prompts alone, typed or in a file, for methods that are still to write."""

    prompts = forms.CharField(
        required=False,
        strip=False,
        label=_("Prompts"),
        help_text=_("One a line."),
        widget=text_area(rows=6),
    )
    prompts_file = forms.FileField(
        required=False,
        label=_("Or a file with prompts"),
        help_text=_(
            "One prompt a line, or a table (CSV, JSON, XLSX or Parquet) with one row a prompt. Where the file does not"
            " say it by itself, you say next how it is read."
        ),
        widget=forms.FileInput(attrs={"accept": TABLES}),
    )

    def __init__(self, study: Study, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.study = study
        self.order_fields(["prompts", "prompts_file", "adds", "is_meant"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        typed, upload = cleaned.get("prompts", "").strip(), cleaned.get("prompts_file")
        if not self.errors and bool(typed) == (upload is not None):
            self.add_error("prompts", gettext("Type the prompts or choose a file, one of the two."))
        elif typed and not self.errors:
            try:
                cleaned["file"] = prompts_in(cleaned["prompts"], self.study)
            except Refused as refused:
                self.refuse("prompts", refused)
        return cleaned


class LabelsForm(forms.Form):
    """What each method is called in a study; an empty field leaves it the name that it has elsewhere."""

    prefix = "label"

    def __init__(self, methods: Sequence[MethodCheck], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for method in methods:
            self.fields[method.key] = forms.CharField(
                required=False,
                **bounds_of(StudyMethod, "label"),
                label=method.own_name,
                initial="" if method.label == method.own_name else method.label,
            )

    def labels(self) -> dict[str, str]:
        """Return the labels that were sent, by the keys of their methods."""
        return {key: label for key, label in self.cleaned_data.items() if self.add_prefix(key) in self.data}
