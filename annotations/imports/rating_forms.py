"""What those may send who bring ratings along: the files, then how they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from annotations.imports.rating_columns import ROLES, Reading, read_words
from annotations.models import Study
from annotations.models.numbers import LARGEST_SCORE
from annotations.models.texts_by_language import longest_text
from annotations.text_forms import TextInput, TextsForm
from annotations.uploads.forms import FileForm
from generation.genres import genre_choices
from generation.refusals import Refused

if TYPE_CHECKING:
    from annotations.imports.rating_summary import CriterionFound

ACCEPTED = ".csv,.tsv,.txt,.json,.jsonl,.xlsx,.parquet"
# What a column can be, in the reader's words.
ROLE_WORDS = {
    "": _("not used"),
    "evaluator": pgettext_lazy("column", "evaluator"),
    "prompt": pgettext_lazy("column", "prompt"),
    "method": pgettext_lazy("column", "method"),
    "criterion": pgettext_lazy("column", "criterion"),
    "score": pgettext_lazy("column", "the score"),
    "scores": pgettext_lazy("column", "scores on a criterion of its own"),
    "raters": pgettext_lazy("column", "scores by a rater without a name"),
    "questions": pgettext_lazy("column", "a question of a form"),
    "text": pgettext_lazy("column", "the text that was rated"),
    "prompt_text": pgettext_lazy("column", "the prompt's text"),
    "text_id": pgettext_lazy("column", "id of the text"),
    "kind": pgettext_lazy("column", "rating or best pick"),
    "position": pgettext_lazy("column", "place on the page"),
    "best": pgettext_lazy("column", "picked as the best"),
    "answered_at": pgettext_lazy("column", "time"),
    "group": pgettext_lazy("column", "group of evaluators"),
    "domain": pgettext_lazy("column", "domain of the prompt"),
    "a": pgettext_lazy("column", "first of two methods"),
    "b": pgettext_lazy("column", "second of two methods"),
    "winner": pgettext_lazy("column", "the better of two"),
    "loser": pgettext_lazy("column", "the worse of two"),
}


# The kinds of text that the site knows, in the reader's words.
GENRE_WORDS = {
    "poem": pgettext_lazy("kind of text", "poem"),
    "qa": pgettext_lazy("kind of text", "question and answer"),
    "summary": pgettext_lazy("kind of text", "summary"),
    "text": pgettext_lazy("kind of text", "text"),
}


def kinds_of_text() -> list[tuple[str, Any]]:
    return [(key, GENRE_WORDS.get(key, label)) for key, label in genre_choices()]


class SeveralFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class SeveralFilesField(forms.FileField):
    """One file or several of one shape."""

    widget = SeveralFilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        files = data if isinstance(data, list | tuple) else [data]
        return [super(SeveralFilesField, self).clean(one, initial) for one in files]


class UploadForm(forms.Form):
    """The files with the ratings, and where these name texts by an id a table of the texts."""

    ratings = SeveralFilesField(
        label=_("Files with ratings"),
        help_text=_(
            "CSV, TSV, JSON, JSON Lines, XLSX or Parquet; several files of one shape, such as Potato's user_state.json"
            " of each annotator."
        ),
        widget=SeveralFilesInput(attrs={"accept": ACCEPTED}),
    )
    texts = forms.FileField(
        required=False,
        label=_("Table of texts (optional)"),
        help_text=_(
            "Where the ratings name texts by an id, or a form has a column a question: the columns id, prompt, method"
            " and, if known, criterion and text."
        ),
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
    )


class ReadingForm(TextsForm, FileForm):
    """How the files are read, and what the study is called."""

    texts = {"title": TextInput(pgettext_lazy("study", "Title"), longest_text(Study, "title"))}
    slug = forms.SlugField(
        max_length=80,
        label=_("Name in addresses"),
        help_text=_("English letters, digits, - and _, such as tang-poems-2026. It cannot be changed."),
    )
    genre = forms.ChoiceField(choices=kinds_of_text, initial="text", label=_("Kind of the texts"))
    words = forms.CharField(
        required=False,
        max_length=2_000,
        label=_("Points that words stand for"),
        help_text=_("Such as splendid=5, dull=2. Usual answers such as Good or Strongly agree are known."),
    )
    threshold = forms.DecimalField(
        required=False,
        min_value=0,
        max_value=1,
        max_digits=4,
        decimal_places=3,
        label=_("Largest share of inconsistent pages"),
        help_text=_(
            "Empty: everybody counts. Else only whoever rated everything and has at most this share."
        ),
    )
    hides_names = forms.BooleanField(required=False, label=_("Call the evaluators E001, E002 and so on"))
    keeps_off_scale = forms.BooleanField(required=False, label=_("Keep and flag scores off their scale"))

    def __init__(
        self,
        columns: Sequence[str],
        *args: Any,
        encoding: str = "",
        sheet: str = "",
        sheets: Sequence[str] = (),
        shown_sheet: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.columns, self.encoding, self.sheet = columns, encoding, sheet
        self.sheets, self.shown_sheet = sheets, shown_sheet
        for number, column in enumerate(columns):
            self.fields[f"column-{number}"] = forms.ChoiceField(
                required=False, choices=list(ROLE_WORDS.items()), label=column
            )

    def add_criteria(self, criteria: Sequence[CriterionFound]) -> None:
        """Add the fields of the scales that were found."""
        for number, one in enumerate(criteria):
            for name, label, value in (
                ("minimum", _("Lowest score"), one.minimum),
                ("maximum", _("Highest score"), one.maximum),
            ):
                self.fields[f"{name}-{number}"] = forms.FloatField(
                    label=label, initial=f"{value:g}", min_value=-LARGEST_SCORE, max_value=LARGEST_SCORE
                )
            self.fields[f"lower-{number}"] = forms.BooleanField(
                required=False, label=_("The lowest score is the best"), initial=one.lower_is_better
            )
        self.criteria = [one.key for one in criteria]
        self.fields["overall"] = forms.ChoiceField(
            required=False,
            choices=[("", _("none")), *((one.key, one.label) for one in criteria)],
            label=_("Overall criterion"),
            initial=next((one.key for one in criteria if one.is_overall), ""),
        )

    def sent(self) -> dict[str, Any]:
        """Return what was sent, for a page that shows it again without a word of what is still missing."""
        return {
            name: field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
            for name, field in self.fields.items()
        }

    def column_fields(self) -> list[forms.BoundField]:
        return [self[f"column-{number}"] for number in range(len(self.columns))]

    def study_fields(self) -> list[forms.BoundField]:
        names = ("title", "slug", "genre", "words", "threshold", "hides_names", "keeps_off_scale")
        return [self[name] for name in self.input_names(names)]

    def chosen(self) -> Reading:
        """Return the reading that was sent; raise `Refused` for words that are none."""
        sent: Mapping[str, Any] = self.data
        columns: dict[str, tuple[str, ...]] = {}
        for number, column in enumerate(self.columns):
            role = sent.get(f"column-{number}", "")
            if role in ROLES:
                columns[role] = (*columns.get(role, ()), column)
        return Reading(
            columns=columns,
            words=read_words(str(sent.get("words", ""))),
            overall=str(sent.get("overall", "")),
            hides_names=bool(sent.get("hides_names")),
            keeps_off_scale=bool(sent.get("keeps_off_scale")),
            threshold=str(sent.get("threshold", "")).strip(),
            encoding=self.encoding,
            sheet=self.sheet,
            **self.chosen_scales(),
        )

    def chosen_scales(self) -> dict[str, Any]:
        """Return the scales that were sent for the criteria that were shown."""
        keys = [key for key in str(self.data.get("criteria", "")).split(",") if key]
        scales, lower = {}, []
        for number, key in enumerate(keys):
            try:
                scales[key] = float(self.data[f"minimum-{number}"]), float(self.data[f"maximum-{number}"])
            except (KeyError, ValueError) as error:
                raise Refused(gettext("Give both ends of the scale of %(key)s.") % {"key": key}) from error
            if not scales[key][0] < scales[key][1]:
                raise Refused(gettext("The lowest score must be below the highest."))
            if self.data.get(f"lower-{number}"):
                lower.append(key)
        return {"scales": scales, "lower_is_better": tuple(lower)}
