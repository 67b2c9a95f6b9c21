"""Forms of several rows: the criteria of a study, and the questions of the form that comes with its consent."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import asdict, dataclass
from itertools import chain, count
from typing import Any, cast

from django import forms
from django.utils.text import slugify
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from annotations.models import Criterion, Study
from annotations.models.bounds import LONGEST_TEXT
from annotations.models.texts_by_language import TextsByLanguage, name_in
from annotations.protocols.table import derived_choices
from annotations.recruiting.consent import LONGEST_LABEL, MOST_QUESTIONS, check_questions
from annotations.setup.forms import text_area
from annotations.setup.rubrics import (
    CRITERION_TEXTS,
    HIGHEST_SCORE,
    LONGEST_KEY,
    LOWEST_SCORE,
    MOST_CRITERIA,
    Rubric,
    RubricCriterion,
    checked_rubric,
)
from annotations.text_forms import TextInput, TextsForm
from generation.files.problems import FileRefused, Problems
from generation.refusals import Refused
from generation.web.fields import KeyField

BLANK_ROWS = 1


@dataclass(frozen=True)
class Move:
    """A button that moves a criterion: its row, counted from 0, and by how many places."""

    row: int
    by: int

    @classmethod
    def sent(cls, value: str) -> Move | None:
        """Return what a button sent, as in '2:-1'; None for anything else."""
        found = re.fullmatch(r"(\d{1,2}):(-?1)", value)
        return cls(int(found[1]), int(found[2])) if found else None


def key_of(label: TextsByLanguage, taken: Collection[str], otherwise: str = "criterion") -> str:
    """Return a key made of a name, or where it has no English letters a numbered word; one that is not taken."""
    made = next((key for text in label.values() if (key := slugify(text))), "")[: LONGEST_KEY - 3]
    tries = [made] if made else []
    numbers = (f"{made or otherwise}-{number}" for number in count(2 if made else 1))
    return next(key for key in chain(tries, numbers) if key not in taken)


class CriterionForm(TextsForm):
    """One criterion; a row without a key is none."""

    texts = {
        "label": TextInput(_("Name"), CRITERION_TEXTS["label"]),
        "question": TextInput(_("Question"), CRITERION_TEXTS["question"]),
        "low": TextInput(_("Words at the low end"), CRITERION_TEXTS["low"]),
        "high": TextInput(_("Words at the high end"), CRITERION_TEXTS["high"]),
    }
    key = KeyField(
        required=False,
        max_length=40,
        label=_("Key"),
        help_text=_(
            "Names the criterion in files: English letters, digits, - and _. Empty: it is made of the name."
        ),
    )
    minimum = forms.IntegerField(
        initial=1, min_value=LOWEST_SCORE, max_value=HIGHEST_SCORE, label=_("Lowest score")
    )
    maximum = forms.IntegerField(
        initial=5, min_value=LOWEST_SCORE, max_value=HIGHEST_SCORE, label=_("Highest score")
    )
    is_overall = forms.BooleanField(
        required=False, label=_("The overall one, by which the pick of the best is checked")
    )
    lower_is_better = forms.BooleanField(required=False, label=_("The lowest score is the best"))
    rates_turns = forms.BooleanField(
        required=False, label=_("Rates each turn as well, where a text is a dialogue")
    )
    is_slider = forms.BooleanField(
        required=False, label=_("A slider, as for 0 to 100, instead of a button for each point")
    )

    derived = forms.ChoiceField(
        required=False,
        choices=lambda: [("", gettext("rated by the evaluators")), *derived_choices()],
        label=_("Where its scores come from"),
    )

    field_order = [
        *texts,
        "minimum",
        "maximum",
        "lower_is_better",
        "rates_turns",
        "is_slider",
        "key",
        "is_overall",
        "derived",
    ]

    @property
    def name(self) -> str:
        """What the line of the criterion says: its name, in the language of the reader or the first that has one."""
        inputs = {code: name_in("label", code) for code in self.languages}
        reader = inputs.pop(next((one for one in inputs if one == get_language()), ""), None)
        names = [reader, *inputs.values()] if reader else list(inputs.values())
        return next((str(said) for one in names if (said := self[one].value())), "")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.has_changed() or cleaned.get("DELETE"):
            return cleaned
        if not cleaned["label"]:
            self.add_error(self.input_names(["label"])[0], gettext("Give the criterion a name."))
        low, high = cleaned.get("minimum"), cleaned.get("maximum")
        if low is not None and high is not None and low >= high:
            self.add_error("minimum", gettext("The lowest score must be below the highest."))
        return cleaned


def languages_of(study: Study) -> dict[str, Any]:
    """Return what makes the rows ask for the languages of a study alone."""
    return {"languages": study.interface_languages}


class BaseCriteriaFormSet(forms.BaseFormSet):  # type: ignore[type-arg]
    """The criteria of a study in the order of the page."""

    def clean(self) -> None:
        if any(self.errors):
            return
        self.make_keys()
        rows = self.criteria()
        keys = [row.key for row in rows]
        if not rows:
            raise forms.ValidationError(gettext("A study needs at least one criterion."))
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise forms.ValidationError(
                gettext("The key %(key)s stands twice; each criterion needs its own.") % {"key": twice[0]}
            )
        if sum(row.is_overall for row in rows) > 1:
            raise forms.ValidationError(gettext("Mark at most one criterion as the overall one."))
        try:
            # The rule for rubrics from files has the last word.
            checked_rubric({"genre": "poem", "criteria": [asdict(row) for row in rows]}, Problems(""))
        except FileRefused as refused:
            raise forms.ValidationError([str(problem) for problem in refused.found]) from refused

    def make_keys(self) -> None:
        """Give each new criterion without a key one that is made of its name."""
        cleaned = [form.cleaned_data for form in self.forms if not form.cleaned_data.get("DELETE")]
        taken = {row["key"] for row in cleaned if row.get("key")}
        for row in cleaned:
            if row.get("label") and not row.get("key"):
                row["key"] = key_of(row["label"], taken)
                taken.add(row["key"])

    def criteria(self) -> list[RubricCriterion]:
        """Return the criteria that were sent, without those to be taken out."""
        rows = [form.cleaned_data for form in self.forms if form.cleaned_data.get("key")]
        return [
            RubricCriterion(**{name: value for name, value in row.items() if name != "DELETE"})
            for row in rows
            if not row.get("DELETE")
        ]

    def rubric(self, study: Study, move: Move | None = None) -> Rubric:
        """Return the criteria that were sent as the rubric of a study, one of them moved by a place if so asked."""
        rows = self.criteria()
        if move and 0 <= move.row < len(rows) and 0 <= move.row + move.by < len(rows):
            rows.insert(move.row + move.by, rows.pop(move.row))
        return Rubric(genre=study.genre, criteria=tuple(rows))


CriteriaFormSet = forms.formset_factory(
    CriterionForm,
    formset=BaseCriteriaFormSet,
    extra=BLANK_ROWS,
    max_num=MOST_CRITERIA,
    absolute_max=MOST_CRITERIA,
    validate_max=True,
    can_delete=True,
)


def criteria_formset(study: Study, data: Any = None) -> BaseCriteriaFormSet:
    """Return the editor of a study's criteria."""
    names = [
        *CRITERION_TEXTS,
        "key",
        "minimum",
        "maximum",
        "is_overall",
        "lower_is_better",
        "rates_turns",
        "is_slider",
        "derived",
    ]
    rows = list(Criterion.objects.filter(study=study).values(*names))
    return cast("BaseCriteriaFormSet", CriteriaFormSet(data, initial=rows, form_kwargs=languages_of(study)))


class ConsentForm(TextsForm):
    """What evaluators agree to before their first page."""

    texts = {
        "consent": TextInput(
            _("Consent"),
            LONGEST_TEXT,
            rows=8,
            help_text=_("Evaluators agree to it before their first page. Empty: they are asked nothing."),
        )
    }


class QuestionForm(TextsForm):
    """One question of the short form; a row without a label is none."""

    texts = {"label": TextInput(_("Question"), LONGEST_LABEL)}
    kind = forms.ChoiceField(
        choices=[
            ("text", _("a line of text")),
            ("number", _("a number")),
            ("choice", _("one of several answers")),
        ],
        initial="text",
        label=_("Answered by"),
    )
    choices = forms.CharField(
        required=False,
        max_length=4000,
        label=_("Answers to choose from"),
        help_text=_("One a line; only where one of several is chosen."),
        widget=text_area(rows=3),
    )
    is_required = forms.BooleanField(required=False, label=_("Must be answered"))
    # What the answers are stored under; it stays when the words change.
    key = KeyField(required=False, max_length=40, widget=forms.HiddenInput)

    def question(self, key: str) -> dict[str, Any]:
        """Return the question as a study stores it."""
        cleaned = self.cleaned_data
        choices = [line.strip() for line in cleaned["choices"].splitlines()]
        return {
            "key": cleaned["key"] or key,
            "kind": cleaned["kind"],
            "label": dict(cleaned["label"]),
            "choices": [choice for choice in choices if choice],
            "is_required": cleaned["is_required"],
        }


class BaseQuestionFormSet(forms.BaseFormSet):  # type: ignore[type-arg]
    """The short form of a study, in its order."""

    def clean(self) -> None:
        if any(self.errors):
            return
        try:
            check_questions(self.questions())
        except Refused as bad:
            raise forms.ValidationError(list(bad.reasons)) from bad

    def questions(self) -> list[dict[str, Any]]:
        """Return the questions that were sent, without those to be taken out; new ones get the next free key."""
        kept = [
            form
            for form in self.forms
            if (form.has_changed() and not form.cleaned_data.get("DELETE"))
            or (form.cleaned_data.get("key") and not form.cleaned_data.get("DELETE"))
        ]
        taken = {form.cleaned_data.get("key") for form in kept}
        free = (f"q{number}" for number in range(1, 1000) if f"q{number}" not in taken)
        return [form.question("" if form.cleaned_data.get("key") else next(free)) for form in kept]


QuestionFormSet = forms.formset_factory(
    QuestionForm,
    formset=BaseQuestionFormSet,
    extra=BLANK_ROWS,
    max_num=MOST_QUESTIONS,
    absolute_max=MOST_QUESTIONS,
    validate_max=True,
    can_delete=True,
)


def question_formset(study: Study, data: Any = None) -> BaseQuestionFormSet:
    """Return the editor of a study's short form."""
    rows = [{**question, "choices": "\n".join(question["choices"])} for question in study.questions]
    return cast(
        "BaseQuestionFormSet",
        QuestionFormSet(data, initial=rows, prefix="questions", form_kwargs=languages_of(study)),
    )
