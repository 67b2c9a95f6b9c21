"""What an evaluator says by the API of the items of a checklist."""

from __future__ import annotations

import time

from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.models import ChecklistAnswer
from annotations.questionnaire.api import AnswerBody
from annotations.questionnaire.checklists.saving import ITEM, save_checklist_answer
from annotations.questionnaire.saving import Answer, PageAddress, Receipt
from generation.web.rest import UserRequest, checked_body
from generation.web.schema import extend_schema


class ChecklistBody(AnswerBody):
    item = serializers.RegexField(rf"^{ITEM.pattern}\Z", help_text="Key of the item.")
    answer = serializers.ChoiceField(
        choices=ChecklistAnswer.Answer.values, help_text="1: yes, 2: no, 3: does not apply."
    )


class ChecklistReceiptSerializer(serializers.Serializer[Receipt]):
    """What is stored now."""

    token = serializers.CharField()
    item = serializers.CharField(source="criterion")
    answer = serializers.IntegerField(source="score")
    order = serializers.IntegerField(source="client_order")
    saved_at = serializers.DateTimeField()
    is_latest = serializers.BooleanField(
        help_text="False where a later answer was stored already, and stays."
    )


class OwnChecklist(APIView):
    @extend_schema(
        operation_id="own_checklist_save",
        summary="Say whether an item of the checklist holds of a text, or change the answer",
        request=ChecklistBody,
        responses=ChecklistReceiptSerializer,
    )
    def post(self, request: UserRequest, slug: str, subtask: int, page: int) -> Response:
        fields = checked_body(ChecklistBody, request)
        answer = Answer(
            token=fields["token"],
            client_order=fields.get("order", time.time_ns() // 1_000_000),
            criterion=fields["item"],
            score=fields["answer"],
            seconds_on_page=fields.get("seconds"),
        )
        receipt = save_checklist_answer(request.user, PageAddress(slug, subtask, page), answer)
        return Response(ChecklistReceiptSerializer(receipt).data)
