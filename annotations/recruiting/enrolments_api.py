"""The evaluators of a study by the API, with who they are: for those who run it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.api import UserBody
from annotations.access.permissions import Right, study_for
from annotations.models import Enrolment, Study
from annotations.models.bounds import MOST_DAYS
from annotations.recruiting.deadlines import set_deadlines
from annotations.recruiting.enrolment import enrol_by_staff, extend_deadline
from annotations.recruiting.invitations import group_of
from annotations.recruiting.withdrawal import withdraw
from generation.refusals import Refused
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


class EnrolBody(UserBody):
    group = serializers.SlugField(max_length=40, required=False, allow_blank=True, default="")


class EnrolmentSerializer(serializers.ModelSerializer[Enrolment]):
    """An evaluator as only those see them who run the study: with who it is."""

    evaluator = serializers.CharField(source="pseudonym")
    username = serializers.CharField(source="evaluator.username")
    email = serializers.CharField(source="evaluator.email")
    group = serializers.CharField(source="group.key", allow_null=True, default=None)

    class Meta:
        model = Enrolment
        fields = [
            "evaluator",
            "username",
            "email",
            "group",
            "source",
            "external_id",
            "created_at",
            "deadline",
            "consented_at",
            "withdrawn_at",
        ]


class EnrolmentQuery(PageQuery):
    source = serializers.ChoiceField(choices=Enrolment.Source.choices, required=False)  # type: ignore[assignment]
    group = serializers.SlugField(max_length=40, required=False, help_text="Key of a group.")


class Enrolments(APIView):
    @extend_schema(
        operation_id="enrolments_list",
        summary="List who the evaluators of a study are, for those who run it",
        parameters=[EnrolmentQuery],
        responses=page_of(EnrolmentSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        query = checked_query(EnrolmentQuery, request)
        found = study.enrolments.select_related("evaluator", "group")
        if "source" in query:
            found = found.filter(source=query["source"])
        if "group" in query:
            found = found.filter(group__key=query["group"])
        return page_response(request, found, query, rows_as(EnrolmentSerializer))

    @extend_schema(
        operation_id="enrolments_create",
        summary="Enrol a user who has an account; whoever is enrolled already stays as they are",
        request=EnrolBody,
        responses=EnrolmentSerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        fields = checked_body(EnrolBody, request)
        user = User.objects.filter(username=fields["username"], is_active=True).first()
        if user is None:
            raise Refused(f"There is no user {fields['username']}.")
        enrolment = enrol_by_staff(study, user, by=request.user, group=group_of(study, fields["group"]))
        return enrolment_response(study, enrolment.pseudonym)


class EvaluatorBody(Body):
    evaluator = serializers.CharField(max_length=150, help_text="Pseudonym.")


class ExtendBody(EvaluatorBody):
    days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS)


def enrolment_named(study: Study, pseudonym: str) -> Enrolment:
    """Return the enrolment of a pseudonym; raise `Refused`."""
    found = study.enrolments.select_related("study", "evaluator", "group").filter(pseudonym=pseudonym).first()
    if found is None:
        raise Refused(f"The study has no evaluator {pseudonym}.")
    return found


def enrolment_response(study: Study, pseudonym: str) -> Response:
    return Response(EnrolmentSerializer(enrolment_named(study, pseudonym)).data)


class ExtendDeadline(APIView):
    @extend_schema(
        operation_id="enrolments_extend",
        summary="Give an evaluator more days",
        request=ExtendBody,
        responses=EnrolmentSerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        fields = checked_body(ExtendBody, request)
        enrolment = enrolment_named(study, fields["evaluator"])
        extend_deadline(enrolment, days=fields["days"], by=request.user)
        return enrolment_response(study, enrolment.pseudonym)


class DeadlinesBody(Body):
    evaluators = serializers.ListField(child=serializers.CharField(max_length=150), help_text="Pseudonyms.")
    deadline = serializers.DateTimeField()
    tell = serializers.BooleanField(default=False, help_text="Mail those who have an address.")


class MovedSerializer(serializers.Serializer[Any]):
    moved = serializers.ListField(
        child=serializers.CharField(), help_text="Those whose deadline was another one before."
    )
    letters = serializers.IntegerField(help_text="How many the mail server took.")


class SetDeadlines(APIView):
    @extend_schema(
        operation_id="enrolments_deadline",
        summary="Give many evaluators one deadline: all of them or none",
        request=DeadlinesBody,
        responses=MovedSerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        fields = checked_body(DeadlinesBody, request)
        moved = set_deadlines(
            study, fields["evaluators"], fields["deadline"], by=request.user, tell=fields["tell"]
        )
        return Response({"moved": [one.pseudonym for one in moved.enrolments], "letters": moved.letters})


class WithdrawnSerializer(serializers.Serializer[Any]):
    removed = serializers.IntegerField(help_text="Answers that were removed.")


class WithdrawEvaluator(APIView):
    @extend_schema(
        operation_id="enrolments_withdraw",
        summary="Remove an evaluator's answers and who it was, as they asked for",
        request=EvaluatorBody,
        responses=WithdrawnSerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        enrolment = enrolment_named(study, checked_body(EvaluatorBody, request)["evaluator"])
        return Response({"removed": withdraw(enrolment, by=request.user)})
