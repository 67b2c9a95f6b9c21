"""From a draft to a study that people rate: sign-off, launch, and pauses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import DateTimeField, Func, OuterRef
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations.access.log import log_act
from annotations.models import AnalysisPlan, Enrolment, Page, PageCandidate, Study
from annotations.models.numbers import count_of
from annotations.questionnaire.blocks import cycle_length
from annotations.questionnaire.progress import Progress, progress_of
from annotations.setup.checklist_items.storing import checklist_obstacles
from annotations.setup.error_categories.rows import marking_obstacles
from annotations.setup.material import OPEN_RUNS, MaterialChecks, material_checks
from annotations.setup.quality.declaration import quality_obstacles
from annotations.setup.quality.layout import lay_out_checks
from generation.models import GenerationRun
from generation.refusals import Refused
from generation.texts.dialogues import rated_turns, turns_of

FEWEST_METHODS = 2


class ClockTimestamp(Func):
    """The time by the database's clock; `Now` is that at which the transaction began, before it waited for others."""

    function = "clock_timestamp"
    output_field = DateTimeField()


@transaction.atomic
def sign_off(study: Study, *, by: User | None) -> None:
    """Declare the material and the criteria of a draft right, after looking at them; any change takes it back.

    Raises Refused with everything that is wrong with them.
    """
    locked = Study.objects.locked(study)
    # A locked plan is no obstacle: it names what is signed off here.
    if locked.state != Study.State.DRAFT:
        raise Refused(_("The study has been launched already."))
    if wrong := material_obstacles(locked, material_checks(locked)):
        raise Refused(*wrong)
    count_turns(locked)
    Study.objects.filter(pk=study.pk).update(signed_off_at=Now())
    study.refresh_from_db(fields=["signed_off_at"])
    log_act(study, by, "study.signed_off")


def count_turns(study: Study) -> None:
    """Keep with each text of a study how many of its turns are rated, with one query where none is a dialogue."""
    shown = PageCandidate.objects.filter(page__subtask__study=study, candidate__text__regex=r"^\s*\[")
    rows = list(shown.select_related("candidate"))
    for row in rows:
        row.turns = len(rated_turns(turns_of(row.candidate.text)))
    PageCandidate.objects.bulk_update(rows, ["turns"], batch_size=2_000)


@transaction.atomic
def launch(study: Study, *, by: User | None, without_plan: bool = False) -> None:
    """Open a draft to its evaluators, for good: its material, criteria and rules are fixed from now on.

    Whoever has locked no plan of the analysis must mean it (`without_plan`), and the report says so. Raises Refused
    with all reasons there are. The study's row is locked, because nothing of it may change between the check and the
    launch.
    """
    locked = Study.objects.locked(study)
    if locked.state != Study.State.DRAFT:
        raise Refused(_("The study has been launched already."))
    checks = material_checks(locked)
    if wrong := launch_obstacles(locked, checks, material_obstacles(locked, checks)):
        raise Refused(*wrong)
    has_plan = AnalysisPlan.objects.filter(study=study).exists()
    if not (has_plan or without_plan):
        raise Refused(
            _(
                "No plan of the analysis is locked. Lock one, or say that the study is launched without a plan."
            )
        )
    lay_out_checks(locked)
    Study.objects.filter(pk=study.pk).update(state=Study.State.OPEN, launched_at=Now())
    study.refresh_from_db(fields=["state", "launched_at"])
    log_act(study, by, "study.launched", **({} if has_plan else {"without_plan": True}))


def pause(study: Study, *, by: User | None) -> bool:
    """Let an open study take no answers for a time, and return whether this call did so.

    Deadlines stay as they are. Raises Refused for a draft and for a closed study.
    """
    return _switch(study, Study.State.OPEN, Study.State.PAUSED, "study.paused", by=by)


def resume(study: Study, *, by: User | None) -> bool:
    """Let a paused study take answers again, and return whether this call did so.

    Deadlines stay as they are. Raises Refused for a draft and for a closed study.
    """
    return _switch(study, Study.State.PAUSED, Study.State.OPEN, "study.resumed", by=by)


def material_obstacles(study: Study, checks: MaterialChecks) -> list[str]:
    """Return what keeps the material of a study from being signed off, in words; at most eight queries."""
    wrong = []
    overall = [criterion.is_overall for criterion in study.criteria.all()]
    if not overall:
        wrong.append(_("The study asks nothing yet: choose its criteria."))
    elif study.has_best_picks and not any(overall):
        wrong.append(_("A study that asks for the best text needs one criterion marked as the overall one."))
    if not checks.prompts:
        wrong.append(_("The study has no prompts: upload its material."))
    elif len(checks.methods) < FEWEST_METHODS:
        wrong.append(_("There must be texts by at least two methods to compare."))
    if checks.missing and study.allows_missing_texts:
        texts: Any = Page.objects.annotate(texts=count_of(PageCandidate.objects.filter(page=OuterRef("pk"))))
        few = texts.filter(subtask__study=study, texts__lt=FEWEST_METHODS).count() if checks.methods else 0
        if few:
            said = ngettext(
                "%(count)d prompt has texts by fewer than two methods.",
                "%(count)d prompts have texts by fewer than two methods.",
                few,
            )
            wrong.append(said % {"count": few})
    elif checks.missing:
        said = ngettext("%(count)d text is missing.", "%(count)d texts are missing.", checks.missing)
        wrong.append(said % {"count": checks.missing})
    wrong += size_obstacles(study, len(checks.methods))
    wrong += checklist_obstacles(study)
    wrong += marking_obstacles(study)
    # Texts that are all written join the study within seconds.
    coming = (*OPEN_RUNS, GenerationRun.State.DONE)
    waiting = study.study_runs.filter(run__state__in=coming, added_at=None, refused_at=None)
    if waiting.exists():
        wrong.append(_("A run for this study is under way; wait for its texts or cancel it."))
    return wrong


def size_obstacles(study: Study, methods: int) -> list[str]:
    """Say where pages would have fewer texts than the protocol asks about, or more; one query at most."""
    protocol = study.asks
    if methods and study.page_size(methods) > protocol.most:
        said = _(
            "A page of this protocol has at most %(most)d texts: say in the settings how many share one."
        )
        return [said % {"most": protocol.most}]
    if methods and protocol.fewest > FEWEST_METHODS:
        texts: Any = Page.objects.annotate(texts=count_of(PageCandidate.objects.filter(page=OuterRef("pk"))))
        if few := texts.filter(subtask__study=study, texts__lt=protocol.fewest).count():
            said = ngettext(
                "%(count)d prompt has fewer than the %(fewest)d texts that a page of this protocol needs.",
                "%(count)d prompts have fewer than the %(fewest)d texts that a page of this protocol needs.",
                few,
            )
            return [said % {"count": few, "fewest": protocol.fewest}]
    return []


def block_obstacles(study: Study, checks: MaterialChecks) -> list[str]:
    """Say where the evaluators of a sub-task see too few blocks to connect all methods."""
    methods, size = len(checks.methods), study.page_size(len(checks.methods))
    if study.evaluators_per_subtask is None or size in (methods, 0, 1):
        return []
    pages, needed = checks.smallest_subtask * study.evaluators_per_subtask, cycle_length(methods, size)
    if pages >= needed:
        return []
    said = _(
        "The evaluators of a sub-task see %(pages)d pages together, and %(needed)d are needed for every two methods to"
        " stand on one: take larger sub-tasks or more evaluators for each."
    )
    return [said % {"pages": pages, "needed": needed}]


def launch_obstacles(study: Study, checks: MaterialChecks, in_material: Sequence[str]) -> list[str]:
    """Return what keeps a draft from being launched, in words: what is wrong `in_material`, and the rest."""
    wrong = list(in_material)
    if not wrong and study.signed_off_at is None:
        wrong.append(_("Nobody has signed the material off."))
    each = study.subtasks_per_evaluator
    if each and checks.subtasks and each > checks.subtasks:
        said = _("An evaluator cannot get %(each)d sub-tasks: there are %(subtasks)d.")
        wrong.append(said % {"each": each, "subtasks": checks.subtasks})
    return wrong + block_obstacles(study, checks) + quality_obstacles(study, checks.prompts)


@transaction.atomic
def _switch(study: Study, before: Study.State, after: Study.State, act: str, *, by: User | None) -> bool:
    switched = Study.objects.filter(pk=study.pk, state=before).update(state=after) == 1
    study.refresh_from_db(fields=["state"])
    if switched:
        log_act(study, by, act)
    elif study.state == Study.State.DRAFT:
        raise Refused(_("The study has not been launched."))
    elif study.state == Study.State.CLOSED:
        raise Refused(_("The study is closed for good."))
    return switched


def still_answering(study: Study) -> list[tuple[Enrolment, Progress]]:
    """Return the evaluators who have time left and answers to give, with how far they are; two queries."""
    with_time = study.enrolments.taking_part().filter(
        source=Enrolment.Source.QUESTIONNAIRE, deadline__gt=Now()
    )
    progress = progress_of(with_time)
    return [(one, progress[one.pk]) for one in with_time if progress[one.pk].missing]


@transaction.atomic
def close_study(study: Study, *, staff: User | None = None) -> bool:
    """Close a study that was launched, so that it takes no more answers, and return whether this call did so.

    Without `staff` it was done from the command line. The study's row is locked: answers that are being saved share a
    lock on it, so they are waited for, and the study is closed at a time after all of them.
    """
    Study.objects.locked(study)
    launched = Study.objects.filter(pk=study.pk, state__in=[Study.State.OPEN, Study.State.PAUSED])
    closed = launched.update(state=Study.State.CLOSED, closed_at=ClockTimestamp()) == 1
    if closed:
        study.state = Study.State.CLOSED
        log_act(study, staff, "study.closed")
    return closed
