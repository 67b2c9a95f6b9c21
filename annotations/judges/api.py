"""Judges by the API: storing the scores of one, listing them, deleting one."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers, status
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.permissions import Right, study_for
from annotations.judges.judges import About, delete_judge, judges_of
from annotations.judges.uploads import import_upload
from annotations.models import Judge
from annotations.models.bounds import bounds_of
from generation.web.rest import (
    TABLE_PARSERS,
    PageQuery,
    Strict,
    UserRequest,
    checked_query,
    page_of,
    page_response,
    rows_as,
)
from generation.web.schema import extend_schema


class JudgeSerializer(serializers.ModelSerializer[Judge]):
    """A judge of a study; no score of it is here."""

    scores = serializers.IntegerField(help_text="How many scores it has.")
    texts = serializers.IntegerField(help_text="How many texts of the study have a score.")
    kind = serializers.CharField()
    saw_answers = serializers.CharField()
    sampling = serializers.CharField()
    own_methods = serializers.ListField(child=serializers.CharField())
    source = serializers.DictField()  # type: ignore[assignment]

    class Meta:
        model = Judge
        fields = [
            "key",
            "label",
            "kind",
            "version",
            "saw_answers",
            "has_own_scale",
            "sampling",
            "own_methods",
            "source",
            "scores",
            "texts",
            "created_at",
        ]


class JudgeRatingsQuery(Strict):
    judge = serializers.SlugField(**bounds_of(Judge, "key"), help_text="Its short name.")
    label = serializers.CharField(
        **bounds_of(Judge, "label"), required=False, default="", help_text="The short name if left out."
    )  # type: ignore[assignment]
    version = serializers.CharField(
        **bounds_of(Judge, "version"), required=False, default="", help_text="Model, version, prompt."
    )
    saw_answers = serializers.ChoiceField(
        choices=Judge.SawAnswers.values, help_text="Whether people's answers were in sight."
    )
    has_own_scale = serializers.BooleanField(
        required=False, default=False, help_text="As the scores of metrics do."
    )
    sampling = serializers.ChoiceField(
        choices=Judge.Sampling.values,
        required=False,
        default=Judge.Sampling.ALL,
        help_text="How the prompts that people rate came from all prompts of the file.",
    )
    own_methods = serializers.CharField(
        required=False, default="", help_text="Methods of the judge's own family, by comma."
    )
    map = serializers.CharField(
        required=False, default="", help_text="What columns are: prompt=doc,score=bleurt"
    )
    replaces = serializers.BooleanField(
        required=False, default=False, help_text="Replace the scores that this judge has."
    )
    name = serializers.CharField(max_length=100, required=False, default="scores")
    encoding = serializers.CharField(
        max_length=40, required=False, default="", help_text="Of a file that is neither UTF-8 nor UTF-16."
    )


class Judges(APIView):
    @extend_schema(
        operation_id="judges_list",
        summary="List the judges and metrics of a study, without their scores",
        parameters=[PageQuery],
        responses=page_of(JudgeSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        query = checked_query(PageQuery, request)
        return page_response(request, judges_of(study), query, rows_as(JudgeSerializer))


class OneJudge(APIView):
    @extend_schema(
        operation_id="judges_delete", summary="Delete a judge with its scores", responses={204: None}
    )
    def delete(self, request: UserRequest, slug: str, judge: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        delete_judge(get_object_or_404(study.judges.select_related("study"), key=judge), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class JudgeRatings(APIView):
    parser_classes = TABLE_PARSERS

    @extend_schema(
        operation_id="judge_ratings_import",
        summary="Store the scores of a judge or metric; the same again changes nothing",
        parameters=[JudgeRatingsQuery],
        request={parser.media_type: OpenApiTypes.BINARY for parser in TABLE_PARSERS},
        responses={200: JudgeSerializer, 201: JudgeSerializer},
    )
    def put(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        query = checked_query(JudgeRatingsQuery, request)
        content: Any = request.data
        about = About(
            key=query["judge"],
            own_methods=tuple(filter(None, (one.strip() for one in query["own_methods"].split(",")))),
            **{
                name: query[name] for name in ("label", "version", "saw_answers", "has_own_scale", "sampling")
            },
        )
        judge, is_new, _file = import_upload(
            study,
            SimpleUploadedFile(query["name"], content or b""),
            about,
            columns=query["map"],
            encoding=query["encoding"],
            replaces=query["replaces"],
            by=request.user,
        )
        stored = judges_of(study).get(pk=judge.pk)
        return Response(
            JudgeSerializer(stored).data, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        )
