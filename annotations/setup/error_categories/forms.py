"""The editor of the severities and categories of errors: one a row, the penalties of a category beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotations.models import Study
from annotations.models.protocols.spans import LARGEST_WEIGHT, MOST_CATEGORIES, MOST_SEVERITIES
from annotations.setup.error_categories.rows import (
    CATEGORY_TEXTS,
    SEVERITY_TEXTS,
    RubricCategory,
    RubricSeverity,
    check_weights,
)
from annotations.setup.row_forms import Move, key_of
from annotations.text_forms import TextInput, TextsForm
from generation.files.problems import Problems
from generation.web.fields import KeyField

OF_SEVERITY = "penalty_"


def weight_field(label: Any, **more: Any) -> forms.FloatField:
    return forms.FloatField(
        label=label, min_value=0, max_value=LARGEST_WEIGHT,
        widget=forms.NumberInput(attrs={"class": "short", "step": "any"}), **more,
    )  # fmt: skip


class KindForm(TextsForm):
    """A severity or a category; a row without a name is none."""

    texts = {"label": TextInput(_("Name"), SEVERITY_TEXTS["label"])}
    key = KeyField(
        required=False,
        max_length=40,
        label=_("Key"),
        help_text=_(
            "Names it in files: small English letters, digits, - and _. Empty: it is made of the name."
        ),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.has_changed() and not cleaned["label"] and not cleaned.get("DELETE"):
            self.add_error(self.input_names(["label"])[0], gettext("Give it a name, or take it out."))
        return cleaned


class SeverityForm(KindForm):
    """How grave an error is."""

    weight = weight_field(_("Penalty of one error"), initial=1)
    field_order = ["label", "weight", "key"]


class CategoryForm(KindForm):
    """A kind of error; `severities` are the keys and names of those that an own penalty can be given for."""

    texts = {
        "label": TextInput(_("Name"), CATEGORY_TEXTS["label"]),
        "description": TextInput(_("What counts as one"), CATEGORY_TEXTS["description"]),
    }
    weight = weight_field(
        _("Weight"),
        initial=1,
        help_text=_("Multiplies the penalty of the severity, where none stands below."),
    )
    is_missing = forms.BooleanField(
        required=False, label=_("Something that should be there and is not: marked at a place, or nowhere")
    )

    def __init__(self, *args: Any, severities: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.severities = severities
        for key, label in severities:
            self.fields[OF_SEVERITY + key] = weight_field(
                gettext("Penalty where it is %(severity)s") % {"severity": label}, required=False
            )
            self.initial[OF_SEVERITY + key] = dict(self.initial.get("penalties") or {}).get(key)
        own = [OF_SEVERITY + key for key, _label in severities]
        self.order_fields(self.input_names(["label", "description", "is_missing", "weight", *own, "key"]))

    def penalties(self) -> dict[str, float]:
        """Return the penalties that were given by severity."""
        given = {key: self.cleaned_data.get(OF_SEVERITY + key) for key, _label in self.severities}
        return {key: float(penalty) for key, penalty in given.items() if penalty is not None}


class BaseKindFormSet(forms.BaseFormSet):  # type: ignore[type-arg]
    """Severities or categories in their order."""

    def clean(self) -> None:
        if any(self.errors):
            return
        taken = {form.cleaned_data["key"] for form in self.kept() if form.cleaned_data.get("key")}
        for form in self.kept():
            if not form.cleaned_data["key"]:
                form.cleaned_data["key"] = key_of(form.cleaned_data["label"], taken, otherwise="kind")
                taken.add(form.cleaned_data["key"])

    def kept(self) -> list[forms.Form]:
        """Return the rows with a name that are not to be taken out."""
        return [
            form
            for form in self.forms
            if form.cleaned_data.get("label") and not form.cleaned_data.get("DELETE")
        ]

    def rows(self, move: Move | None = None) -> list[dict[str, Any]]:
        """Return the rows as a rubric has them, one of them moved by a place if so asked."""
        found = [self.row(form) for form in self.kept()]
        if move and 0 <= move.row < len(found) and 0 <= move.row + move.by < len(found):
            found.insert(move.row + move.by, found.pop(move.row))
        return found

    def row(self, form: Any) -> dict[str, Any]:
        names = ("key", "label", "weight")
        return {name: form.cleaned_data[name] for name in names}


class BaseCategoryFormSet(BaseKindFormSet):
    def row(self, form: Any) -> dict[str, Any]:
        more = ("description", "is_missing")
        return (
            super().row(form)
            | {name: form.cleaned_data[name] for name in more}
            | {"penalties": form.penalties()}
        )


def _factory(form: type[KindForm], formset: type[BaseKindFormSet], most: int) -> Any:
    return forms.formset_factory(
        form, formset=formset, extra=2, max_num=most, absolute_max=most, validate_max=True, can_delete=True
    )


SeverityFormSet = _factory(SeverityForm, BaseKindFormSet, MOST_SEVERITIES)
CategoryFormSet = _factory(CategoryForm, BaseCategoryFormSet, MOST_CATEGORIES)


def severity_formset(study: Study, data: Mapping[str, Any] | None = None) -> BaseKindFormSet:
    """Return the editor of a study's severities, from the lightest on."""
    rows = list(study.severities.values("key", "label", "weight"))
    kwargs = {"languages": study.interface_languages}
    return cast(
        "BaseKindFormSet", SeverityFormSet(data, initial=rows, prefix="severities", form_kwargs=kwargs)
    )


def category_formset(study: Study, data: Mapping[str, Any] | None = None) -> BaseCategoryFormSet:
    """Return the editor of a study's categories, with the penalties of the severities that it has now."""
    names = ("key", "label", "description", "weight", "penalties", "is_missing")
    rows = list(study.error_categories.values(*names))
    kwargs = {
        "languages": study.interface_languages,
        "severities": [(one.key, str(one.label)) for one in study.severities.all()],
    }
    return cast(
        "BaseCategoryFormSet", CategoryFormSet(data, initial=rows, prefix="categories", form_kwargs=kwargs)
    )


def sent_kinds(
    severities: BaseKindFormSet, categories: BaseKindFormSet, move: str = ""
) -> tuple[tuple[RubricSeverity, ...], tuple[RubricCategory, ...]]:
    """Return what was sent; raise `FileRefused` for what no rubric may hold.

    `move` is what a button that moves a row sends: its list, row and direction, as in `categories:2:-1`.
    """
    which, _colon, where = move.partition(":")
    rows = {
        "severities": severities.rows(Move.sent(where) if which == "severities" else None),
        "error_categories": categories.rows(Move.sent(where) if which == "categories" else None),
    }
    kept = {one["key"] for one in rows["severities"]}
    for row in rows["error_categories"]:
        # Of a severity that is taken out.
        row["penalties"] = {key: penalty for key, penalty in row["penalties"].items() if key in kept}
    if all(rows.values()):
        problems = Problems("")
        check_weights(rows, problems)
        problems.refuse_if_any()
    return (
        tuple(RubricSeverity(**row) for row in rows["severities"]),
        tuple(RubricCategory(**row) for row in rows["error_categories"]),
    )
