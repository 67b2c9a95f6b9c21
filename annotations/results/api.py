"""What came of a study, by the API: the raw answers, the report, the data sheet, and when they may be seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.log import log_act
from annotations.access.permissions import Right, study_for
from annotations.models import SHORTEST_REASON, AnalysisPlan, Study, Unblinding
from annotations.models.bounds import bounds_of
from annotations.results.answer_rows import answer_count, answers_between
from annotations.results.judgements.rows import COLUMNS, judgement_count, judgement_rows
from annotations.results.seal import unblind
from annotations.setup.studies_api import StudySerializer, study_response
from generation.refusals import Refused
from generation.web.rest import (
    Body,
    PageQuery,
    Strict,
    UserRequest,
    bounds,
    checked_body,
    checked_query,
    listing,
    page_of,
)
from generation.web.schema import extend_schema


class RowSerializer(serializers.Serializer[Any]):
    """What the rows of all answers say, with the columns of the exports: whose, where and when."""

    study = serializers.CharField()
    evaluator = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    subtask = serializers.IntegerField()
    page = serializers.IntegerField()
    prompt = serializers.CharField()
    prompt_id = serializers.CharField(allow_null=True)
    tags = serializers.DictField(child=serializers.CharField(), allow_null=True)
    saved_at = serializers.DateTimeField()


class TextRowSerializer(RowSerializer):
    """A row about one text, and how the answer was given."""

    method = serializers.CharField()
    method_label = serializers.CharField()
    position = serializers.IntegerField()
    first_answered_at = serializers.DateTimeField(allow_null=True)
    times_changed = serializers.IntegerField(allow_null=True)
    seconds_on_page = serializers.FloatField(allow_null=True)


class AnswerRowSerializer(TextRowSerializer):
    """One rating or one best pick, with the columns of the export."""

    kind = serializers.ChoiceField(choices=["rating", "best_choice"])
    criterion = serializers.CharField(allow_null=True)
    score = serializers.FloatField(allow_null=True)
    off_scale = serializers.BooleanField(allow_null=True)
    best = serializers.BooleanField()


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
        rows = answers_between(study, start, stop, evaluator=evaluator)
        if start == 0:
            log_act(study, request.user, "export.answers", format="api")
        count = answer_count(study, evaluator=evaluator)
        return listing(
            request, query, count, [row._asdict() | {"tags": json.loads(row.tags or "null")} for row in rows]
        )


class JudgementRowSerializer(TextRowSerializer):
    """One text of one page that was judged as a whole, with the columns of the export."""

    criterion = serializers.CharField()
    preference = serializers.IntegerField(
        allow_null=True, help_text="From -2 (A is much better) to 2 (B is)."
    )
    both_bad = serializers.BooleanField(allow_null=True)
    chosen = serializers.IntegerField(allow_null=True, help_text="As the how-manieth it was chosen.")


def listed_rows(
    request: UserRequest,
    slug: str,
    name: str,
    columns: Iterable[str],
    rows_between: Callable[[Study, int, int], Iterable[Sequence[Any]]],
    count_of: Callable[[Study], int],
) -> Response:
    """Return a page of the rows that are called `name`, for analysts once the seal is off; the first one is logged."""
    study = study_for(request.user, slug, Right.ANALYSE)
    query = checked_query(PageQuery, request)
    start, stop = bounds(query)
    rows = [dict(zip(columns, row, strict=True)) for row in rows_between(study, start, stop)]
    if start == 0:
        log_act(study, request.user, "export.answers", rows=name, format="api")
    shown = [row | {"tags": json.loads(str(row["tags"] or "null"))} for row in rows]
    return listing(request, query, count_of(study), shown)


class JudgementList(APIView):
    @extend_schema(
        operation_id="judgements_list",
        summary="List what evaluators answered about whole pages, a row for each text, once the seal is off; a page of"
        " the list has so many judgements",
        parameters=[PageQuery],
        responses=page_of(JudgementRowSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        return listed_rows(request, slug, "judgements", COLUMNS, judgement_rows, judgement_count)


class ReportQuery(Strict):
    off_scale = serializers.ChoiceField(choices=AnalysisPlan.OffScale.choices, required=False, default="kept")


class Report(APIView):
    @extend_schema(
        operation_id="report",
        summary="Return the report of a study; while it is sealed, without numbers by method",
        parameters=[ReportQuery],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: UserRequest, slug: str) -> HttpResponse:
        # Loaded where it is used: what computes takes longer to load than all the rest of a web process.
        from annotations.results.report import study_report
        from annotations.results.report_formats import report_json

        study = study_for(request.user, slug, Right.ANALYSE)
        query = checked_query(ReportQuery, request)
        body = report_json(study_report(study, off_scale=query["off_scale"]))
        return HttpResponse(body, content_type="application/json")


class ReasonBody(Body):
    reason = serializers.CharField(
        min_length=SHORTEST_REASON, **bounds_of(Unblinding, "reason"), help_text="The report prints it."
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
        done = unblind(study, staff=request.user, reason=checked_body(ReasonBody, request)["reason"])
        if not done:
            raise Refused("The study is not sealed.")
        return study_response(request.user, slug)
