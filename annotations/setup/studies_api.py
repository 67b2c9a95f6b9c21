"""Studies by the API: those one has a part in, their set-up, and the steps of their life."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.permissions import RIGHTS, Right, Role, studies_of, study_for
from annotations.models import Study, StudyRole
from annotations.questionnaire.api import CriterionSerializer
from annotations.text_serializers import Texts
from generation.web.rest import PageQuery, UserRequest, checked_query, page_of, page_response
from generation.web.schema import extend_schema

# What is said of a study in a list and alone; its methods are not among it.
STUDY_FIELDS = [
    "slug",
    "title",
    "genre",
    "text_language",
    "state",
    "sealed",
    "rights",
    "created_at",
    "signed_off_at",
    "launched_at",
    "closed_at",
]


class StudyRowSerializer(serializers.ModelSerializer[Study]):
    title = Texts()
    sealed = serializers.BooleanField(
        source="is_sealed", help_text="Numbers by method are kept from everybody."
    )
    rights = serializers.SerializerMethodField(help_text="What you may do with it.")

    class Meta:
        model = Study
        fields = STUDY_FIELDS

    @extend_schema_field(
        serializers.ListField(child=serializers.ChoiceField([right.value for right in Right]))
    )
    def get_rights(self, study: Study) -> list[str]:
        role = getattr(study, "role", None)
        if self.context["user"].is_staff:
            return sorted(right.value for right in Right)
        return sorted(right.value for right in RIGHTS[Role(role)]) if role else []


class StudySerializer(StudyRowSerializer):
    instructions = Texts()
    consent = Texts()
    criteria = CriterionSerializer(many=True)

    class Meta:
        model = Study
        fields = [
            *STUDY_FIELDS,
            "normalisation",
            "rendering",
            "protocol",
            "preference_scale",
            "candidates_per_page",
            "has_best_picks",
            "reasons",
            "has_corrections",
            "allows_missing_texts",
            "instructions",
            "consent",
            "interface_languages",
            "questions",
            "contact",
            "days_to_rate",
            "prompts_per_subtask",
            "evaluators_per_subtask",
            "subtasks_per_evaluator",
            "hours_to_give_back",
            "inconsistency_threshold",
            "payment",
            "currency",
            "criteria",
        ]


class StudyQuery(PageQuery):
    state = serializers.ChoiceField(choices=Study.State.choices, required=False)


def own_studies(user: User) -> Any:
    """Return the studies a user has a part in, the latest first, with whether each is sealed and the user's role."""
    role = StudyRole.objects.filter(study=OuterRef("pk"), user=user.pk).values("role")
    return (
        studies_of(user)
        .annotate(is_sealed=Exists(Study.objects.sealed().filter(pk=OuterRef("pk"))), role=role)
        .order_by("-created_at", "-pk")
    )


def study_response(user: User, slug: str, *, status: int = 200) -> Response:
    """Return all that is to be said of a study to a user who has a part in it."""
    study = own_studies(user).prefetch_related("criteria").get(slug=slug)
    return Response(StudySerializer(study, context={"user": user}).data, status=status)


class Studies(APIView):
    @extend_schema(
        operation_id="studies_list",
        summary="List the studies you have a part in running",
        parameters=[StudyQuery],
        responses=page_of(StudyRowSerializer),
    )
    def get(self, request: UserRequest) -> Response:
        query = checked_query(StudyQuery, request)
        found = own_studies(request.user)
        if "state" in query:
            found = found.filter(state=query["state"])
        return page_response(
            request,
            found,
            query,
            lambda rows: StudyRowSerializer(rows, many=True, context={"user": request.user}).data,
        )


class OneStudy(APIView):
    @extend_schema(operation_id="study", summary="Show a study and its criteria", responses=StudySerializer)
    def get(self, request: UserRequest, slug: str) -> Response:
        study_for(request.user, slug, Right.WATCH)
        return study_response(request.user, slug)
