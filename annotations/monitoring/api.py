"""How a study goes, by the API: evaluators, progress, payments, roles and the log. Nothing here is by method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.access.permissions import Right, study_for
from annotations.access.roles import RoleRefused, give_role, take_role, user_named
from annotations.models import Enrolment, Payment, StaffAct, StudyRole
from annotations.monitoring.dashboard import (
    Alpha,
    Dashboard,
    EvaluatorRow,
    Funnel,
    Stage,
    SubtaskRow,
    dashboard,
)
from annotations.payments.ledger import (
    LONGEST_REFERENCE,
    Line,
    PaymentRefused,
    State,
    approve_payments,
    mark_paid,
    payment_lines,
    revoke_approvals,
)
from annotations.setup.studies_api import UserRequest
from generation.web.rest import (
    Body,
    PageQuery,
    checked_body,
    checked_query,
    page_of,
    page_response,
    refusals,
    rows_as,
)


class EvaluatorSerializer(serializers.Serializer[EvaluatorRow]):
    """How far, how fast and how carefully an evaluator answers."""

    evaluator = serializers.CharField(source="enrolment.pseudonym")
    source = serializers.ChoiceField(choices=Enrolment.Source.choices, source="enrolment.source")  # type: ignore[assignment]
    group = serializers.CharField(source="group_key", allow_null=True)
    stage = serializers.ChoiceField(choices=Stage.choices)
    enrolled_at = serializers.DateTimeField(source="enrolment.created_at")
    deadline = serializers.DateTimeField(source="enrolment.deadline")
    answered = serializers.IntegerField(source="standing.answered")
    total = serializers.IntegerField(source="standing.asked")
    pages = serializers.IntegerField(source="standing.pages")
    pages_answered = serializers.IntegerField(source="standing.pages_answered")
    pages_inconsistent = serializers.IntegerField(source="standing.pages_inconsistent")
    pace = serializers.FloatField(allow_null=True, help_text="Answers a day.")
    last_seen_at = serializers.DateTimeField(source="last_seen", allow_null=True)
    page_seconds = serializers.FloatField(allow_null=True, help_text="Median time of a page in view.")
    agreement = serializers.FloatField(allow_null=True, help_text="Correlation with the mean of the others.")
    exclusion = serializers.CharField(
        source="standing.exclusion", allow_null=True, help_text="Why the answers do not count."
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
        with refusals(PaymentRefused):
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
        with refusals(PaymentRefused):
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
        with refusals(PaymentRefused):
            return done(revoke_approvals(study, by=request.user, **checked_body(EvaluatorsBody, request)))


class RoleSerializer(serializers.ModelSerializer[StudyRole]):
    username = serializers.CharField(source="user.username")

    class Meta:
        model = StudyRole
        fields = ["username", "role", "created_at"]


class UserBody(Body):
    username = serializers.CharField(max_length=150)


class RoleBody(UserBody):
    role = serializers.ChoiceField(choices=StudyRole.Role.choices)


class ChangedSerializer(serializers.Serializer[Any]):
    changed = serializers.BooleanField(help_text="False where it was so already.")


class Roles(APIView):
    @extend_schema(
        operation_id="roles_list",
        summary="List who has a role in a study",
        parameters=[PageQuery],
        responses=page_of(RoleSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        query = checked_query(PageQuery, request)
        return page_response(request, study.roles.select_related("user"), query, rows_as(RoleSerializer))

    @extend_schema(
        operation_id="roles_give",
        summary="Give a user a role in a study in place of any other",
        request=RoleBody,
        responses=ChangedSerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        fields = checked_body(RoleBody, request)
        with refusals(RoleRefused):
            changed = give_role(
                study, user_named(fields["username"]), StudyRole.Role(fields["role"]), by=request.user
            )
        return Response({"changed": changed})


class TakeRole(APIView):
    @extend_schema(
        operation_id="roles_take",
        summary="Take a user's role in a study",
        request=UserBody,
        responses=ChangedSerializer,
    )
    def post(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        with refusals(RoleRefused):
            user = user_named(checked_body(UserBody, request)["username"])
            return Response({"changed": take_role(study, user, by=request.user)})


class ActSerializer(serializers.ModelSerializer[StaffAct]):
    actor = serializers.CharField(
        source="actor.username",
        allow_null=True,
        default=None,
        help_text="Null: the command line or the clock.",
    )

    class Meta:
        model = StaffAct
        fields = ["created_at", "actor", "act", "details"]


class Log(APIView):
    @extend_schema(
        operation_id="log_list",
        summary="List what those who run a study did to it, the latest first",
        parameters=[PageQuery],
        responses=page_of(ActSerializer),
    )
    def get(self, request: UserRequest, slug: str) -> Response:
        study = study_for(request.user, slug, Right.RUN)
        query = checked_query(PageQuery, request)
        return page_response(request, study.staff_acts.select_related("actor"), query, rows_as(ActSerializer))
