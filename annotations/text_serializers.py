"""Texts by language in the bodies and the answers of the API: `{"title": {"en": "...", "zh-hans": "..."}}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.drainage import set_override
from rest_framework import serializers

from annotations.models.bounds import LONGEST_TEXT
from annotations.models.texts_by_language import TextsByLanguage, gathered, language_codes, unknown_language
from generation.web.rest import Strict


class Texts(serializers.DictField):
    """A text by language."""

    def __init__(self, longest: int = LONGEST_TEXT, **options: Any) -> None:
        child = serializers.CharField(max_length=longest, allow_blank=True)
        super().__init__(**{"child": child, "help_text": "By language of the interface.", **options})
        text = {"type": "string", "maxLength": longest}
        properties = dict.fromkeys(language_codes(), text)
        set_override(
            self, "field", {"type": "object", "properties": properties, "additionalProperties": False}
        )

    def to_internal_value(self, data: Any) -> TextsByLanguage:
        texts = super().to_internal_value(data)
        if unknown := [code for code in texts if code not in language_codes()]:
            raise serializers.ValidationError({code: [unknown_language(code)] for code in unknown})
        return TextsByLanguage(texts)


class StrictTexts(Strict):
    """Fields of which no other may be sent; `title_en` is taken for the English one of `title`."""

    def to_internal_value(self, data: Any) -> Any:
        names = [name for name, field in self.fields.items() if isinstance(field, Texts)]
        return super().to_internal_value(gathered(data, names) if isinstance(data, Mapping) else data)
