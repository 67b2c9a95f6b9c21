"""Who may do what with a study: one table, asked by every page, file and API call for those who run studies.

Administrators are the users whom Django calls staff; they may do everything. Anybody else has a role in a study or
has not, and whoever has none is told that there is no such study.
"""

from __future__ import annotations

from enum import Enum

from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from annotations.models import Enrolment, Page, Study, StudyRole
from annotations.models.numbers import count_of

Role = StudyRole.Role


class Right(Enum):
    """What can be done with a study by those who run it."""

    # Progress, validity and coverage: nothing by method.
    WATCH = "watch"
    # The report, the cases and the raw answers, as soon as the seal is off.
    ANALYSE = "analyse"
    # Set-up, launch, people, payments, the seal, the runs.
    RUN = "run"


RIGHTS = {
    Role.OBSERVER: frozenset({Right.WATCH}),
    Role.ANALYST: frozenset({Right.WATCH, Right.ANALYSE}),
    Role.OWNER: frozenset({Right.WATCH, Right.ANALYSE, Right.RUN}),
}


# Where a study keeps what the user may do with it for whom it was read.
READ_RIGHTS = "rights_of_reader"


def rights(user: User | AnonymousUser, study: Study) -> frozenset[Right]:
    """Return what a user may do with a study now; at most one query."""
    role = StudyRole.objects.filter(study=study, user=user.pk).values_list("role", flat=True)
    return rights_by(user, None if user.is_staff else role.first())


def rights_by(user: User | AnonymousUser, role: str | None) -> frozenset[Right]:
    """Return what a user may do with a study in which they have this role."""
    if not user.is_active:
        return frozenset()
    if user.is_staff:
        return frozenset(Right)
    return RIGHTS[Role(role)] if role else frozenset()


def right_names(user: User | AnonymousUser, study: Study) -> frozenset[str]:
    """Return the rights of a user in a study as the templates know them.

    Note: of a study that `study_for` returned they are those of whom it was read for, as they were then.
    """
    has = vars(study).get(READ_RIGHTS)
    return frozenset(right.value for right in (rights(user, study) if has is None else has))


def study_for(user: User | AnonymousUser, slug: str, right: Right) -> Study:
    """Return the study for a user with this right; one query reads both.

    Raises Http404 for whoever has no part in running it, PermissionDenied for whoever has another one.
    """
    role = StudyRole.objects.filter(study=OuterRef("pk"), user=user.pk).values("role")[:1]
    study = get_object_or_404(Study.objects.annotate(role_of_reader=Subquery(role)), slug=slug)
    has = rights_by(user, vars(study)["role_of_reader"])
    if not has:
        raise Http404
    if right not in has:
        raise PermissionDenied(
            _("Your role in this study does not let you see or do this. Its owners give roles.")
        )
    vars(study)[READ_RIGHTS] = has
    return study


def studies_of(user: User | AnonymousUser) -> QuerySet[Study]:
    """Return the studies in whose running a user has a part."""
    if not user.is_active:
        return Study.objects.none()
    return Study.objects.all() if user.is_staff else Study.objects.filter(roles__user=user.pk)


def may_create(user: User | AnonymousUser) -> bool:
    """Whether a user may begin a study; administrators give others the permission `annotations.add_study`."""
    return user.is_active and (user.is_staff or user.has_perm("annotations.add_study"))


def studies_run_by(user: User) -> QuerySet[Study]:
    """Return the studies in whose running a user has a part, the latest first, in one query.

    Each has its numbers of `prompts` and `evaluators`, and the user's `role` in it if there is one.
    """
    role = StudyRole.objects.filter(study=OuterRef("pk"), user=user).values("role")
    return (
        studies_of(user)
        .annotate(
            prompts=count_of(Page.objects.counted().filter(subtask__study=OuterRef("pk"))),
            evaluators=count_of(
                Enrolment.objects.filter(study=OuterRef("pk"), source=Enrolment.Source.QUESTIONNAIRE)
            ),
            role=Subquery(role[:1]),
        )
        .order_by("-created_at")
    )
