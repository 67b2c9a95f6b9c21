"""What came of a study, by the API: the raw answers, the report, the data sheet, and when they may be seen."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.log import log_act
from annotations.access.permissions import Right, study_for
from annotations.data_sheet import heds_markdown
from annotations.models import SHORTEST_REASON, AnalysisPlan
from annotations.plan.plan import PlanRefused, lock_plan, locked_plan, plan_document
from annotations.results.answer_rows import COLUMNS, answer_count, answers_between
from annotations.results.report import OFF_SCALE_POLICIES, study_report
from annotations.results.report_formats import report_json
from annotations.results.seal import ReasonTooShort, Sealed, close_study, unblind
from annotations.setup.studies_api import StudySerializer, UserRequest, study_response
from generation.web.rest import (
    Body,
    PageQuery,
    Points,
    Refused,
    Strict,
    bounds,
    checked_body,
    checked_query,
    listing,
    page_of,
    refusals,
)


class AnswerRowSerializer(serializers.Serializer[Any]):
    """One rating or one best pick, with the columns of the export."""

    study = serializers.CharField()
    evaluator = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    prompt_number = serializers.CharField()
    prompt = serializers.CharField()
    method = serializers.CharField()
    kind = serializers.ChoiceField(choices=["rating", "best_choice"])
    criterion = serializers.CharField(allow_null=True)
    score = serializers.IntegerField(allow_null=True)
    off_scale = serializers.BooleanField(allow_null=True)
    position = serializers.IntegerField()
    best = serializers.BooleanField()
    saved_at = serializers.DateTimeField()
    first_answered_at = serializers.DateTimeField(allow_null=True)
    times_changed = serializers.IntegerField(allow_null=True)
    seconds_on_page = serializers.FloatField(allow_null=True)


class AnswerRowQuery(PageQuery):
    evaluator = serializers.CharField(max_length=150, required=False, help_text="Pseudonym.")


class Answers(APIView):
    @extend_schema(
        operation_id="ratings_list",
        summary="List the answers of a study one by one, once its seal is off; 403 before",
        parameters=[AnswerRowQuery],
        responses=page_of(AnswerRowSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.ANALYSE)
        query = checked_query(AnswerRowQuery, request)
        evaluator = query.get("evaluator")
        start, stop = bounds(query)
        try:
            rows = answers_between(study, start, stop, evaluator=evaluator)
        except Sealed as error:
            raise PermissionDenied(
                f"The numbers of {error} are sealed: close the study or unblind it."
            ) from error
        if start == 0:
            log_act(study, request.user, "export.answers", format="api")
        count = answer_count(study, evaluator=evaluator)
        return listing(request, query, count, [dict(zip(COLUMNS, row, strict=True)) for row in rows])


class ReportQuery(Strict):
    off_scale = serializers.ChoiceField(choices=OFF_SCALE_POLICIES, required=False, default="kept")


class Report(APIView):
    @extend_schema(
        operation_id="report",
        summary="Return the report of a study; while it is sealed, without numbers by method",
        parameters=[ReportQuery],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: UserRequest, slug: str) -> HttpResponse:
        study = study_for(request.user, slug, Right.ANALYSE)
        query = checked_query(ReportQuery, request)
        body = report_json(study_report(study, off_scale=query["off_scale"]))
        return HttpResponse(body, content_type="application/json")


class DataSheetSerializer(serializers.Serializer[Any]):
    markdown = serializers.CharField()


class DataSheet(APIView):
    @extend_schema(
        operation_id="heds",
        summary="Return the human evaluation data sheet, filled in as far as the platform knows",
        responses=DataSheetSerializer,
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        return Response({"markdown": heds_markdown(study_for(request.user, slug, Right.ANALYSE))})


class ReasonBody(Body):
    reason = serializers.CharField(
        min_length=SHORTEST_REASON, max_length=2000, help_text="The report prints it."
    )


class Unblind(APIView):
    @extend_schema(
        operation_id="unblind",
        summary="Open the numbers of a study that still takes answers, for good and logged",
        request=ReasonBody,
        responses=StudySerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        with refusals(ReasonTooShort):
            done = unblind(study, staff=request.user, reason=checked_body(ReasonBody, request)["reason"])
        if not done:
            raise Refused("The study is not sealed.")
        return study_response(request.user, slug)


class Close(APIView):
    @extend_schema(
        operation_id="close",
        summary="Close a study: no more answers, and the numbers are open",
        request=None,
        responses=StudySerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        if not close_study(study, staff=request.user):
            raise Refused("The study was not launched, or is closed already.")
        return study_response(request.user, slug)


class PlanSerializer(serializers.ModelSerializer[AnalysisPlan]):
    primary_criterion = serializers.CharField(source="primary_criterion.key")
    comparisons = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    document = serializers.SerializerMethodField(help_text="What the digest is taken of.")

    class Meta:
        model = AnalysisPlan
        fields = [
            "primary_criterion",
            "comparisons",
            "inconsistency_threshold",
            "off_scale",
            "equivalence_margin",
            "planned_evaluators",
            "planned_prompts",
            "notes",
            "locked_at",
            "digest",
            "document",
        ]

    def get_document(self, plan: AnalysisPlan) -> dict[str, Any]:
        return plan_document(plan)


class PlanBody(Body):
    primary_criterion = serializers.SlugField(max_length=40)
    comparisons = serializers.ListField(
        child=serializers.ListField(child=serializers.SlugField(max_length=50), min_length=2, max_length=2),
        required=False,
        help_text="Pairs of methods; without it every pair.",
    )
    off_scale = serializers.ChoiceField(choices=OFF_SCALE_POLICIES, required=False)
    equivalence_margin = Points(required=False, allow_null=True)
    planned_evaluators = serializers.IntegerField(
        min_value=1, max_value=1_000_000, required=False, allow_null=True
    )
    planned_prompts = serializers.IntegerField(min_value=1, max_value=1_000_000, required=False)
    notes = serializers.CharField(max_length=20_000, required=False, allow_blank=True)


class Plan(APIView):
    @extend_schema(
        operation_id="plan", summary="Show the locked plan of a study's analysis", responses=PlanSerializer
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.ANALYSE)
        plan = locked_plan(study)
        if plan is None:
            return Response({"detail": "No plan is locked."}, status=status.HTTP_404_NOT_FOUND)
        return Response(PlanSerializer(plan).data)

    @extend_schema(
        operation_id="plan_lock",
        summary="Lock the plan of a study's analysis, before the first answer and for good",
        request=PlanBody,
        responses={201: PlanSerializer},
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        fields = checked_body(PlanBody, request)
        key = fields.pop("primary_criterion")
        criterion = study.criteria.filter(key=key).first()
        if criterion is None:
            raise Refused(f"{key} is no criterion of this study.")
        with refusals(PlanRefused):
            plan = lock_plan(study, staff=request.user, primary_criterion=criterion, **fields)
        return Response(PlanSerializer(plan).data, status=status.HTTP_201_CREATED)
