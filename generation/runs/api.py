"""Runs of our own workers by the API: for administrators all of them, for others those they started."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.permissions import IsAdminUser
from rest_framework.response import Response
from rest_framework.views import APIView

from generation.models import GenerationRun, RunPrompt
from generation.refusals import Refused
from generation.runs.progress import RunProgress, Workload, run_progress, workload
from generation.runs.runs import cancel_run, retry_failed
from generation.web.rest import PageQuery, UserRequest, checked_query, page_of, page_response, rows_as
from generation.web.schema import extend_schema


class RunRowSerializer(serializers.ModelSerializer[GenerationRun]):
    method = serializers.CharField(source="method.key")
    started_by = serializers.CharField(
        source="started_by.username", allow_null=True, default=None, help_text="Null: the command line."
    )
    tokens_sent = serializers.IntegerField(
        help_text="Tokens that were sent to an engine and asked of it, at most; 0 where the model is not served by one."
    )
    texts = serializers.IntegerField()
    written = serializers.IntegerField()

    class Meta:
        model = GenerationRun
        fields = [
            "uuid",
            "method",
            "state",
            "model",
            "preset",
            "seed",
            "queue",
            "tokens_sent",
            "started_by",
            "created_at",
            "texts",
            "written",
        ]


class RunProgressSerializer(serializers.Serializer[RunProgress]):
    waiting = serializers.IntegerField()
    running = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    total = serializers.IntegerField()
    pace = serializers.FloatField(allow_null=True, help_text="Texts a second.")
    seconds_left = serializers.FloatField(allow_null=True)
    has_worker = serializers.BooleanField(help_text="A worker that takes the run's queue reported lately.")


class RunSerializer(RunRowSerializer):
    """A run and how far it is."""

    progress = RunProgressSerializer()

    class Meta:
        model = GenerationRun
        fields = [*RunRowSerializer.Meta.fields, "progress"]


class RunTextSerializer(serializers.ModelSerializer[RunPrompt]):
    prompt = serializers.CharField(source="prompt.text")
    text = serializers.SerializerMethodField()

    class Meta:
        model = RunPrompt
        fields = ["number", "prompt", "state", "attempts", "error", "text"]

    def get_text(self, row: RunPrompt) -> str | None:
        texts: dict[int, str] = self.context["texts"]
        return texts.get(row.prompt_id)


class RunQuery(PageQuery):
    state = serializers.ChoiceField(choices=GenerationRun.State.choices, required=False)


class RunTextQuery(PageQuery):
    state = serializers.ChoiceField(choices=RunPrompt.State.choices, required=False)


class WorkloadSerializer(serializers.Serializer[Workload]):
    waiting = serializers.IntegerField(help_text="Texts that wait in all.")
    without_worker = serializers.IntegerField(help_text="Of these, those in queues that no worker takes.")
    workers = serializers.IntegerField(help_text="Workers that reported lately.")


def runs_of(user: User) -> QuerySet[GenerationRun]:
    """Return the runs that a user may see, the latest first."""
    found = GenerationRun.objects.written_here()
    return found if user.is_staff else found.filter(started_by=user.pk)


def counted(runs: QuerySet[GenerationRun]) -> QuerySet[GenerationRun]:
    return runs.annotate(
        texts=Count("run_prompts"),
        written=Count("run_prompts", filter=Q(run_prompts__state=RunPrompt.State.DONE)),
    )


def run_response(user: User, uuid: UUID) -> Response:
    run = get_object_or_404(counted(runs_of(user)), uuid=uuid)
    progress = RunProgressSerializer(run_progress(run)).data
    return Response({**RunRowSerializer(run).data, "progress": progress})


class Runs(APIView):
    @extend_schema(
        operation_id="runs_list",
        summary="List the generation runs you may see, the latest first",
        parameters=[RunQuery],
        responses=page_of(RunRowSerializer),
    )
    def get(self, request: UserRequest) -> Response:
        query = checked_query(RunQuery, request)
        found = runs_of(request.user)
        if "state" in query:
            found = found.filter(state=query["state"])
        return page_response(request, counted(found), query, rows_as(RunRowSerializer))


class Run(APIView):
    @extend_schema(operation_id="run", summary="Show a run and how far it is", responses=RunSerializer)
    def get(self, request: UserRequest, run: UUID) -> Response:
        return run_response(request.user, run)


class RunTexts(APIView):
    @extend_schema(
        operation_id="run_texts_list",
        summary="List the prompts of a run with what was written, or why nothing was",
        parameters=[RunTextQuery],
        responses=page_of(RunTextSerializer),
    )
    def get(self, request: UserRequest, run: UUID) -> Response:
        found = get_object_or_404(runs_of(request.user), uuid=run)
        query = checked_query(RunTextQuery, request)
        prompts = found.run_prompts.select_related("prompt")
        if "state" in query:
            prompts = prompts.filter(state=query["state"])

        def shown(rows: Any) -> Any:
            written = found.candidates.filter(prompt__in=[row.prompt_id for row in rows])
            texts = dict(written.values_list("prompt_id", "text"))
            return RunTextSerializer(rows, many=True, context={"texts": texts}).data

        return page_response(request, prompts, query, shown)


class CancelRun(APIView):
    @extend_schema(
        operation_id="run_cancel",
        summary="End a run; what is written stays",
        request=None,
        responses=RunSerializer,
    )
    def post(self, request: UserRequest, run: UUID) -> Response:
        if not cancel_run(get_object_or_404(runs_of(request.user), uuid=run)):
            raise Refused("The run is over already.")
        return run_response(request.user, run)


class RetryRun(APIView):
    @extend_schema(
        operation_id="run_retry",
        summary="Let the workers try the failed prompts of a run again",
        request=None,
        responses=RunSerializer,
    )
    def post(self, request: UserRequest, run: UUID) -> Response:
        if not retry_failed(get_object_or_404(runs_of(request.user), uuid=run)):
            raise Refused("No prompt of this run failed, or it is cancelled.")
        return run_response(request.user, run)


class CurrentWorkload(APIView):
    permission_classes = [IsAdminUser]

    @extend_schema(
        operation_id="workload",
        summary="Say how much waits to be written and how many workers are there",
        responses=WorkloadSerializer,
    )
    def get(self, request: UserRequest) -> Response:
        return Response(WorkloadSerializer(workload()).data)
