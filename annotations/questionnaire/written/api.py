"""What an evaluator writes by the API: reasons and corrected texts."""

from __future__ import annotations

import time

from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.questionnaire.forms import TOKEN
from annotations.questionnaire.saving import MAX_CLIENT_ORDER, PageAddress
from annotations.questionnaire.written.saving import LONGEST, Kind, SentText, TextReceipt, save_text
from generation.web.rest import Body, UserRequest, checked_body
from generation.web.schema import extend_schema


class WrittenBody(Body):
    token = serializers.RegexField(rf"^{TOKEN.pattern}\Z", help_text="Of a text on this page.")
    kind = serializers.ChoiceField(choices=Kind.values, help_text="reason or correction.")
    text = serializers.CharField(
        max_length=max(LONGEST.values()),
        allow_blank=True,
        trim_whitespace=False,
        help_text="Empty: what was written is taken back. Every version is kept.",
    )
    order = serializers.IntegerField(
        min_value=1,
        max_value=MAX_CLIENT_ORDER,
        required=False,
        help_text="Of two versions the one with the higher order counts; by default the time in ms.",
    )


class WrittenReceiptSerializer(serializers.Serializer[TextReceipt]):
    """What counts now."""

    token = serializers.CharField()
    kind = serializers.CharField()
    text = serializers.CharField()
    order = serializers.IntegerField(source="client_order")
    saved_at = serializers.DateTimeField()
    is_latest = serializers.BooleanField(
        help_text="False where a later version was stored already, and counts."
    )


class OwnWritten(APIView):
    @extend_schema(
        operation_id="own_written_save",
        summary="Write a reason, or how a text should have been, where the study lets you",
        request=WrittenBody,
        responses=WrittenReceiptSerializer,
    )
    def post(self, request: UserRequest, slug: str, subtask: int, page: int) -> Response:
        fields = checked_body(WrittenBody, request)
        order = fields.get("order", time.time_ns() // 1_000_000)
        sent = SentText(fields["token"], fields["kind"], fields["text"], order)
        receipt = save_text(request.user, PageAddress(slug, subtask, page), sent)
        return Response(WrittenReceiptSerializer(receipt).data)
