"""What evaluators wrote in a study by the API."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.results.api import RowSerializer, listed_rows
from annotations.results.written.rows import COLUMNS, written_count, written_rows
from generation.web.rest import PageQuery, UserRequest, page_of
from generation.web.schema import extend_schema


class WrittenRowSerializer(RowSerializer):
    """A reason or a corrected text, with the columns of the export."""

    method = serializers.CharField(allow_null=True)
    method_label = serializers.CharField(allow_null=True)
    position = serializers.IntegerField(allow_null=True)
    kind = serializers.CharField(help_text="reason or correction.")
    text = serializers.CharField()
    original = serializers.CharField(allow_null=True)
    versions = serializers.IntegerField()


class WrittenList(APIView):
    @extend_schema(
        operation_id="written_list",
        summary="List the reasons and corrected texts that evaluators wrote, once the seal is off",
        parameters=[PageQuery],
        responses=page_of(WrittenRowSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        return listed_rows(request, slug, "written", COLUMNS, written_rows, written_count)
