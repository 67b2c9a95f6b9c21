"""Texts that a study says to its readers, each in one or several languages of the interface (`settings.LANGUAGES`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    JSONField = models.JSONField[Mapping[str, str], "TextsByLanguage"]
else:
    JSONField = models.JSONField

# What stood for a language in the names of fields before each text was one field: `title_zh`.
EARLIER_NAMES = {"zh": "zh-hans"}


def language_codes() -> list[str]:
    """Return the codes of the languages of the interface, in their order."""
    return [code for code, _name in settings.LANGUAGES]


def name_in(name: str, code: str) -> str:
    """Return what the text of a language is called where each language has a place of its own: `title_zh_hans`."""
    return f"{name}_{code.replace('-', '_')}"


class TextsByLanguage(dict[str, str]):
    """One text in the languages that it is given in, by their codes, in the order of the interface's languages.

    An empty text is none. As a string it is the text for the reader.
    """

    def __init__(self, texts: Mapping[str, str] | Iterable[tuple[str, str]] = (), /) -> None:
        order = language_codes()
        given = [(code, text) for code, text in dict(texts).items() if text != ""]
        super().__init__(
            sorted(given, key=lambda one: order.index(one[0]) if one[0] in order else len(order))
        )

    def __str__(self) -> str:
        return self.in_current_language()

    def in_current_language(self) -> str:
        """Return the text in the reader's language, or in the first that there is."""
        return self.in_language(get_language() or "")

    def in_language(self, wanted: str) -> str:
        """Return the text in this language, or in the first that there is; nothing where there is none."""
        return self.get(self.language_for(wanted), "")

    def language_for(self, wanted: str) -> str:
        """Return the code of the language in which a reader of another gets the text."""
        same = [
            code for code in self if wanted and code.partition("-")[0] == wanted.lower().partition("-")[0]
        ]
        return wanted if wanted in self else next(iter([*same, *self]), "")

    @property
    def lang(self) -> str:
        """The language in which the reader gets the text, as HTML names it."""
        return html_lang(self.language_for(get_language() or ""))

    def by_lang(self) -> list[tuple[str, str]]:
        """Return the texts with their languages as HTML names them."""
        return [(html_lang(code), text) for code, text in self.items()]

    def changed_by(self, texts: Mapping[str, str]) -> TextsByLanguage:
        """Return the texts with others for some languages; an empty one takes a language out."""
        return TextsByLanguage({**self, **texts})


def named_by(name: str) -> TextsByLanguage:
    """Return a name of files or addresses as the text where no other was given."""
    return TextsByLanguage({language_codes()[0]: name})


def html_lang(code: str) -> str:
    """Return the code of a language as HTML names it: zh-Hans."""
    return to_locale(code).replace("_", "-")


def gathered(data: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return data with the places of single languages (`title_en`, `title_zh_hans`) put together to texts (`title`).

    `title_zh` is taken for `title_zh_hans`, as files and programs have it. Where a text is given as one already, the
    other places stay for the caller to refuse.
    """
    found = dict(data)
    places = {code: code for code in language_codes()} | EARLIER_NAMES
    for name in names:
        given = {code: name_in(name, place) for place, code in places.items() if name_in(name, place) in data}
        if given and name not in data:
            found[name] = {code: found.pop(place) for code, place in given.items()}
    return found


class _TextsAttribute(DeferredAttribute):
    """Makes what is assigned to the field of a row texts by language."""

    def __set__(self, row: models.Model, value: Any) -> None:
        row.__dict__[self.field.attname] = TextsByLanguage(value) if isinstance(value, Mapping) else value


class TextsField(JSONField):
    """A text by language; `max_length` bounds each, and a field that may not be blank has it in one language."""

    descriptor_class = _TextsAttribute

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"default": TextsByLanguage, **options})

    def from_db_value(self, value: str | None, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        found = super().from_db_value(value, expression, connection)
        return TextsByLanguage(found) if isinstance(found, dict) else found

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            raise ValidationError(_("This must be a text by language."))
        if unknown := [code for code in value if code not in language_codes()]:
            raise ValidationError(unknown_language(unknown[0]))

    def db_check(self, connection: BaseDatabaseWrapper) -> str:
        column = connection.ops.quote_name(self.column or self.name)
        # A repetition of a regular expression counts to 255 at most.
        more, last = divmod((self.max_length or 1) - 1, 255)
        longest = "^." + ".{0,255}" * more + f".{{0,{last}}}"
        too_long = f'|| !(@.value like_regex "{longest}$" flag "s")' if self.max_length else ""
        wrong = '@.value.type() != "string" || @.value == "" || !(@.key like_regex "^[a-z]{2,8}(-[a-z0-9]{2,8})*$")'
        return (
            f"jsonb_typeof({column}) = 'object'"
            f" AND NOT jsonb_path_exists({column}, '$.keyvalue() ? ({wrong}{too_long})')"
        )


def unknown_language(code: str) -> str:
    """Say that a code is that of no language of the interface."""
    return _("%(code)s is none of the languages of the interface: %(codes)s.") % {
        "code": code,
        "codes": ", ".join(language_codes()),
    }


def longest_text(model: type[models.Model], name: str) -> int:
    """Return of how many characters a text of a model may be at most."""
    longest: int | None = getattr(model._meta.get_field(name), "max_length", None)
    if longest is None:
        raise TypeError(f"{name} has no bound of its own")
    return longest
