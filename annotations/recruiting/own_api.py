"""Agreeing to a study and withdrawing from it by the API, for those who rate."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.questionnaire.api import own_enrolment
from annotations.recruiting.consent import LONGEST_ANSWER, give_consent, parse_answers
from annotations.recruiting.withdrawal import withdraw
from generation.web.rest import Body, UserRequest, checked_body
from generation.web.schema import extend_schema


@extend_schema_field({"type": ["string", "integer"], "maxLength": LONGEST_ANSWER})
class FormAnswer(serializers.Field[Any, Any, Any, Any]):
    """An answer to a question of the form: text, or where a number is asked for a whole number."""

    def to_internal_value(self, data: object) -> str | int:
        if isinstance(data, bool) or not isinstance(data, str | int):
            raise serializers.ValidationError(_("Text is wanted here."))
        return data


class ConsentBody(Body):
    answers = serializers.DictField(
        child=FormAnswer(allow_null=True),
        required=False,
        default=dict,
        help_text="Answers to the study's short form by the questions' keys.",
    )


class ConsentSerializer(serializers.Serializer[Any]):
    changed = serializers.BooleanField(help_text="False where you had agreed before.")


class OwnConsent(APIView):
    @extend_schema(
        operation_id="own_consent",
        summary="Agree to take part, with the answers to the short form",
        request=ConsentBody,
        responses=ConsentSerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = own_enrolment(request, slug).study
        given = checked_body(ConsentBody, request)["answers"]
        answers = parse_answers(study.questions, given)
        return Response({"changed": give_consent(request.user, slug, answers)})


class WithdrawBody(Body):
    confirm = serializers.ChoiceField(choices=["withdraw"], help_text="The word: it cannot be undone.")


class WithdrawalSerializer(serializers.Serializer[Any]):
    removed = serializers.IntegerField(help_text="Answers that were removed.")


class OwnWithdrawal(APIView):
    @extend_schema(
        operation_id="own_withdrawal",
        summary="Leave a study: your answers and who you are, are removed",
        request=WithdrawBody,
        responses=WithdrawalSerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        enrolment = own_enrolment(request, slug)
        checked_body(WithdrawBody, request)
        return Response({"removed": withdraw(enrolment, by_evaluator=True)})
