"""Results of the Turing game by the API: the sums for anybody, single pairs and rounds for administrators."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.permissions import AllowAny, IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from generation.files.problems import Place, Problems
from generation.files.tables import TableRow
from generation.web.rest import (
    Body,
    PageQuery,
    Strict,
    checked_body,
    checked_query,
    page_of,
    page_response,
    rows_as,
)
from generation.web.schema import extend_schema
from turing.models import Genre, Kind, PoemPair, Results, Round, Side
from turing.pairs.conversation_files import checked_conversations, store_conversations


class ResultsQuery(Strict):
    """Of which kind of game."""

    kind = serializers.ChoiceField(choices=Kind.choices, required=False, default=Kind.PAIRS)


class GameResults(APIView):
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="turing_results",
        summary="Return the figures of the game; to administrators with the hardest and easiest pairs",
        auth=[{}, {"tokenAuth": []}, {"cookieAuth": []}],  # type: ignore[list-item]
        parameters=[ResultsQuery],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        # Loaded where it is used: what computes takes longer to load than all the rest of a web process.
        from turing.results.exports import results_dict

        kind = Kind(checked_query(ResultsQuery, request)["kind"])
        return Response(
            results_dict(
                with_pairs=request.user.is_staff, with_rounds=False, of=Results.objects.of_site(kind)
            )
        )


class PairSerializer(serializers.Serializer[PoemPair]):
    """A pair with its texts, and how often its machine's text was taken for the human one in each scope."""

    genre = serializers.ChoiceField(choices=Genre.choices)
    number = serializers.IntegerField()
    takeover = serializers.IntegerField(allow_null=True)
    is_withdrawn = serializers.BooleanField()
    title = serializers.CharField()
    description = serializers.CharField()
    poet = serializers.CharField(allow_null=True)
    dynasty = serializers.CharField(allow_null=True)
    form = serializers.CharField(allow_null=True)
    human_text = serializers.CharField()
    machine_text = serializers.CharField()
    method = serializers.CharField()
    scopes = serializers.SerializerMethodField()

    def get_scopes(self, pair: dict[str, Any]) -> dict[str, int]:
        return {name: count for name, count in pair.items() if name.startswith(("answered_", "selected_"))}


class RoundSerializer(serializers.Serializer[Round]):
    """One answered round. Players are numbered and nothing else is said of them."""

    player_id = serializers.IntegerField()
    game_id = serializers.IntegerField()
    number = serializers.IntegerField()
    genre = serializers.ChoiceField(choices=Genre.choices)
    pair_number = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    human_side = serializers.ChoiceField(choices=Side.choices, allow_null=True)
    choice = serializers.ChoiceField(choices=Side.choices, allow_null=True)
    takeover = serializers.IntegerField(allow_null=True)
    said = serializers.IntegerField(allow_null=True)
    confidence = serializers.IntegerField(allow_null=True)
    known = serializers.BooleanField(allow_null=True)
    is_repeat = serializers.BooleanField()
    flag = serializers.CharField()
    shown_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField()


class PairQuery(PageQuery):
    genre = serializers.ChoiceField(choices=Genre.choices, required=False)


class RoundQuery(PageQuery):
    pair = serializers.IntegerField(min_value=0, max_value=2_147_483_647, required=False)


class Pairs(APIView):
    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="turing_pairs_list",
        summary="List the pairs of the game with how each did",
        parameters=[PairQuery],
        responses=page_of(PairSerializer),
    )
    def get(self, request: Request) -> Response:
        from turing.results.exports import PAIR_COLUMNS, played_pairs

        query = checked_query(PairQuery, request)
        found: QuerySet[Any, Any] = played_pairs().values(*PAIR_COLUMNS)
        if "genre" in query:
            found = found.filter(genre=query["genre"])
        return page_response(request, found, query, rows_as(PairSerializer))


class MessageBody(Strict):
    by = serializers.ChoiceField(choices=["interrogator", "witness"])
    text = serializers.CharField(max_length=20_000)


class ConversationBody(Strict):
    """A finished conversation; the fields of files (docs/files.md)."""

    conversation = serializers.CharField(max_length=300)
    witness = serializers.ChoiceField(choices=["human", "machine"])
    messages = MessageBody(many=True)
    model = serializers.CharField(max_length=100, required=False)
    persona = serializers.CharField(max_length=300, required=False)
    trio = serializers.CharField(max_length=300, required=False)
    interrogator = serializers.CharField(max_length=300, required=False)
    source = serializers.CharField(max_length=300, required=False)  # type: ignore[assignment]
    licence = serializers.CharField(max_length=300, required=False)


class ConversationsBody(Body):
    conversations = ConversationBody(many=True, allow_empty=False)


class PairedConversationsSerializer(serializers.Serializer[Any]):
    pairs = serializers.IntegerField(help_text="How many pairs of conversations are new.")
    left_out = serializers.ListField(child=serializers.CharField())


class Conversations(APIView):
    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="turing_conversations_store",
        summary="Put finished conversations into play; those that are there already are left as they are",
        request=ConversationsBody,
        responses=PairedConversationsSerializer,
    )
    def put(self, request: Request) -> Response:
        given = checked_body(ConversationsBody, request)["conversations"]
        problems = Problems("conversations")
        rows = [TableRow(Place(number, "item"), dict(one)) for number, one in enumerate(given, start=1)]
        paired = store_conversations(checked_conversations(rows, problems), {"import": "api"})
        return Response({"pairs": len(paired.pairs), "left_out": paired.refused})


class Rounds(APIView):
    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="turing_rounds_list",
        summary="List the answered rounds of the game",
        parameters=[RoundQuery],
        responses=page_of(RoundSerializer),
    )
    def get(self, request: Request) -> Response:
        from turing.results.exports import answered_rounds

        query = checked_query(RoundQuery, request)
        found: QuerySet[Any, Any] = answered_rounds()
        if "pair" in query:
            found = found.filter(pair__number=query["pair"])
        return page_response(request, found, query, rows_as(RoundSerializer))
