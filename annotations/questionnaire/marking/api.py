"""Marking the errors of a text by the API."""

from __future__ import annotations

import time

from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.models.protocols.spans import MOST_MARKS
from annotations.questionnaire.api import AnswerBody
from annotations.questionnaire.marking.marks import Mark
from annotations.questionnaire.marking.saving import MarkingReceipt, SentMarking, save_marking
from annotations.questionnaire.marking.serializers import MarkBody
from annotations.questionnaire.saving import PageAddress
from generation.web.rest import UserRequest, checked_body
from generation.web.schema import extend_schema


class MarkingBody(AnswerBody):
    marks = serializers.ListField(child=MarkBody(), max_length=MOST_MARKS)
    is_done = serializers.BooleanField(help_text="All errors of this text are marked.")


class MarkingReceiptSerializer(serializers.Serializer[MarkingReceipt]):
    """What is stored now."""

    token = serializers.CharField()
    marks = MarkBody(many=True)
    is_done = serializers.BooleanField()
    order = serializers.IntegerField(source="client_order")
    saved_at = serializers.DateTimeField()
    is_latest = serializers.BooleanField(
        help_text="False where a later answer was stored already, and stays."
    )
    is_widened = serializers.BooleanField(
        help_text="A mark would have cut a character, and has all of it now."
    )


class OwnMarkings(APIView):
    @extend_schema(
        operation_id="own_marking_save",
        summary="Mark the errors in a text, all at once, in place of those marked before",
        request=MarkingBody,
        responses=MarkingReceiptSerializer,
    )
    def post(self, request: UserRequest, slug: str, subtask: int, page: int) -> Response:
        fields = checked_body(MarkingBody, request)
        sent = SentMarking(
            token=fields["token"],
            client_order=fields.get("order", time.time_ns() // 1_000_000),
            marks=tuple(Mark(**one) for one in fields["marks"]),
            is_done=fields["is_done"],
            seconds_on_page=fields.get("seconds"),
        )
        receipt = save_marking(request.user, PageAddress(slug, subtask, page), sent)
        return Response(MarkingReceiptSerializer(receipt).data)
