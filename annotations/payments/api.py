"""The payments of a study by the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.permissions import Right, study_for
from annotations.models import Payment
from annotations.payments.ledger import (
    LONGEST_REFERENCE,
    Line,
    State,
    approve_payments,
    mark_paid,
    payment_lines,
    revoke_approvals,
)
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


class PaymentSerializer(serializers.Serializer[Line]):
    evaluator = serializers.CharField(source="enrolment.pseudonym")
    group = serializers.CharField(source="group.key", allow_null=True, default=None)
    amount = serializers.DecimalField(max_digits=9, decimal_places=2)
    currency = serializers.CharField()
    state = serializers.ChoiceField(choices=State.choices)
    reason = serializers.CharField(help_text="Why nothing is due by the answers as they are now.")
    approved_at = serializers.DateTimeField(source="payment.approved_at", allow_null=True, default=None)
    paid_at = serializers.DateTimeField(source="payment.paid_at", allow_null=True, default=None)
    reference = serializers.CharField(source="payment.reference", default="")


class PaymentQuery(PageQuery):
    state = serializers.ChoiceField(choices=State.choices, required=False)


class Payments(APIView):
    @extend_schema(
        operation_id="payments_list",
        summary="List what each evaluator is owed, and why not where nothing is",
        parameters=[PaymentQuery],
        responses=page_of(PaymentSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        query = checked_query(PaymentQuery, request)
        lines = [line for line in payment_lines(study) if query.get("state", line.state) == line.state]
        return page_response(request, lines, query, rows_as(PaymentSerializer))


class EvaluatorsBody(Body):
    evaluators = serializers.ListField(
        child=serializers.CharField(max_length=150), min_length=1, max_length=10_000, help_text="Pseudonyms."
    )


class PaidBody(EvaluatorsBody):
    reference = serializers.CharField(
        max_length=LONGEST_REFERENCE,
        required=False,
        allow_blank=True,
        help_text="What the finance office knows the payment by.",
    )


class DoneSerializer(serializers.Serializer[Any]):
    evaluators = serializers.ListField(
        child=serializers.CharField(), help_text="Those of whom this call changed something."
    )


def done(payments: list[Payment]) -> Response:
    return Response({"evaluators": [payment.enrolment.pseudonym for payment in payments]})


class ApprovePayments(APIView):
    @extend_schema(
        operation_id="payments_approve",
        summary="Approve payments that are due: all of them or none",
        request=EvaluatorsBody,
        responses=DoneSerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        return done(approve_payments(study, by=request.user, **checked_body(EvaluatorsBody, request)))


class MarkPaid(APIView):
    @extend_schema(
        operation_id="payments_paid",
        summary="Mark approved payments as paid: all of them or none",
        request=PaidBody,
        responses=DoneSerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        return done(mark_paid(study, by=request.user, **checked_body(PaidBody, request)))


class RevokePayments(APIView):
    @extend_schema(
        operation_id="payments_revoke",
        summary="Take approvals back that are not paid: all of them or none",
        request=EvaluatorsBody,
        responses=DoneSerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        return done(revoke_approvals(study, by=request.user, **checked_body(EvaluatorsBody, request)))
