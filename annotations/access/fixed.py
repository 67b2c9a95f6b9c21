"""What of a study may still change, and why the rest no longer does: one rule for every act that changes one."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from annotations.models import AnalysisPlan, Enrolment, Page, PageCandidate, Study
from annotations.models.protocols import OF_TEXTS as OF_ANSWERED_TEXTS
from annotations.models.protocols import WITH_HISTORY
from generation.files.problems import listed
from generation.refusals import Refused

# What may be changed while evaluators are at work: words, and when an abandoned sub-task is given back.
AFTER_LAUNCH = frozenset({"title", "instructions", "interface_languages", "contact", "hours_to_give_back"})
CHANGEABLE = AFTER_LAUNCH | {
    "consent",
    "questions",
    "prompts_per_subtask",
    "evaluators_per_subtask",
    "subtasks_per_evaluator",
    "days_to_rate",
    "allows_missing_texts",
    "has_best_picks",
    "protocol",
    "preference_scale",
    "candidates_per_page",
    "reasons",
    "has_corrections",
    "inconsistency_threshold",
    "payment",
    "currency",
    "normalisation",
    "rendering",
    "text_language",
}
# What the texts look like: fixed with the material.
OF_TEXTS = frozenset({"normalisation", "rendering", "text_language"})
# What a page asks about how many texts: fixed with the criteria.
OF_PAGES = frozenset({"protocol", "preference_scale", "candidates_per_page", "reasons", "has_corrections"})


def refuse_if_closed(study: Study) -> None:
    """Raise Refused where the study is closed."""
    if study.state == Study.State.CLOSED:
        raise Refused(_("The study is closed; nothing of it changes any more."))


def refuse_if_fixed(study: Study) -> None:
    """Raise Refused where it can no longer change what a study asks about which texts."""
    refuse_if_closed(study)
    if study.launched_at:
        raise Refused(_("The study has been launched; what is asked about which texts is fixed."))
    if study.enrolments.exists():
        raise Refused(_("Evaluators are enrolled already, and all must be asked the same."))
    if has_plan(study):
        raise Refused(_("The analysis plan is locked, and it names criteria, methods and prompts."))


def why_fixed(study: Study) -> str:
    """Return why it can no longer change what a study asks about which texts, or nothing."""
    try:
        refuse_if_fixed(study)
    except Refused as refused:
        return str(refused)
    return ""


def changeable_fields(study: Study) -> frozenset[str]:
    """Return the fields of a study that may be changed in its state."""
    if study.state == Study.State.CLOSED:
        return frozenset()
    return CHANGEABLE if study.state == Study.State.DRAFT else AFTER_LAUNCH


def refuse_late_changes(study: Study, changed: frozenset[str]) -> None:
    """Raise Refused where one of these fields of a study may no longer change."""
    refuse_if_closed(study)
    if late := changed - changeable_fields(study):
        labels = listed(sorted(late))
        raise Refused(_("The study has been launched; these are fixed: %(fields)s.") % {"fields": labels})
    if "inconsistency_threshold" in changed and has_plan(study):
        raise Refused(_("The analysis plan is locked, and it holds the rule of exclusion."))
    if (OF_TEXTS | OF_PAGES) & changed:
        refuse_if_fixed(study)


def refuse_labels(study: Study) -> None:
    """Raise Refused where evaluators are at work, so that what reports call the methods does not change meanwhile."""
    if study.state != Study.State.DRAFT and Study.objects.sealed().filter(pk=study.pk).exists():
        raise Refused(_("Evaluators are at work; labels of methods can be changed once the study is closed."))


def refuse_late_plan(study: Study) -> None:
    """Raise Refused for a plan that would be the second, or would come after an answer."""
    if has_plan(study):
        raise Refused(_("The plan of this study is locked already. It cannot be replaced."))
    refuse_if_closed(study)
    if has_answers(study):
        raise Refused(
            _("The first answer has been given. A plan is only worth its name if it was locked before.")
        )


def has_plan(study: Study) -> bool:
    return AnalysisPlan.objects.filter(study=study).exists()


def has_answers(study: Study) -> bool:
    """Whether people have answered anything, even if they took it back; simulated and training answers are none."""
    training = PageCandidate.objects.filter(page__subtask__study=study, page__role=Page.Role.TRAINING)
    something = Q(answers_removed__gt=0)
    for model in WITH_HISTORY:
        given = model._default_manager.filter(enrolment=OuterRef("pk"))
        if model in OF_ANSWERED_TEXTS:
            counted = given.exclude(candidate__in=training.values("candidate"))
        else:
            counted = given.exclude(page__role=Page.Role.TRAINING)
        something |= Q(Exists(counted))
    return study.enrolments.exclude(source=Enrolment.Source.SIMULATED).filter(something).exists()
