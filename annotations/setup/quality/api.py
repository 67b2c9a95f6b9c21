"""The quality control of a study by the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.permissions import Right, study_for
from annotations.models import QualityControl, Study
from annotations.models.bounds import LONGEST_TEXT, bounds_of
from annotations.setup.quality.declaration import (
    DECLARED,
    Declaration,
    DeclaredAnswer,
    DeclaredPage,
    declaration_document,
    declare,
)
from annotations.text_serializers import StrictTexts, Texts
from generation.web.rest import Body, Strict, UserRequest, checked_body
from generation.web.schema import extend_schema

MOST_PAGES = 1_000


def share(name: str, **options: Any) -> serializers.FloatField:
    return serializers.FloatField(min_value=0, max_value=1, required=False, **options)


class KnownAnswerBody(Strict):
    method = serializers.SlugField(max_length=50)
    criterion = serializers.SlugField(max_length=40, required=False, allow_null=True)
    lowest = serializers.FloatField(required=False, allow_null=True)
    highest = serializers.FloatField(
        required=False, allow_null=True, help_text="Without scores the text is the best of its page."
    )


class CheckedPageBody(StrictTexts):
    prompt = serializers.CharField(max_length=200, help_text="The id of the prompt, or 'sub-task/page'.")
    role = serializers.ChoiceField(choices=[str(role.value) for role in DECLARED])
    explanation = Texts(LONGEST_TEXT, required=False)
    answers = KnownAnswerBody(many=True, required=False)


class QualityControlBody(Body):
    repeats_per_subtask = serializers.IntegerField(
        **bounds_of(QualityControl, "repeats_per_subtask"), required=False
    )
    known_answer_share = share("known_answer_share")
    training_share = share("training_share", allow_null=True)
    training_attempts = serializers.IntegerField(
        **bounds_of(QualityControl, "training_attempts"), required=False
    )
    has_flags = serializers.BooleanField(required=False)
    hasty_seconds = serializers.IntegerField(**bounds_of(QualityControl, "hasty_seconds"), required=False)
    flag_share = share("flag_share")
    pages = CheckedPageBody(many=True, required=False)


class Quality(APIView):
    @extend_schema(
        operation_id="quality_control",
        summary="Show what a study declares of its quality control",
        responses=QualityControlBody,
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        return Response(declaration_document(study_for(request.user, slug, Right.RUN)))

    @extend_schema(
        operation_id="quality_control_declare",
        summary="Declare the quality control of a draft, in place of what it declared",
        request=QualityControlBody,
        responses=QualityControlBody,
    )
    def put(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        declare(study, declaration_of(checked_body(QualityControlBody, request)), by=request.user)
        return Response(declaration_document(Study.objects.get(pk=study.pk)))


def declaration_of(fields: dict[str, Any]) -> Declaration:
    """Return the declaration that checked fields are."""
    pages = fields.pop("pages", [])
    return Declaration(
        {
            name: round(Decimal(value), 3) if isinstance(value, float) else value
            for name, value in fields.items()
        },
        tuple(
            DeclaredPage(
                **{**page, "answers": tuple(DeclaredAnswer(**one) for one in page.get("answers", []))}
            )
            for page in pages
        ),
    )
