"""What evaluators wrote in a study by the API."""

from __future__ import annotations

import json
from typing import Any

from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.log import log_act
from annotations.access.permissions import Right, study_for
from annotations.results.written.rows import COLUMNS, written_count, written_rows
from generation.web.rest import PageQuery, UserRequest, bounds, checked_query, listing, page_of
from generation.web.schema import extend_schema


class WrittenRowSerializer(serializers.Serializer[Any]):
    """A reason or a corrected text, with the columns of the export."""

    study = serializers.CharField()
    evaluator = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    subtask = serializers.IntegerField()
    page = serializers.IntegerField()
    prompt = serializers.CharField()
    prompt_id = serializers.CharField(allow_null=True)
    tags = serializers.DictField(child=serializers.CharField(), allow_null=True)
    method = serializers.CharField(allow_null=True)
    method_label = serializers.CharField(allow_null=True)
    position = serializers.IntegerField(allow_null=True)
    kind = serializers.CharField(help_text="reason or correction.")
    text = serializers.CharField()
    original = serializers.CharField(allow_null=True)
    versions = serializers.IntegerField()
    saved_at = serializers.DateTimeField()


class WrittenList(APIView):
    @extend_schema(
        operation_id="written_list",
        summary="List the reasons and corrected texts that evaluators wrote, once the seal is off",
        parameters=[PageQuery],
        responses=page_of(WrittenRowSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.ANALYSE)
        query = checked_query(PageQuery, request)
        start, stop = bounds(query)
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in written_rows(study, start, stop)]
        if start == 0:
            log_act(study, request.user, "export.answers", rows="written", format="api")
        shown = [row | {"tags": json.loads(str(row["tags"] or "null"))} for row in rows]
        return listing(request, query, written_count(study), shown)
