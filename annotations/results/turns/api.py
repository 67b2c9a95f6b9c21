"""The ratings of single turns of a study by the API."""

from __future__ import annotations

import json
from typing import Any

from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.log import log_act
from annotations.access.permissions import Right, study_for
from annotations.results.turns.rows import COLUMNS, turn_rating_count, turn_rows
from generation.web.rest import PageQuery, UserRequest, bounds, checked_query, listing, page_of
from generation.web.schema import extend_schema


class TurnRatingRowSerializer(serializers.Serializer[Any]):
    """One rating of a turn of a dialogue, with the columns of the export."""

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
    criterion = serializers.CharField()
    turn = serializers.IntegerField(help_text="From 1, among the turns of the text that are rated.")
    score = serializers.FloatField()
    saved_at = serializers.DateTimeField()
    first_answered_at = serializers.DateTimeField(allow_null=True)
    times_changed = serializers.IntegerField(allow_null=True)
    seconds_on_page = serializers.FloatField(allow_null=True)


class TurnRatingList(APIView):
    @extend_schema(
        operation_id="turn_ratings_list",
        summary="List the ratings of single turns of dialogues one by one, once the seal is off",
        parameters=[PageQuery],
        responses=page_of(TurnRatingRowSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.ANALYSE)
        query = checked_query(PageQuery, request)
        start, stop = bounds(query)
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in turn_rows(study, start, stop)]
        if start == 0:
            log_act(study, request.user, "export.answers", rows="turns", format="api")
        shown = [row | {"tags": json.loads(str(row["tags"] or "null"))} for row in rows]
        return listing(request, query, turn_rating_count(study), shown)
