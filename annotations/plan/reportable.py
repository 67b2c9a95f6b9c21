"""Twenty things that a paper should report of a human evaluation, and which of them the site says.

The list is ours. Its subject and its three parts (the task, the design, the analysis) are those of Mei et al. 2026,
Illusions of the Gold Standard (arXiv 2606.07936), who audit papers by 20 criteria of their own; its wording follows the
questions of HEDS (Shimorina and Belz 2022; version 3.0, Belz and Thomson 2024).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations.models import AnalysisPlan, Enrolment, Invitation, OpenLink, Study
from stats.reports.numbers import count, exact_percent

if TYPE_CHECKING:
    from stats.reports.study_report import Reportable

# Key, what is to be reported, and where it is said: nothing where the site does not know it.
Said = tuple[str, str, str]


def reportable(study: Study, plan: AnalysisPlan | None) -> tuple[Reportable, ...]:
    """Return the list for a study, before its launch as well as after it, with two queries."""
    # The records of a report are many, and the web process loads this one alone where it is asked for.
    from stats.reports.study_report import Reportable

    of_study = {"study": OuterRef("pk")}
    known = (
        Study.objects.filter(pk=study.pk)
        .annotate(
            prompts=Count("subtasks__pages", distinct=True),
            methods=Count("study_methods", distinct=True),
            is_invited=Exists(Invitation.objects.filter(**of_study))
            | Exists(OpenLink.objects.filter(**of_study)),
            is_enrolled=Exists(Enrolment.objects.filter(**of_study)),
        )
        .values("prompts", "methods", "is_invited", "is_enrolled")
        .get()
    )
    said = (*of_the_task(study), *of_the_design(study, plan, known), *of_the_analysis(study))
    return tuple(
        Reportable(number, key, what, bool(where), where or _("not known here: for you to say"))
        for number, (key, what, where) in enumerate(said, start=1)
    )


def of_the_task(study: Study) -> Iterator[Said]:
    """Yield what is asked about the task: key, what it is, and where it is said or nothing."""
    criteria = list(study.criteria.all())
    asked = ", ".join(str(one.label) for one in criteria)
    defined = [one for one in criteria if one.question]
    yield "criteria", _("What is judged: the criteria and their scales"), asked
    yield (
        "definitions",
        _("How each criterion is explained to evaluators"),
        _("the question of each criterion; data sheet, 4.3")
        if criteria and len(defined) == len(criteria)
        else "",
    )
    yield "rationale", _("Why these criteria were chosen"), ""
    yield (
        "instructions",
        _("The instructions that evaluators read"),
        _("in full in the data sheet") if study.instructions else "",
    )


def of_the_design(study: Study, plan: AnalysisPlan | None, known: Mapping[str, Any]) -> Iterator[Said]:
    """Yield what is asked about how the judgements are collected."""
    is_here = study.from_elsewhere is None
    yield (
        "interface",
        _("What evaluators see, and in which order"),
        _("the preview; data sheet, 3.3.4") if is_here else "",
    )
    size = ngettext(
        "%(prompts)s prompt, %(methods)s methods",
        "%(prompts)s prompts, %(methods)s methods",
        known["prompts"],
    ) % {"prompts": count(known["prompts"]), "methods": known["methods"]}
    yield "sample", _("How many texts are judged"), size if known["prompts"] else ""
    yield (
        "power",
        _("Why so many: the effect to be found"),
        _("the plan and ‘Power’") if plan is not None and plan.planned_effect is not None else "",
    )
    yield "selection", _("How prompts and texts were chosen"), ""
    planned = plan.planned_evaluators if plan is not None else None
    enough = planned or study.evaluators_per_subtask
    yield (
        "evaluators",
        _("How many evaluators there are, and how many a text has"),
        _("‘Participants’ in the report") if enough or known["is_enrolled"] else "",
    )
    is_told = is_here and known["is_invited"]
    yield "recruitment", _("How evaluators were recruited"), _("data sheet, 3.2.3") if is_told else ""
    yield "admission", _("Who was admitted, and by which qualification"), ""
    paid = f"{study.payment} {study.currency}" if is_here and study.payment else ""
    yield "payment", _("What evaluators were paid"), paid
    rule = (
        _("everything answered, at most %(percent)s of the pages inconsistent")
        % {"percent": exact_percent(float(study.inconsistency_threshold))}
        if study.has_best_picks
        else _("whoever rates everything counts")
    )
    yield "quality", _("How the quality of judgements is assured"), rule if is_here else ""


def of_the_analysis(study: Study) -> Iterator[Said]:
    """Yield what is asked about what is made of the judgements."""
    yield (
        "demographics",
        _("Who the evaluators are"),
        _("the short form; data sheet, 3.2.5") if study.questions else "",
    )
    yield (
        "agreement",
        _("How far evaluators agree, with intervals"),
        _("‘Agreement between evaluators’ in the report"),
    )
    yield (
        "disagreement",
        _("What is done where they disagree"),
        _("‘Methods’: every rating counts, none is overruled"),
    )
    yield "exclusions", _("Whose judgements are left out, and why"), _("‘Participants’ in the report")
    yield (
        "tests",
        _("Tests, effect sizes and their uncertainty"),
        _("‘All comparisons’ and ‘Methods’ in the report"),
    )
    yield "limitations", _("What the study cannot show"), ""
    yield (
        "ethics",
        _("Consent, and the approval of an ethics committee"),
        _("the consent is in the data sheet; the approval is for you to say") if study.consent else "",
    )
