"""The ratings of single turns of a study by the API."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.results.api import TextRowSerializer, listed_rows
from annotations.results.turns.rows import COLUMNS, turn_rating_count, turn_rows
from generation.web.rest import PageQuery, UserRequest, page_of
from generation.web.schema import extend_schema


class TurnRatingRowSerializer(TextRowSerializer):
    """One rating of a turn of a dialogue, with the columns of the export."""

    criterion = serializers.CharField()
    turn = serializers.IntegerField(help_text="From 1, among the turns of the text that are rated.")
    score = serializers.FloatField()


class TurnRatingList(APIView):
    @extend_schema(
        operation_id="turn_ratings_list",
        summary="List the ratings of single turns of dialogues one by one, once the seal is off",
        parameters=[PageQuery],
        responses=page_of(TurnRatingRowSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        return listed_rows(request, slug, "turns", COLUMNS, turn_rows, turn_rating_count)
