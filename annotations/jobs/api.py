"""Jobs by the API: asking for one, how far it is, stopping it, and its file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers, status
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from annotations.access.permissions import Right, study_for
from annotations.jobs.files import NO, YES
from annotations.jobs.kinds import KINDS
from annotations.jobs.queueing import job_for, queue_job, stop_job
from annotations.jobs.telling import set_tell
from annotations.jobs.views import file_response
from annotations.models import AnalysisPlan, Job
from annotations.results.preferences.wanted import LAYOUTS
from generation.web.rest import Body, UserRequest, checked_body, name_choices
from generation.web.schema import extend_schema


class JobSerializer(serializers.ModelSerializer[Job]):
    """A piece of long work and how far it is."""

    study = serializers.CharField(source="study.slug", allow_null=True, default=None)
    parameters = serializers.DictField(help_text="What its kind takes, as it was asked for.")
    error = serializers.CharField(help_text="Why the last attempt came to nothing.")
    file = serializers.SerializerMethodField(help_text="Where the file is, once it is done.")
    made = serializers.CharField(
        source="made.slug",
        allow_null=True,
        default=None,
        help_text="The study in which something was stored.",
    )

    class Meta:
        model = Job
        fields = [
            "uuid",
            "study",
            "kind",
            "parameters",
            "state",
            "done",
            "total",
            "error",
            "created_at",
            "finished_at",
            "tell",
            "file",
            "made",
        ]

    def get_file(self, job: Job) -> str | None:
        if job.state != Job.State.DONE or job.file_bytes is None:
            return None
        return reverse("api:job_file", [job.uuid], request=self.context["request"])


def values_of(parameter: str) -> list[str]:
    """Return the values that a parameter can have in any kind of job."""
    return list(dict.fromkeys(name for kind in KINDS.values() for name in kind.parameters.get(parameter, ())))


class JobBody(Body):
    kind = serializers.ChoiceField(choices=[name for name, kind in KINDS.items() if not kind.is_import])
    format = serializers.ChoiceField(choices=values_of("format"), required=False)
    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=values_of("source"), required=False, help_text="Of preference pairs."
    )
    layout = serializers.ChoiceField(
        choices=LAYOUTS, required=False, help_text="Of preferences: in place of pairs by a source."
    )
    conversational = serializers.BooleanField(required=False, help_text="Of a layout of preferences.")
    by_evaluator = serializers.BooleanField(required=False, help_text="Of a layout of preferences.")
    evaluators = serializers.ChoiceField(
        choices=values_of("evaluators"), required=False, help_text="Of a rehearsal."
    )
    effect = serializers.ChoiceField(
        choices=values_of("effect"), required=False, help_text="Of a rehearsal, in points."
    )
    metric = serializers.ChoiceField(
        choices=values_of("metric"), required=False, help_text="Of the scores of a metric."
    )
    off_scale = serializers.ChoiceField(
        choices=AnalysisPlan.OffScale.choices, required=False, help_text="Of a report; kept if left out."
    )
    tell = serializers.BooleanField(default=False, help_text="Mail you when it has ended.")

    def to_internal_value(self, data: Any) -> Any:
        kind = data.get("kind") if isinstance(data, Mapping) else None
        if isinstance(kind, str) and kind in KINDS:
            for name, values in KINDS[kind].parameters.items():
                name_choices(self.fields[name], values)
        return super().to_internal_value(data)


def job_response(request: UserRequest, job: Job, code: int = status.HTTP_200_OK) -> Response:
    return Response(JobSerializer(job, context={"request": request}).data, status=code)


class Jobs(APIView):
    @extend_schema(
        operation_id="jobs_queue",
        summary="Have a worker make a file of a study's results or rehearse it; what is under way is not begun twice",
        request=JobBody,
        responses={202: JobSerializer},
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.ANALYSE)
        parameters: dict[str, Any] = checked_body(JobBody, request)
        kind, tell = parameters.pop("kind"), parameters.pop("tell")
        for name in ("conversational", "by_evaluator"):
            if name in parameters:
                parameters[name] = YES if parameters[name] else NO
        with transaction.atomic():
            job = queue_job(study, kind, parameters, by=request.user)
            if tell:
                set_tell(job, by=request.user, tell=True)
        return job_response(request, job, status.HTTP_202_ACCEPTED)


class OneJob(APIView):
    @extend_schema(operation_id="job", summary="Return how far a job is", responses=JobSerializer)
    def get(self, request: UserRequest, job: UUID) -> Response:
        return job_response(request, job_for(request.user, job))

    @extend_schema(
        operation_id="job_stop",
        summary="Stop a job; what is done of it is lost, and one that has ended stays as it is",
        responses=JobSerializer,
    )
    def delete(self, request: UserRequest, job: UUID) -> Response:
        stop_job(job_for(request.user, job), by=request.user)
        return job_response(request, job_for(request.user, job))


class JobFile(APIView):
    @extend_schema(
        operation_id="job_file",
        summary="Return the file of a job; 409 while it is not ready, 403 while the study is sealed",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: UserRequest, job: UUID) -> StreamingHttpResponse:
        return file_response(request.user, job_for(request.user, job))
