"""What of the API belongs to no app: coming into a study by a link, with a token to go on by."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.recruiting.joining import FormSpent, LinkRefused, Who, WhoIsIt, join
from annotations.recruiting.panel import External
from annotations.recruiting.tokens import TOKEN
from evalsite.accounts.tokens import make_token
from generation.refusals import Refused
from generation.web.addresses import address_of
from generation.web.idempotency import IDEMPOTENCY_KEY, key_sent
from generation.web.rest import Body, checked_body
from generation.web.schema import extend_schema


class JoinBody(Body):
    link = serializers.RegexField(
        rf"^{TOKEN.pattern}\Z", help_text="The last part of the address of an invitation or an open link."
    )
    external_id = serializers.CharField(
        max_length=100,
        required=False,
        allow_blank=True,
        default="",
        help_text="Your id with the panel that sent you.",
    )
    signature = serializers.CharField(
        max_length=100,
        required=False,
        allow_blank=True,
        default="",
        help_text="HMAC-SHA256 of the id with the secret of the study, by which you come back on another device.",
    )
    who = serializers.ChoiceField(
        choices=[who.value for who in Who],
        required=False,
        help_text="Whether a link that nobody has used is for whose token is sent, as it is without this, or not.",
    )


class JoinedSerializer(serializers.Serializer[Any]):
    study = serializers.CharField()
    is_new = serializers.BooleanField(help_text="False where you have come back.")
    token = serializers.CharField(
        allow_null=True, help_text="Yours from now on, in place of any before; null where you came with one."
    )


class Join(APIView):
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="join",
        summary="Come into a study by a link, or come back by it",
        auth=[{}, {"tokenAuth": []}, {"cookieAuth": []}],  # type: ignore[list-item]
        parameters=[IDEMPOTENCY_KEY],
        request=JoinBody,
        responses=JoinedSerializer,
    )
    def post(self, request: Request) -> Response:
        fields = checked_body(JoinBody, request)
        visitor = request.user if isinstance(request.user, User) else None
        try:
            joined = join(
                fields["link"],
                visitor,
                address=address_of(request),
                external=External(id=fields["external_id"].strip(), signature=fields["signature"]),
                who=Who(fields.get("who", Who.MYSELF)) if visitor else None,
                nonce=key_sent(request),
            )
        except WhoIsIt as error:
            raise Refused(
                _("An account that a link made takes no second link: send no token, or who as somebody-else.")
            ) from error
        except FormSpent as error:
            raise Refused(_("Somebody has joined with this Idempotency-Key: send another one.")) from error
        except LinkRefused as error:
            raise Refused(str(error)) from error
        enrolment = joined.enrolment
        is_own = visitor is not None and enrolment.evaluator_id == visitor.pk
        return Response(
            {
                "study": enrolment.study.slug,
                "is_new": joined.is_new,
                "token": None if is_own else make_token(enrolment.evaluator),
            }
        )
