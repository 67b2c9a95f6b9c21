"""How a study goes, by the API: evaluators, progress, payments, roles and the log. Nothing here is by method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers, status
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.permissions import Right, study_for
from annotations.models import Enrolment
from annotations.monitoring.dashboard import (
    Alpha,
    Dashboard,
    EvaluatorRow,
    Funnel,
    Stage,
    SubtaskRow,
    dashboard,
)
from generation.web.rest import (
    PageQuery,
    UserRequest,
    checked_query,
    page_of,
    page_response,
)
from generation.web.schema import extend_schema


class EvaluatorSerializer(serializers.Serializer[EvaluatorRow]):
    """How far, how fast and how carefully an evaluator answers."""

    evaluator = serializers.CharField(source="enrolment.pseudonym")
    source = serializers.ChoiceField(choices=Enrolment.Source.choices, source="enrolment.source")  # type: ignore[assignment]
    group = serializers.CharField(source="group_key", allow_null=True)
    stage = serializers.ChoiceField(choices=Stage.choices)
    enrolled_at = serializers.DateTimeField(source="enrolment.created_at")
    deadline = serializers.DateTimeField(source="enrolment.deadline")
    answered = serializers.IntegerField(source="sums.answered")
    total = serializers.IntegerField(source="sums.asked")
    pages = serializers.IntegerField(source="sums.pages")
    pages_answered = serializers.IntegerField(source="sums.pages_answered")
    pages_inconsistent = serializers.IntegerField(source="sums.pages_inconsistent")
    pace = serializers.FloatField(allow_null=True, help_text="Answers a day.")
    last_seen_at = serializers.DateTimeField(source="last_seen", allow_null=True)
    page_seconds = serializers.FloatField(allow_null=True, help_text="Median time of a page in view.")
    agreement = serializers.FloatField(allow_null=True, help_text="Correlation with the mean of the others.")
    exclusion = serializers.CharField(
        source="sums.exclusion", allow_null=True, help_text="Why the answers do not count."
    )


class FunnelSerializer(serializers.Serializer[Funnel]):
    invited = serializers.IntegerField(allow_null=True)
    enrolled = serializers.IntegerField()
    started = serializers.IntegerField()
    finished = serializers.IntegerField()
    valid = serializers.IntegerField()
    withdrawn = serializers.IntegerField()
    simulated = serializers.IntegerField()
    imported = serializers.IntegerField()


class SubtaskSerializer(serializers.Serializer[SubtaskRow]):
    number = serializers.IntegerField()
    prompts = serializers.IntegerField()
    evaluators = serializers.IntegerField(source="assigned")
    complete = serializers.IntegerField(help_text="Prompts answered in full, each counted once an evaluator.")
    asked = serializers.IntegerField()


class AlphaSerializer(serializers.Serializer[Alpha]):
    criterion = serializers.CharField(source="criterion.key")
    texts = serializers.IntegerField(help_text="Texts that two or more evaluators have rated.")
    ordinal = serializers.FloatField(allow_null=True)
    interval = serializers.FloatField(allow_null=True)


class ProgressSerializer(serializers.Serializer[Dashboard]):
    """The funnel, the sub-tasks, and Krippendorff's alpha on each criterion."""

    funnel = FunnelSerializer()
    subtasks = SubtaskSerializer(source="matrix.rows", many=True)
    agreement = AlphaSerializer(source="alphas", many=True)


class Progress(APIView):
    @extend_schema(operation_id="progress", summary="Say how far a study is", responses=ProgressSerializer)
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.WATCH)
        return Response(ProgressSerializer(dashboard(study)).data)


class EvaluatorQuery(PageQuery):
    source = serializers.ChoiceField(choices=Enrolment.Source.choices, required=False)  # type: ignore[assignment]
    group = serializers.SlugField(max_length=40, required=False, help_text="Key of a group.")
    stage = serializers.ChoiceField(choices=Stage.choices, required=False)


class Evaluators(APIView):
    @extend_schema(
        operation_id="evaluators_list",
        summary="List the evaluators of a study by pseudonym, with how far each is",
        parameters=[EvaluatorQuery],
        responses=page_of(EvaluatorSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.WATCH)
        query = checked_query(EvaluatorQuery, request)
        groups = {group.pk: group.key for group in study.groups.all()}
        found = [row for row in dashboard(study).evaluators if fits(row, groups, query)]

        def shown(rows: Any) -> Any:
            named: Any = [GroupedRow(**vars(row), group_key=group_of(row, groups)) for row in rows]
            return EvaluatorSerializer(named, many=True).data

        return page_response(request, found, query, shown)


class Checks(APIView):
    @extend_schema(
        operation_id="checks",
        summary="Show the checks and flags of every evaluator, as far as they are",
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        from annotations.monitoring.quality import quality_so_far

        found = quality_so_far(study_for(request.user, slug, Right.WATCH))
        if found is None:
            return Response({"detail": "No quality control is declared."}, status=status.HTTP_404_NOT_FOUND)
        return Response(found.as_dict())


@dataclass(frozen=True)
class GroupedRow(EvaluatorRow):
    """An evaluator with the key of their group."""

    group_key: str | None = None


def group_of(row: EvaluatorRow, groups: dict[int, str]) -> str | None:
    return groups.get(row.enrolment.group_id or 0)


def fits(row: EvaluatorRow, groups: dict[int, str], query: dict[str, Any]) -> bool:
    """Whether an evaluator is among those that a query asks for."""
    return (
        query.get("source", row.enrolment.source) == row.enrolment.source
        and query.get("stage", row.stage) == row.stage
        and ("group" not in query or group_of(row, groups) == query["group"])
    )
