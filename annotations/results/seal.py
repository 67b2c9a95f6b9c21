"""Who may see the numbers of a study, and when: sealed while people answer, opened by closing or by a logged act."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from annotations.access.log import log_act
from annotations.models import SHORTEST_REASON, Study, Unblinding
from annotations.models.bounds import check_row
from generation.refusals import Refused

if TYPE_CHECKING:
    from stats.reports.study_report import UnblindingFacts


class Sealed(Refused):
    """The numbers of a study were asked for while they are kept from everybody."""

    status = HTTPStatus.FORBIDDEN

    def __init__(self, study: Study) -> None:
        said = _("The numbers of %(study)s are sealed: close the study or unblind it.")
        super().__init__(said % {"study": study.slug})


def is_sealed(study: Study) -> bool:
    """Whether the numbers of a study are kept from everybody.

    It is so while the study is not closed, has evaluators who answer its questionnaire, and nobody has unblinded it.
    """
    return Study.objects.sealed().filter(pk=study.pk).exists()


def refuse_sealed(study: Study) -> None:
    """Raise `Sealed` if the numbers of a study are kept from everybody."""
    if is_sealed(study):
        raise Sealed(study)


@transaction.atomic
def unblind(study: Study, *, staff: User | None, reason: str) -> bool:
    """Open the numbers of a sealed study for good, log it, and return whether this call did so.

    Without `staff` it was done from the command line. The study's row is locked, because of two requests at
    once only one is the unblinding.
    """
    reason = reason.strip()
    if len(reason) < SHORTEST_REASON:
        raise Refused(
            _("Give a reason of at least %(length)d characters. The report prints it.")
            % {"length": SHORTEST_REASON}
        )
    unblinding = Unblinding(study=study, staff=staff, reason=reason)
    check_row(unblinding)
    Study.objects.locked(study)
    if not is_sealed(study):
        return False
    unblinding.save()
    log_act(study, staff, "study.unblinded", reason=reason)
    return True


def unblinding_facts(study: Study) -> tuple[UnblindingFacts, ...]:
    """Return every unblinding of a study, the earliest first."""
    # Most of a web process asks whether a study is sealed, and needs no records of a report.
    from stats.reports.study_report import UnblindingFacts

    return tuple(
        UnblindingFacts(
            by=unblinding.staff.get_username() if unblinding.staff else _("command line"),
            reason=unblinding.reason,
            at=unblinding.created_at.isoformat(timespec="seconds"),
        )
        for unblinding in study.unblindings.select_related("staff")
    )
