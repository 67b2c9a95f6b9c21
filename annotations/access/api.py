"""The roles in a study and the log of acts by the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.permissions import Right, study_for
from annotations.access.roles import give_role, take_role, user_named
from annotations.models import StaffAct, StudyRole
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


class RoleSerializer(serializers.ModelSerializer[StudyRole]):
    username = serializers.CharField(source="user.username")

    class Meta:
        model = StudyRole
        fields = ["username", "role", "created_at"]


class UserBody(Body):
    username = serializers.CharField(max_length=150)


class RoleBody(UserBody):
    role = serializers.ChoiceField(choices=StudyRole.Role.choices)


class ChangedSerializer(serializers.Serializer[Any]):
    changed = serializers.BooleanField(help_text="False where it was so already.")


class Roles(APIView):
    @extend_schema(
        operation_id="roles_list",
        summary="List who has a role in a study",
        parameters=[PageQuery],
        responses=page_of(RoleSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        query = checked_query(PageQuery, request)
        return page_response(request, study.roles.select_related("user"), query, rows_as(RoleSerializer))

    @extend_schema(
        operation_id="roles_give",
        summary="Give a user a role in a study in place of any other",
        request=RoleBody,
        responses=ChangedSerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        fields = checked_body(RoleBody, request)
        changed = give_role(
            study, user_named(fields["username"]), StudyRole.Role(fields["role"]), by=request.user
        )
        return Response({"changed": changed})


class TakeRole(APIView):
    @extend_schema(
        operation_id="roles_take",
        summary="Take a user's role in a study",
        request=UserBody,
        responses=ChangedSerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        user = user_named(checked_body(UserBody, request)["username"])
        return Response({"changed": take_role(study, user, by=request.user)})


class ActSerializer(serializers.ModelSerializer[StaffAct]):
    actor = serializers.CharField(
        source="actor.username",
        allow_null=True,
        default=None,
        help_text="Null: the command line or the clock.",
    )

    class Meta:
        model = StaffAct
        fields = ["created_at", "actor", "act", "details"]


class Log(APIView):
    @extend_schema(
        operation_id="log_list",
        summary="List what those who run a study did to it, the latest first",
        parameters=[PageQuery],
        responses=page_of(ActSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        query = checked_query(PageQuery, request)
        return page_response(request, study.staff_acts.select_related("actor"), query, rows_as(ActSerializer))
