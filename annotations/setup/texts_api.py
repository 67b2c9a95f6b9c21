"""The texts of a study by the API: its prompts, its candidates, and the runs that write candidates for it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from rest_framework import serializers, status
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.permissions import Right, study_for
from annotations.models import Page, PageCandidate, StudyMethod, StudyRun
from annotations.models.bounds import bounds_of
from annotations.questionnaire.api import PartSerializer, TurnSerializer
from annotations.setup.runs import add_run, start_run
from annotations.setup.study import label_methods
from generation.methods import PRESETS
from generation.runs.runs import LARGEST_SEED, MODEL_NAME
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


class PromptRowSerializer(serializers.ModelSerializer[Page]):
    subtask = serializers.IntegerField(source="subtask.number")
    page = serializers.IntegerField(source="number")
    genre = serializers.CharField(source="prompt.genre")
    text = serializers.CharField(source="prompt.text")
    description = serializers.CharField(source="prompt.description")
    prompt_id = serializers.CharField(source="prompt.external_id")
    parts = serializers.ListField(source="prompt.parts", child=PartSerializer())
    turns = serializers.ListField(source="prompt.turns", child=TurnSerializer())
    tags = serializers.DictField(source="prompt.tags", child=serializers.CharField())

    notes = serializers.DictField(help_text="What the file said beside the prompt.")

    class Meta:
        model = Page
        fields = [
            "subtask",
            "page",
            "genre",
            "prompt_id",
            "text",
            "description",
            "parts",
            "turns",
            "tags",
            "notes",
        ]


class CandidateRowSerializer(serializers.ModelSerializer[PageCandidate]):
    subtask = serializers.IntegerField(source="page.subtask.number")
    page = serializers.IntegerField(source="page.number")
    prompt = serializers.CharField(source="page.prompt.heading")
    prompt_id = serializers.CharField(source="page.prompt.external_id")
    method = serializers.CharField(source="study_method.method.key")
    text = serializers.CharField(source="candidate.text")
    run = serializers.UUIDField(source="candidate.run.uuid")

    class Meta:
        model = PageCandidate
        fields = ["subtask", "page", "prompt", "prompt_id", "method", "text", "run"]


class MethodRowSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    key = serializers.CharField(source="method.key")
    label = serializers.CharField(source="name")  # type: ignore[assignment]


class LabelBody(Body):
    label = serializers.CharField(  # type: ignore[assignment]
        **bounds_of(StudyMethod, "label"),
        allow_blank=True,
        help_text="What reports call the method; empty: as it is called elsewhere.",
    )


class PromptQuery(PageQuery):
    subtask = serializers.IntegerField(min_value=1, max_value=32_767, required=False)


class CandidateQuery(PromptQuery):
    method = serializers.SlugField(max_length=50, required=False)


class Prompts(APIView):
    @extend_schema(
        operation_id="prompts_list",
        summary="List the prompts of a study in the order of its pages",
        parameters=[PromptQuery],
        responses=page_of(PromptRowSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.WATCH)
        query = checked_query(PromptQuery, request)
        found = Page.objects.filter(subtask__study=study).select_related("subtask", "prompt")
        if "subtask" in query:
            found = found.filter(subtask__number=query["subtask"])
        return page_response(request, found, query, rows_as(PromptRowSerializer))


class Methods(APIView):
    @extend_schema(
        operation_id="methods_list",
        summary="List the methods of a study, for those who analyse or run it",
        parameters=[PageQuery],
        responses=page_of(MethodRowSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.ANALYSE)
        query = checked_query(PageQuery, request)
        found = study.study_methods.select_related("method")
        return page_response(request, found, query, rows_as(MethodRowSerializer))


class OneMethod(APIView):
    @extend_schema(
        operation_id="methods_label",
        summary="Change what a method is called in the reports of a study",
        request=LabelBody,
        responses=MethodRowSerializer,
    )
    def patch(self, request: UserRequest, slug: str, key: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        found = get_object_or_404(study.study_methods.select_related("method"), method__key=key)
        try:
            label_methods(study, {key: checked_body(LabelBody, request)["label"]}, by=request.user)
        except ValidationError as error:
            raise ValidationError({"label": error.messages}) from error
        found.refresh_from_db(fields=["label"])
        return Response(MethodRowSerializer(found).data)


class Candidates(APIView):
    @extend_schema(
        operation_id="candidates_list",
        summary="List the candidates of a study with their methods, for those who analyse or run it",
        parameters=[CandidateQuery],
        responses=page_of(CandidateRowSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.ANALYSE)
        query = checked_query(CandidateQuery, request)
        found = (
            PageCandidate.objects.filter(page__subtask__study=study)
            .select_related("page__subtask", "page__prompt", "study_method__method", "candidate__run")
            .order_by("page__subtask__number", "page__number", "study_method__number")
        )
        if "subtask" in query:
            found = found.filter(page__subtask__number=query["subtask"])
        if "method" in query:
            found = found.filter(study_method__method__key=query["method"])
        return page_response(request, found, query, rows_as(CandidateRowSerializer))


class StudyRunSerializer(serializers.ModelSerializer[StudyRun]):
    run = serializers.UUIDField(source="run.uuid")
    method = serializers.CharField(source="run.method.key")
    state = serializers.CharField(source="run.state")

    class Meta:
        model = StudyRun
        fields = ["run", "method", "state", "added_at", "refused_at"]


class RunBody(Body):
    method = serializers.SlugField(max_length=50)
    model = serializers.RegexField(rf"^{MODEL_NAME.pattern}\Z", required=False, allow_blank=True)
    preset = serializers.ChoiceField(choices=list(PRESETS), required=False)
    seed = serializers.IntegerField(min_value=0, max_value=LARGEST_SEED, required=False)


class StudyRuns(APIView):
    @extend_schema(
        operation_id="study_runs_list",
        summary="List the runs that write candidates for a study, the latest first",
        parameters=[PageQuery],
        responses=page_of(StudyRunSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        query = checked_query(PageQuery, request)
        found = study.study_runs.select_related("run__method").order_by("-pk")
        return page_response(request, found, query, rows_as(StudyRunSerializer))

    @extend_schema(
        operation_id="study_runs_start",
        summary="Have workers write a text by a method for every prompt of a study",
        parameters=[IDEMPOTENCY_KEY],
        request=RunBody,
        responses={201: StudyRunSerializer},
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        fields = checked_body(RunBody, request)
        study_run = make_once(
            key_sent(request),
            f"run of study {study.pk} by {request.user.pk}",
            lambda: start_run(study, fields.pop("method"), started_by=request.user, **fields),
            study.study_runs.select_related("run__method"),
        )
        return Response(StudyRunSerializer(study_run).data, status=status.HTTP_201_CREATED)


class AddRun(APIView):
    @extend_schema(
        operation_id="study_runs_add",
        summary="Add a finished run to a study that could not take it before",
        request=None,
        responses=StudyRunSerializer,
    )
    def post(self, request: UserRequest, slug: str, run: UUID) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        found = get_object_or_404(study.study_runs.select_related("run__method"), run__uuid=run)
        add_run(found, added_by=request.user)
        found.refresh_from_db(fields=["added_at", "refused_at"])
        return Response(StudyRunSerializer(found).data)
