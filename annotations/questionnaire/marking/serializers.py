"""How the API shows the errors marked in a text, and by which kinds they are marked."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from annotations.models.protocols.spans import LONGEST_NOTE
from annotations.questionnaire.marking.questions import MarkingQuestion
from annotations.text_serializers import Texts
from generation.web.rest import Strict


class MarkBody(Strict):
    """An error in a text as it is shown to you; offsets count code points."""

    category = serializers.CharField(max_length=40)
    severity = serializers.CharField(max_length=40)
    start = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0)
    end = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=0,
        help_text="Of something missing the start.",
    )
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=LONGEST_NOTE)


class MarkingSerializer(serializers.Serializer[MarkingQuestion]):
    marks = MarkBody(many=True)
    is_done = serializers.BooleanField()


class ErrorKindSerializer(serializers.Serializer[Any]):
    """A category or a severity of errors."""

    key = serializers.CharField()
    label = Texts()  # type: ignore[assignment]
