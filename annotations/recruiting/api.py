"""Recruiting by the API: groups, invitations, open links, and evaluators who have an account already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from rest_framework import serializers, status
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.api import ChangedSerializer
from annotations.access.permissions import Right, study_for
from annotations.models import EvaluatorGroup, Invitation, OpenLink
from annotations.models.bounds import MOST_DAYS, MOST_INVITED, bounds_of
from annotations.models.texts_by_language import longest_text
from annotations.recruiting.invitations import (
    DAYS_VALID,
    LONGEST_NAME,
    Invitee,
    NewLink,
    close_open_link,
    group_of,
    invite,
    make_open_link,
    put_group,
    revoke_invitation,
    send_invitations,
    shown_again,
)
from annotations.recruiting.tokens import join_address
from annotations.text_serializers import StrictTexts, Texts
from generation.web.idempotency import IDEMPOTENCY_KEY, key_sent
from generation.web.rest import (
    Amount,
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


class GroupSerializer(serializers.ModelSerializer[EvaluatorGroup]):
    name = Texts()

    class Meta:
        model = EvaluatorGroup
        fields = ["key", "name", "payment"]


class GroupBody(StrictTexts):
    key = serializers.SlugField(max_length=40)
    name = Texts(longest_text(EvaluatorGroup, "name"), default=dict)
    payment = Amount(
        **bounds_of(EvaluatorGroup, "payment"),
        required=False,
        allow_null=True,
        default=None,
        help_text="Of a valid evaluator; null: as the study says.",
    )


class Groups(APIView):
    @extend_schema(
        operation_id="groups_list",
        summary="List the groups of a study's evaluators",
        parameters=[PageQuery],
        responses=page_of(GroupSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        query = checked_query(PageQuery, request)
        return page_response(request, study.groups.all(), query, rows_as(GroupSerializer))

    @extend_schema(
        operation_id="groups_put",
        summary="Make a group, or change the one of that key",
        request=GroupBody,
        responses=GroupSerializer,
    )
    def put(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        fields = checked_body(GroupBody, request)
        group = put_group(study, fields.pop("key"), by=request.user, **fields)
        return Response(GroupSerializer(group).data)


class InvitationSerializer(serializers.ModelSerializer[Invitation]):
    group = serializers.CharField(source="group.key", allow_null=True, default=None)
    evaluator = serializers.CharField(
        source="used_by.pseudonym", allow_null=True, default=None, help_text="Who joined by it."
    )

    class Meta:
        model = Invitation
        fields = [
            "uuid",
            "email",
            "name",
            "group",
            "evaluator",
            "created_at",
            "expires_at",
            "sent_at",
            "used_at",
            "revoked_at",
        ]


class NewInvitationSerializer(InvitationSerializer):
    """A new invitation with its link."""

    token = serializers.CharField()
    address = serializers.URLField()

    class Meta:
        model = Invitation
        fields = [*InvitationSerializer.Meta.fields, "token", "address"]


class NewInvitationsSerializer(serializers.Serializer[Any]):
    invitations = NewInvitationSerializer(many=True)


class InviteeBody(Body):
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True, default="")
    name = serializers.CharField(max_length=LONGEST_NAME, required=False, allow_blank=True, default="")
    group = serializers.SlugField(max_length=40, required=False, allow_blank=True, default="")


class InviteBody(Body):
    people = serializers.ListField(child=InviteeBody(), min_length=1, max_length=MOST_INVITED)
    days_valid = serializers.IntegerField(
        min_value=1, max_value=MOST_DAYS, required=False, default=DAYS_VALID
    )
    send = serializers.BooleanField(
        required=False, default=False, help_text="Mail the link to those who have an address."
    )


class InvitationQuery(PageQuery):
    group = serializers.SlugField(max_length=40, required=False, help_text="Key of a group.")
    used = serializers.BooleanField(required=False, allow_null=True, default=None)


class Invitations(APIView):
    @extend_schema(
        operation_id="invitations_list",
        summary="List the invitations to a study, without their links",
        parameters=[InvitationQuery],
        responses=page_of(InvitationSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        query = checked_query(InvitationQuery, request)
        found = study.invitations.select_related("group", "used_by")
        if "group" in query:
            found = found.filter(group__key=query["group"])
        if query["used"] is not None:
            found = found.filter(used_by__isnull=not query["used"])
        return page_response(request, found, query, rows_as(InvitationSerializer))

    @extend_schema(
        operation_id="invitations_create",
        summary="Invite people, each by a link of their own that is shown to you alone: all or none",
        parameters=[IDEMPOTENCY_KEY],
        request=InviteBody,
        responses={201: NewInvitationsSerializer},
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        fields = checked_body(InviteBody, request)
        people = [
            Invitee(one["email"], one["name"], group_of(study, one["group"])) for one in fields["people"]
        ]
        links = invite(
            study, people, by=request.user, days_valid=fields["days_valid"], nonce=key_sent(request)
        )
        if fields["send"]:
            send_invitations(links, site=request.build_absolute_uri("/"))
        return Response({"invitations": shown_once(request, links)}, status=status.HTTP_201_CREATED)


def shown_once(request: UserRequest, links: Sequence[NewLink]) -> list[dict[str, Any]]:
    """Return new links as `NewInvitationSerializer` or `NewOpenLinkSerializer` says."""
    site, shown = request.build_absolute_uri("/"), []
    for link in links:
        link.made.refresh_from_db(
            fields=["created_at", "sent_at"] if isinstance(link.made, Invitation) else None
        )
        said = (
            InvitationSerializer(link.made).data
            if isinstance(link.made, Invitation)
            else OpenLinkSerializer(link.made).data
        )
        shown.append({**said, "token": link.token, "address": join_address(link.token, site)})
    return shown


class RevokeInvitation(APIView):
    @extend_schema(
        operation_id="invitations_revoke",
        summary="Take an invitation back: its link opens nothing any more",
        request=None,
        responses=ChangedSerializer,
    )
    def post(self, request: UserRequest, slug: str, invitation: UUID) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        found = get_object_or_404(study.invitations, uuid=invitation)
        return Response({"changed": revoke_invitation(found, by=request.user)})


class OpenLinkSerializer(serializers.ModelSerializer[OpenLink]):
    group = serializers.CharField(source="group.key", allow_null=True, default=None)

    class Meta:
        model = OpenLink
        fields = [
            "uuid",
            "name",
            "group",
            "limit",
            "takes_external_ids",
            "needs_signature",
            "completion_code",
            "completion_url",
            "turned_away_code",
            "turned_away_url",
            "created_at",
            "closed_at",
        ]


class NewOpenLinkSerializer(OpenLinkSerializer):
    """An open link with its address, which is shown to whoever made it."""

    token = serializers.CharField()
    address = serializers.URLField()

    class Meta:
        model = OpenLink
        fields = [*OpenLinkSerializer.Meta.fields, "token", "address"]


class OpenLinkBody(Body):
    name = serializers.CharField(
        **bounds_of(OpenLink, "name"), required=False, allow_blank=True, default="", help_text="For you."
    )
    limit = serializers.IntegerField(**bounds_of(OpenLink, "limit"))
    group = serializers.SlugField(max_length=40, required=False, allow_blank=True, default="")
    takes_external_ids = serializers.BooleanField(
        required=False, default=False, help_text="A panel sends people with their id in the address."
    )
    needs_signature = serializers.BooleanField(
        required=False, default=False, help_text="The panel must sign every id."
    )
    completion_code = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    completion_url = serializers.CharField(max_length=400, required=False, allow_blank=True, default="")
    turned_away_code = serializers.CharField(
        max_length=80,
        required=False,
        allow_blank=True,
        default="",
        help_text="For those whom a panel sends over the limit or too late.",
    )
    turned_away_url = serializers.CharField(max_length=400, required=False, allow_blank=True, default="")


class OpenLinks(APIView):
    @extend_schema(
        operation_id="links_list",
        summary="List the open links of a study, without their addresses",
        parameters=[PageQuery],
        responses=page_of(OpenLinkSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        query = checked_query(PageQuery, request)
        return page_response(
            request, study.open_links.select_related("group"), query, rows_as(OpenLinkSerializer)
        )

    @extend_schema(
        operation_id="links_create",
        summary="Make a link by which so many people may join; its address is shown to you alone",
        parameters=[IDEMPOTENCY_KEY],
        request=OpenLinkBody,
        responses={201: NewOpenLinkSerializer},
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        fields = checked_body(OpenLinkBody, request)
        group = group_of(study, fields.pop("group"))
        link = make_open_link(study, group=group, by=request.user, nonce=key_sent(request), **fields)
        return Response(shown_once(request, [link])[0], status=status.HTTP_201_CREATED)


class ShowOpenLink(APIView):
    @extend_schema(
        operation_id="links_show",
        summary="Show an open link with its address again, to whoever made it",
        responses=NewOpenLinkSerializer,
    )
    def get(self, request: UserRequest, slug: str, link: UUID) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        found = get_object_or_404(study.open_links.select_related("group"), uuid=link)
        return Response(shown_once(request, [shown_again(found, by=request.user)])[0])


class CloseOpenLink(APIView):
    @extend_schema(
        operation_id="links_close",
        summary="Let nobody join by an open link any more",
        request=None,
        responses=ChangedSerializer,
    )
    def post(self, request: UserRequest, slug: str, link: UUID) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        found = get_object_or_404(study.open_links, uuid=link)
        return Response({"changed": close_open_link(found, by=request.user)})
