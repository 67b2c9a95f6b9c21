"""The errors marked in a study by the API."""

from __future__ import annotations

import json
from typing import Any

from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.log import log_act
from annotations.access.permissions import Right, study_for
from annotations.results.spans.rows import COLUMNS, marking_count, span_rows
from generation.web.rest import PageQuery, UserRequest, bounds, checked_query, listing, page_of
from generation.web.schema import extend_schema


class SpanRowSerializer(serializers.Serializer[Any]):
    """One marked error, or a text without any, with the columns of the export."""

    study = serializers.CharField()
    evaluator = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    subtask = serializers.IntegerField()
    page = serializers.IntegerField()
    prompt = serializers.CharField()
    prompt_id = serializers.CharField(allow_null=True)
    tags = serializers.DictField(child=serializers.CharField(), allow_null=True)
    method = serializers.CharField()
    method_label = serializers.CharField()
    position = serializers.IntegerField()
    is_done = serializers.BooleanField(help_text="The evaluator said that all errors are marked.")
    mark = serializers.IntegerField(allow_null=True)
    start = serializers.IntegerField(
        allow_null=True, help_text="In code points of the text as it was written; null: it has no place."
    )
    end = serializers.IntegerField(allow_null=True)
    words = serializers.CharField(allow_null=True)
    category = serializers.CharField(allow_null=True)
    severity = serializers.CharField(allow_null=True)
    penalty = serializers.FloatField(allow_null=True)
    note = serializers.CharField(allow_null=True)
    tagged = serializers.CharField(help_text="The text with tags around the mark.")
    saved_at = serializers.DateTimeField()
    first_answered_at = serializers.DateTimeField(allow_null=True)
    times_changed = serializers.IntegerField(allow_null=True)
    seconds_on_page = serializers.FloatField(allow_null=True)


class SpanList(APIView):
    @extend_schema(
        operation_id="spans_list",
        summary="List the errors that evaluators marked, once the seal is off; a page of the list has so many texts",
        parameters=[PageQuery],
        responses=page_of(SpanRowSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.ANALYSE)
        query = checked_query(PageQuery, request)
        start, stop = bounds(query)
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in span_rows(study, start, stop)]
        if start == 0:
            log_act(study, request.user, "export.answers", rows="spans", format="api")
        shown = [row | {"tags": json.loads(str(row["tags"] or "null"))} for row in rows]
        return listing(request, query, marking_count(study), shown)
