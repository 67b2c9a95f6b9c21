"""Django's admin, for looking things up: what has a rule or a log is changed by its own pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from annotations.models import (
    Criterion,
    Enrolment,
    Payment,
    StaffAct,
    Study,
    StudyRole,
)
from annotations.models.protocols import ANSWERS

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Model]
    CriterionTable = admin.TabularInline[Criterion, Study]
else:
    ModelAdmin = admin.ModelAdmin
    CriterionTable = admin.TabularInline


class ReadOnlyAdmin(ModelAdmin):
    """Rows that are shown and neither added, changed nor deleted."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class CriterionInline(CriterionTable):
    model = Criterion
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Study)
class StudyAdmin(ReadOnlyAdmin):
    """Shown only: every field has a rule, and a change of it is logged by the study's own pages."""

    list_display = ["slug", "title", "state", "created_at"]
    list_filter = ["state"]
    inlines = [CriterionInline]


@admin.register(Enrolment)
class EnrolmentAdmin(ReadOnlyAdmin):
    """Shown only: deadlines are put off and people withdrawn on the page of a study, which logs it."""

    list_display = ["study", "pseudonym", "evaluator", "source", "deadline"]
    list_filter = ["study", "source"]
    list_select_related = ["study", "evaluator"]


@admin.register(*ANSWERS)
class AnswerAdmin(ReadOnlyAdmin):
    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        """Leave out the answers of sealed studies: whoever lists them can count up the methods."""
        return super().get_queryset(request).exclude(enrolment__study__in=Study.objects.sealed())


@admin.register(StudyRole)
class StudyRoleAdmin(ReadOnlyAdmin):
    """Shown only: a role that is given here would be in no log. The page of a study gives and takes them."""

    list_display = ["study", "user", "role", "created_at"]
    list_filter = ["role", "study"]
    list_select_related = ["study", "user"]


@admin.register(StaffAct)
class StaffActAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "study", "actor", "act", "details"]
    list_filter = ["act", "study"]
    list_select_related = ["study", "actor"]


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    list_display = ["enrolment", "amount", "currency", "state", "approved_at", "paid_at", "reference"]
    list_filter = ["state", "enrolment__study"]
    list_select_related = ["enrolment"]
