"""Giving and taking the roles of those who run a study."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from annotations.access.log import log_act
from annotations.models import Enrolment, Study, StudyRole
from annotations.models.bounds import check_text
from generation.refusals import Refused

Role = StudyRole.Role
LONGEST_USERNAME = User._meta.get_field("username").max_length or 0


@transaction.atomic
def give_role(study: Study, user: User, role: StudyRole.Role, *, by: User | None) -> bool:
    """Give a user a role in a study in place of any other, log it, and return whether this call changed anything.

    Without `by` it was done from the command line. The study's row is locked: `enrol` locks it too, so nobody becomes
    an evaluator and one of those who see the methods at the same time. Raises `Refused`.
    """
    Study.objects.locked(study)
    if not user.is_active:
        raise Refused(_("The account %(user)s is closed.") % {"user": user.get_username()})
    if Enrolment.objects.filter(study=study, evaluator=user).exists():
        raise Refused(
            _("%(user)s is an evaluator of this study, and evaluators must not see its methods.")
            % {"user": user.get_username()}
        )
    held = StudyRole.objects.filter(study=study, user=user).first()
    if held and held.role == role:
        return False
    if held:
        refuse_last_owner(held, by)
    StudyRole.objects.update_or_create(study=study, user=user, defaults={"role": role})
    log_act(study, by, "role.given", user=user.get_username(), role=role)
    return True


@transaction.atomic
def take_role(study: Study, user: User, *, by: User | None) -> bool:
    """Take a user's role in a study, log it, and return whether there was one; raise `Refused`."""
    Study.objects.locked(study)
    held = StudyRole.objects.filter(study=study, user=user).first()
    if held is None:
        return False
    refuse_last_owner(held, by)
    role = held.role
    held.delete()
    log_act(study, by, "role.taken", user=user.get_username(), role=role)
    return True


def refuse_last_owner(held: StudyRole, by: User | None) -> None:
    """Raise `Refused` if an owner would leave a study without one; administrators and the command line may."""
    if held.role != Role.OWNER or by is None or by.is_staff:
        return
    if not StudyRole.objects.filter(study=held.study_id, role=Role.OWNER).exclude(pk=held.pk).exists():
        raise Refused(_("A study keeps an owner: give this role to somebody else first."))


def user_named(username: str) -> User:
    """Return the user of this name; raise `Refused` where there is none."""
    check_text("username", username, longest=LONGEST_USERNAME)
    user = User.objects.filter(username=username).first()
    if user is None:
        raise Refused(_("There is no user %(user)s.") % {"user": username})
    return user
