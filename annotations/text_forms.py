"""Forms that ask for a text in every language of the interface: one input a language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from annotations.models.texts_by_language import TextsByLanguage, html_lang, language_codes, name_in

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True)
class TextInput:
    """How a text is asked for: on one line unless it has `rows`; `missing` is said where no language has it."""

    label: str | _StrPromise
    longest: int
    rows: int = 0
    help_text: str | _StrPromise = ""
    missing: str | _StrPromise = ""

    def field(self, code: str, *, is_first: bool) -> forms.CharField:
        """Return the input of a language; the first one explains the text."""
        attrs = {"lang": html_lang(code)}
        return forms.CharField(
            required=False,
            max_length=self.longest,
            label=_("%(text)s in %(language)s")
            % {"text": self.label, "language": dict(settings.LANGUAGES)[code]},
            help_text=self.help_text if is_first else "",
            widget=forms.Textarea(attrs={"rows": self.rows, **attrs})
            if self.rows
            else forms.TextInput(attrs=attrs),
        )


class TextsForm(forms.Form):
    """A form with texts by language; what is cleaned, and what it begins with, has each as one.

    `languages` are those asked for; a text keeps what it has in others.
    """

    texts: ClassVar[Mapping[str, TextInput]] = {}

    def __init__(self, *args: Any, languages: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.languages = list(languages) or language_codes()
        for name, text in self.texts.items():
            for place, code in enumerate(self.languages):
                self.fields[name_in(name, code)] = text.field(code, is_first=place == 0)
                self.initial[name_in(name, code)] = dict(self.initial.get(name) or {}).get(code, "")
        self.order_fields(self.input_names(self.field_order or self.texts))

    def input_names(self, names: Iterable[str]) -> list[str]:
        """Return the names of fields, those of a text's inputs in its place."""
        return [
            place
            for name in names
            for place in ([name_in(name, code) for code in self.languages] if name in self.texts else [name])
        ]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name, text in self.texts.items():
            inputs = {code: name_in(name, code) for code in self.languages}
            given = {code: cleaned.pop(place, "") for code, place in inputs.items()}
            cleaned[name] = TextsByLanguage(self.initial.get(name) or {}).changed_by(given)
            if text.missing and not cleaned[name] and not self.errors.keys() & set(inputs.values()):
                self.add_error(inputs[self.languages[0]], str(text.missing))
        return cleaned

    def add_model_errors(self, error: ValidationError) -> None:
        """Show what a rule of the model refused at its input; that of a text is the first of its languages."""
        for name, messages in error.message_dict.items():
            text, _dot, code = name.partition(".")
            place = name_in(text, code or self.languages[0]) if text in self.texts else name
            for message in messages:
                self.add_error(place if place in self.fields else None, message)
