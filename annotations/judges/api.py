"""Judges by the API: storing the scores of one, listing them, deleting one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers, status
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.permissions import Right, study_for
from annotations.judges.judges import About, delete_judge, judges_of
from annotations.judges.runs import (
    MOST_ORDERS,
    MOST_REPEATS,
    MOST_TOKENS,
    Asking,
    runs_of,
    start_run,
    stop_run,
    take_up,
)
from annotations.judges.uploads import ScoresRead, import_upload
from annotations.models import Job, Judge, JudgeRun, Study
from annotations.models.bounds import bounds_of
from annotations.uploads.api import StoringSerializer, storing_response
from generation.web.idempotency import IDEMPOTENCY_KEY, key_sent
from generation.web.once import make_once
from generation.web.rest import (
    TABLE_PARSERS,
    Body,
    PageQuery,
    Strict,
    UserRequest,
    checked_body,
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


class JudgeRunSerializer(serializers.ModelSerializer[JudgeRun]):
    """A run of a served judge: how far it is, and what it has used."""

    judge = serializers.CharField(source="judge.key")
    state = serializers.CharField()
    probe = serializers.CharField()
    asked = serializers.IntegerField(help_text="Pages, times orders and repeats.")
    answered = serializers.IntegerField()
    unread = serializers.IntegerField(help_text="Answers that no scores could be read from.")
    failed = serializers.IntegerField()

    class Meta:
        model = JudgeRun
        fields = [
            "uuid",
            "judge",
            "probe",
            "state",
            "error",
            "asked",
            "answered",
            "unread",
            "failed",
            "tokens",
            "most_tokens",
            "money",
            "most_money",
            "created_at",
        ]


class JudgeRunBody(Body):
    judge = serializers.SlugField(**bounds_of(Judge, "key"), help_text="Its short name.")
    server = serializers.CharField(max_length=50, help_text="One that the site's settings name.")
    orders = serializers.IntegerField(min_value=1, max_value=MOST_ORDERS, required=False, default=2)
    repeats = serializers.IntegerField(min_value=1, max_value=MOST_REPEATS, required=False, default=1)
    temperature = serializers.FloatField(min_value=0, max_value=2, required=False, default=0)
    own_methods = serializers.ListField(
        child=serializers.SlugField(max_length=50), required=False, default=list
    )
    probe = serializers.ChoiceField(
        choices=JudgeRun.Probe.values,
        required=False,
        default="",
        help_text="What is asked instead of ratings.",
    )
    most_tokens = serializers.IntegerField(
        min_value=1, max_value=MOST_TOKENS, help_text="Counted before anything is sent."
    )
    most_money = serializers.DecimalField(
        max_digits=12, decimal_places=4, min_value=0, required=False, allow_null=True
    )


class JudgeRunChange(Body):
    act = serializers.ChoiceField(choices=["stop", "go on"])
    most_tokens = serializers.IntegerField(min_value=1, max_value=MOST_TOKENS, required=False)


class JudgeRuns(APIView):
    @extend_schema(
        operation_id="judge_runs_list",
        summary="List the runs of a study's served judges, the latest first",
        parameters=[PageQuery],
        responses=page_of(JudgeRunSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        query = checked_query(PageQuery, request)
        return page_response(request, runs_of(study), query, rows_as(JudgeRunSerializer))

    @extend_schema(
        operation_id="judge_runs_start",
        summary="Have a served language model rate the texts of a study, or one of its probes",
        parameters=[IDEMPOTENCY_KEY],
        request=JudgeRunBody,
        responses={201: JudgeRunSerializer},
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        said = checked_body(JudgeRunBody, request)
        asking = Asking(
            **{name: said[name] for name in ("server", "orders", "repeats", "temperature")},
            own_methods=tuple(said["own_methods"]),
        )
        run = make_once(
            key_sent(request),
            f"judge of study {study.pk} by {request.user.pk}",
            lambda: start_run(
                study,
                said["judge"],
                asking,
                most_tokens=said["most_tokens"],
                most_money=said.get("most_money"),
                probe=said["probe"],
                by=request.user,
            ),
            JudgeRun.objects.filter(judge__study=study),
        )
        return run_response(study, run, status.HTTP_201_CREATED)


def run_response(study: Study, run: JudgeRun, code: int = status.HTTP_200_OK) -> Response:
    return Response(JudgeRunSerializer(runs_of(study).get(pk=run.pk)).data, status=code)


class OneJudgeRun(APIView):
    @extend_schema(
        operation_id="judge_runs_change",
        summary="Stop a run of a served judge, or let it go on, with another budget if one is given",
        request=JudgeRunChange,
        responses=JudgeRunSerializer,
    )
    def post(self, request: UserRequest, slug: str, judge_run: UUID) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        said = checked_body(JudgeRunChange, request)
        found = JudgeRun.objects.select_related("judge__study").filter(judge__study=study)
        run = get_object_or_404(found, uuid=judge_run)
        if said["act"] == "stop":
            stop_run(run, by=request.user)
        else:
            take_up(run, most_tokens=said.get("most_tokens"), by=request.user)
        return run_response(study, run)


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
        description="Of more than 2 MB a worker stores them: the answer is the job that does.",
        parameters=[JudgeRatingsQuery],
        request={parser.media_type: OpenApiTypes.BINARY for parser in TABLE_PARSERS},
        responses={200: JudgeSerializer, 201: JudgeSerializer, 202: StoringSerializer},
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
        reading = ScoresRead(about, query["map"], query["encoding"], replaces=query["replaces"])
        upload = SimpleUploadedFile(query["name"], content or b"")
        done = import_upload(study, upload, reading, by=request.user)
        if isinstance(done, Job):
            return storing_response(request, done)
        judge, is_new, _file = done
        stored = judges_of(study).get(pk=judge.pk)
        return Response(
            JudgeSerializer(stored).data, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        )
