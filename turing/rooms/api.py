"""Rooms of the game by the API: administrators open, close and reopen them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, status
from rest_framework.permissions import IsAdminUser
from rest_framework.response import Response
from rest_framework.views import APIView

from generation.web.idempotency import IDEMPOTENCY_KEY, key_sent
from generation.web.once import make_once
from generation.web.rest import (
    Body,
    PageQuery,
    UserRequest,
    checked_body,
    checked_query,
    page_of,
    page_response,
    rows_as,
)
from generation.web.schema import extend_schema
from turing.models import ROUNDS_IN_GAME, Genre, Kind, Room
from turing.rooms.rooms import MOST_PAIRS, close_room, open_room, reopen_room


class RoomSerializer(serializers.Serializer[Room]):
    """A room; whoever has its `address`, which is one on this site, plays there."""

    uuid = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    genre = serializers.ChoiceField(choices=Genre.choices)
    pairs = serializers.IntegerField(help_text="How many pairs its pool has.")
    takes_names = serializers.BooleanField()
    is_simulated = serializers.BooleanField()
    is_closed = serializers.BooleanField()
    closes_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    address = serializers.SerializerMethodField()

    @extend_schema_field({"type": "string"})
    def get_address(self, room: Room) -> str:
        return reverse("turing:room", args=[room.uuid])


class NewRoomBody(Body):
    name = serializers.CharField(max_length=100)
    kind = serializers.ChoiceField(choices=Kind.choices, default=Kind.PAIRS)
    genre = serializers.ChoiceField(choices=Genre.choices, default=Genre.POEM)
    pairs = serializers.IntegerField(min_value=ROUNDS_IN_GAME, max_value=MOST_PAIRS, default=100)
    takes_names = serializers.BooleanField(default=False)
    closes_at = serializers.DateTimeField(default=None, allow_null=True)


def shown_rooms() -> QuerySet[Room]:
    """Return rooms with the size of their pool and whether they are closed."""
    closed = Room.objects.closed().filter(pk=OuterRef("pk"))
    return Room.objects.annotate(pairs=Count("pool"), is_closed=Exists(closed)).order_by("-pk")


def room_response(room: UUID, status: int = status.HTTP_200_OK) -> Response:
    return Response(RoomSerializer(get_object_or_404(shown_rooms(), uuid=room)).data, status=status)


class Rooms(APIView):
    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="turing_rooms_list",
        summary="List the rooms of the game",
        parameters=[PageQuery],
        responses=page_of(RoomSerializer),
    )
    def get(self, request: UserRequest) -> Response:
        return page_response(
            request, shown_rooms(), checked_query(PageQuery, request), rows_as(RoomSerializer)
        )

    @extend_schema(
        operation_id="turing_rooms_open",
        summary="Open a room with a pool of pairs drawn from those in play",
        parameters=[IDEMPOTENCY_KEY],
        request=NewRoomBody,
        responses={201: RoomSerializer},
    )
    def post(self, request: UserRequest) -> Response:
        fields = checked_body(NewRoomBody, request)
        room = make_once(
            key_sent(request),
            f"rooms of {request.user.pk}",
            lambda: open_room(**fields, owner=request.user),
            Room.objects.all(),
        )
        return room_response(room.uuid, status.HTTP_201_CREATED)


class OneRoom(APIView):
    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="turing_rooms_retrieve", summary="Return a room of the game", responses=RoomSerializer
    )
    def get(self, request: UserRequest, room: UUID) -> Response:
        return room_response(room)


def act_on_room(act: Callable[[Room], None], operation_id: str, summary: str) -> type[APIView]:
    """Return the view of an act upon a room that takes no body; done twice it changes nothing more."""

    class Act(APIView):
        permission_classes = [IsAdminUser]

        @extend_schema(operation_id=operation_id, summary=summary, request=None, responses=RoomSerializer)
        def post(self, request: UserRequest, room: UUID) -> Any:
            act(get_object_or_404(Room, uuid=room))
            return room_response(room)

    return Act


Close = act_on_room(close_room, "turing_rooms_close", "Let no more games begin in a room")
Reopen = act_on_room(reopen_room, "turing_rooms_reopen", "Let games begin in a room again")
