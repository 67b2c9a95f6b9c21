"""The answers to a study's checklist by the API."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.results.api import TextRowSerializer, listed_rows
from annotations.results.checklists.rows import COLUMNS, checklist_answer_count, checklist_rows
from generation.web.rest import PageQuery, UserRequest, page_of
from generation.web.schema import extend_schema


class ChecklistRowSerializer(TextRowSerializer):
    """One answer to an item about one text, with the columns of the export."""

    item = serializers.CharField()
    item_text = serializers.CharField()
    weight = serializers.FloatField()
    answer = serializers.CharField(help_text="yes, no or does not apply.")


class ChecklistAnswerList(APIView):
    @extend_schema(
        operation_id="checklist_answers_list",
        summary="List what evaluators answered to the items of a checklist, once the seal is off",
        parameters=[PageQuery],
        responses=page_of(ChecklistRowSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        return listed_rows(request, slug, "checklist", COLUMNS, checklist_rows, checklist_answer_count)
