"""The answers to a study's checklist by the API."""

from __future__ import annotations

import json
from typing import Any

from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.log import log_act
from annotations.access.permissions import Right, study_for
from annotations.results.checklists.rows import COLUMNS, checklist_answer_count, checklist_rows
from generation.web.rest import PageQuery, UserRequest, bounds, checked_query, listing, page_of
from generation.web.schema import extend_schema


class ChecklistRowSerializer(serializers.Serializer[Any]):
    """One answer to an item about one text, with the columns of the export."""

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
    item = serializers.CharField()
    item_text = serializers.CharField()
    weight = serializers.FloatField()
    answer = serializers.CharField(help_text="yes, no or does not apply.")
    saved_at = serializers.DateTimeField()
    first_answered_at = serializers.DateTimeField(allow_null=True)
    times_changed = serializers.IntegerField(allow_null=True)
    seconds_on_page = serializers.FloatField(allow_null=True)


class ChecklistAnswerList(APIView):
    @extend_schema(
        operation_id="checklist_answers_list",
        summary="List what evaluators answered to the items of a checklist, once the seal is off",
        parameters=[PageQuery],
        responses=page_of(ChecklistRowSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.ANALYSE)
        query = checked_query(PageQuery, request)
        start, stop = bounds(query)
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in checklist_rows(study, start, stop)]
        if start == 0:
            log_act(study, request.user, "export.answers", rows="checklist", format="api")
        shown = [row | {"tags": json.loads(str(row["tags"] or "null"))} for row in rows]
        return listing(request, query, checklist_answer_count(study), shown)
