"""The plan of a study's analysis by the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers, status
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.permissions import Right, study_for
from annotations.models import AnalysisPlan
from annotations.models.bounds import bounds_of
from annotations.models.judges import LONGEST_PROMPT_NAME
from annotations.plan.plan import lock_plan, locked_plan, plan_document
from generation.refusals import Refused
from generation.web.rest import Body, Points, UserRequest, checked_body
from generation.web.schema import extend_schema


class PlanSerializer(serializers.ModelSerializer[AnalysisPlan]):
    primary_criterion = serializers.CharField(source="primary_criterion.key")
    comparisons = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    judge_set_aside = serializers.ListField(child=serializers.CharField())
    group_comparisons = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    covariates = serializers.ListField(child=serializers.CharField(), allow_null=True)
    document = serializers.SerializerMethodField(help_text="What the digest is taken of.")

    class Meta:
        model = AnalysisPlan
        fields = [
            "primary_criterion",
            "comparisons",
            "inconsistency_threshold",
            "off_scale",
            "equivalence_margin",
            "planned_effect",
            "analysis",
            "planned_evaluators",
            "planned_prompts",
            "judge",
            "judge_version",
            "judge_use",
            "judge_set_aside",
            "group_comparisons",
            "covariates",
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
    off_scale = serializers.ChoiceField(choices=AnalysisPlan.OffScale.choices, required=False)
    equivalence_margin = Points(
        **bounds_of(AnalysisPlan, "equivalence_margin"), required=False, allow_null=True
    )
    planned_effect = Points(**bounds_of(AnalysisPlan, "planned_effect"), required=False, allow_null=True)
    analysis = serializers.ChoiceField(choices=AnalysisPlan.Analysis.values, required=False)
    planned_evaluators = serializers.IntegerField(
        **bounds_of(AnalysisPlan, "planned_evaluators"), required=False, allow_null=True
    )
    planned_prompts = serializers.IntegerField(**bounds_of(AnalysisPlan, "planned_prompts"), required=False)
    judge = serializers.SlugField(**bounds_of(AnalysisPlan, "judge"), required=False, allow_blank=True)
    judge_version = serializers.CharField(
        **bounds_of(AnalysisPlan, "judge_version"), required=False, allow_blank=True
    )
    judge_use = serializers.ChoiceField(
        choices=AnalysisPlan.JudgeUse.values, required=False, help_text="What the judge's scores are for."
    )
    judge_set_aside = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_PROMPT_NAME),
        required=False,
        help_text="Prompts by which the judge's own prompt was written: they count in none of its checks.",
    )
    group_comparisons = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(max_length=200), min_length=3, max_length=3),
        required=False,
        help_text="Pairs of groups: `groups` and two of their keys, or `question.KEY` and two of its answers.",
    )
    covariates = serializers.ListField(
        child=serializers.ChoiceField(choices=AnalysisPlan.Covariate.values),
        required=False,
        help_text="What comparisons of texts are adjusted for; without it everything.",
    )
    notes = serializers.CharField(**bounds_of(AnalysisPlan, "notes"), required=False, allow_blank=True)


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
        plan = lock_plan(study, staff=request.user, primary_criterion=criterion, **fields)
        return Response(PlanSerializer(plan).data, status=status.HTTP_201_CREATED)
