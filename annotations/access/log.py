"""The log of what those who run a study did to it: who, when, what. Nothing in it is ever changed."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from annotations.models import StaffAct, Study

# Every act that is logged, in words; what it was done to stands beside it.
ACTS = {
    "study.created": _("began the study"),
    "study.changed": _("changed the set-up"),
    "study.material": _("uploaded prompts or candidates"),
    "study.material_added": _("added prompts or candidates"),
    "study.quality_control": _("declared the quality control"),
    "study.method_label": _("changed what a method is called"),
    "study.signed_off": _("signed the material off"),
    "study.launched": _("launched the study"),
    "study.paused": _("paused the study"),
    "study.resumed": _("let the study go on"),
    "study.closed": _("closed the study"),
    "study.unblinded": _("unblinded the study"),
    "ratings.imported": _("imported ratings that were collected elsewhere"),
    "judge.imported": _("imported the scores of a judge or metric"),
    "judge.computed": _("had a metric computed"),
    "judge.asked": _("had a language model rate the texts"),
    "judge.stopped": _("stopped the asking of a judge"),
    "prompts.drawn": _("drew the prompts that people rate"),
    "judge.deleted": _("deleted a judge with its scores"),
    "plan.locked": _("locked the plan"),
    "role.given": _("gave a role"),
    "role.taken": _("took a role"),
    "run.started": _("started a generation run"),
    "run.added": _("added a run to the study"),
    "people.enrolled": _("enrolled an evaluator"),
    "people.group": _("changed a group"),
    "people.invited": _("made invitations"),
    "people.invitation_revoked": _("took an invitation back"),
    "people.link": _("made an open link"),
    "people.link_closed": _("closed an open link"),
    "people.deadline": _("moved a deadline"),
    "people.deadlines": _("moved deadlines"),
    "people.reminded": _("sent reminders"),
    "people.login": _("made a new log-in for an evaluator"),
    "people.withdrawn": _("an evaluator withdrew"),
    "people.given_back": _("gave sub-tasks back"),
    "payment.approved": _("approved payments"),
    "payment.paid": _("marked payments as paid"),
    "payment.revoked": _("took an approval back"),
    "report.shared": _("shared the report by a link"),
    "report.unshared": _("ended a link to the report"),
    "export.answers": _("exported answers"),
    "export.payments": _("exported payments"),
}


def log_act(study: Study, actor: User | None, act: str, **details: Any) -> None:
    """Add one act to the log of a study, in the transaction of the act itself; no actor: the command line.

    Details are plain JSON and name no method and no score. Raises KeyError for an act that is not known.
    """
    if act not in ACTS:
        raise KeyError(act)
    StaffAct.objects.create(study=study, actor=actor, act=act, details=details)
