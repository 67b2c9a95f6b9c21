"""The editor of a study's checklist: one item a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotations.models import Study
from annotations.text_forms import TextInput, TextsForm
from generation.files.checklists import (
    LARGEST_WEIGHT,
    LONGEST_ITEM,
    MOST_ITEMS,
    SMALLEST_WEIGHT,
    Checklist,
    ItemEntry,
)


class ItemForm(TextsForm):
    """One item; a row without a text is none."""

    texts = {"text": TextInput(_("Statement or question"), LONGEST_ITEM)}
    weight = forms.FloatField(
        initial=1, min_value=SMALLEST_WEIGHT, max_value=LARGEST_WEIGHT, label=_("Weight"),
        widget=forms.NumberInput(attrs={"class": "short", "step": "any"}),
    )  # fmt: skip
    may_not_apply = forms.BooleanField(
        required=False, initial=True, label=_("May be answered with ‘does not apply’")
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.has_changed() and not cleaned["text"] and not cleaned.get("DELETE"):
            self.add_error(self.input_names(["text"])[0], gettext("Give the item a text, or take it out."))
        return cleaned


class BaseItemFormSet(forms.BaseFormSet):  # type: ignore[type-arg]
    """The items of a study in their order."""

    def items(self) -> Checklist:
        """Return the items that were sent, without those to be taken out."""
        rows = [form.cleaned_data for form in self.forms]
        return tuple(
            ItemEntry(tuple(row["text"].items()), row["weight"], row["may_not_apply"])
            for row in rows
            if row.get("text") and not row.get("DELETE")
        )


ItemFormSet = forms.formset_factory(
    ItemForm,
    formset=BaseItemFormSet,
    extra=2,
    max_num=MOST_ITEMS,
    absolute_max=MOST_ITEMS,
    validate_max=True,
    can_delete=True,
)


def item_formset(study: Study, data: Mapping[str, Any] | None = None) -> BaseItemFormSet:
    """Return the editor of the items that a study asks for every prompt."""
    rows = list(study.checklist_items.filter(page=None).values("text", "weight", "may_not_apply"))
    languages = {"languages": study.interface_languages}
    return cast("BaseItemFormSet", ItemFormSet(data, initial=rows, prefix="items", form_kwargs=languages))
