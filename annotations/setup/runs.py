"""Having texts written for a study: a run for all its prompts, whose candidates join it when all are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from annotations.access.fixed import refuse_if_fixed
from annotations.access.log import log_act
from annotations.models import Page, PageCandidate, Study, StudyRun
from annotations.models.numbers import count_of
from annotations.setup.material.additions import study_methods_of
from annotations.setup.study import refuse_taken_name
from generation.files.candidates import MOST_METHODS
from generation.models import GenerationRun, Prompt, RunPrompt, method_name
from generation.refusals import Refused
from generation.runs.runs import queue_run

RUNS_SHOWN = 20


def refuse_further_methods(study: Study) -> None:
    """Raise `Refused` where no method can be added to a study any more."""
    refuse_further_texts(study)
    if study.study_methods.count() >= MOST_METHODS:
        raise Refused(
            _("The study has %(most)d methods, and no page can show more.") % {"most": MOST_METHODS}
        )


def refuse_further_texts(study: Study) -> None:
    """Raise `Refused` where runs can write nothing for a study any more."""
    refuse_if_fixed(study)
    if has_samples(study):
        raise Refused(
            _(
                "Prompts of this study stand on several pages, one for each sample; a run writes one text a prompt."
            )
        )


def refuse_method(study: Study, method: str) -> None:
    """Raise `Refused` where the study cannot take texts by this method."""
    if study.study_methods.filter(method__key=method).exists():
        refuse_further_texts(study)
        if not pages_lacking(study, method).exists():
            raise Refused(taken_message(method))
    else:
        refuse_further_methods(study)
        refuse_taken_name(study, method)


def pages_lacking(study: Study, method: str) -> QuerySet[Page]:
    """Return the pages of a study without a text by a method, in their order."""
    has_text = PageCandidate.objects.filter(page=OuterRef("pk"), study_method__method__key=method)
    pages = Page.objects.filter(~Exists(has_text), subtask__study=study)
    return pages.order_by("subtask__number", "number")


def methods_complete(study: Study) -> dict[str, bool]:
    """Return for the key of each method of a study whether it has a text on every page; one query."""
    pages: Any = Page.objects.filter(subtask__study=OuterRef("study"))
    found = study.study_methods.annotate(texts=Count("pagecandidate"), pages=count_of(pages)).order_by()
    rows = found.values_list("method__key", "texts", "pages")
    return {key: texts >= of_pages for key, texts, of_pages in rows}


def has_samples(study: Study) -> bool:
    """Whether prompts of a study stand on several pages, each with another text by every method."""
    pages = Page.objects.filter(subtask__study=study)
    several = pages.order_by().values("prompt").annotate(pages=Count("pk")).filter(pages__gt=1)
    return several.exists()


def taken_message(method: str) -> str:
    return _("The study has texts by %(method)s already.") % {"method": method_name(method)}


@transaction.atomic
def start_run(
    study: Study,
    method: str,
    *,
    model: str = "",
    preset: str = "",
    seed: int = 0,
    form: str = "",
    started_by: User | None = None,
) -> StudyRun:
    """Queue a run of a method over all prompts of a study without a text by it.

    Its candidates join the study when all are written.

    `form` is that of all poems (`generation.verse.forms`), or "" where the method chooses one.
    Raises `Refused`. The study's row is locked, because of two requests at
    once only one starts the run.
    """
    Study.objects.locked(study)
    refuse_method(study, method)
    open_states = (GenerationRun.State.QUEUED, GenerationRun.State.RUNNING)
    if study.study_runs.filter(run__method__key=method, run__state__in=open_states).exists():
        raise Refused(
            _("A run of %(method)s for this study is under way already.") % {"method": method_name(method)}
        )
    prompts: list[Prompt] = [page.prompt for page in pages_lacking(study, method).select_related("prompt")]
    config = {"form": form} if form else {}
    run = queue_run(
        method, prompts, model=model, preset=preset, seed=seed, config=config, started_by=started_by
    )
    log_act(study, started_by, "run.started", method=method, run=str(run.uuid))
    return StudyRun.objects.create(study=study, run=run)


@transaction.atomic
def add_run(study_run: StudyRun, *, added_by: User | None = None) -> None:
    """Show the candidates of a finished run on the pages of its study; done twice, it is done once.

    Nobody has added it where it joins by itself. The study's material is then another, and has to be signed off
    again. Raises `Refused` where the study cannot take them (any more). The study's row is locked, because nobody
    may be enrolled meanwhile.
    """
    study = Study.objects.locked(study_run.study_id)
    found = StudyRun.objects.filter(pk=study_run.pk).first()
    if found is None:
        raise Refused(_("The study has other prompts by now."))
    if found.added_at:
        return
    run = GenerationRun.objects.select_related("method").get(pk=study_run.run_id)
    if run.state != GenerationRun.State.DONE:
        raise Refused(_("Not all texts of the run are written."))
    refuse_method(study, run.method.key)
    candidate_of = dict(run.candidates.values_list("prompt_id", "pk"))
    # Prompts may have come since, for which another run writes.
    pages = [page for page in pages_lacking(study, run.method.key) if page.prompt_id in candidate_of]
    study_method = study_methods_of(study, [run.method.key])[run.method.key]
    PageCandidate.objects.bulk_create(
        PageCandidate(page=page, candidate_id=candidate_of[page.prompt_id], study_method_id=study_method)
        for page in pages
    )
    StudyRun.objects.filter(pk=study_run.pk).update(added_at=Now(), refused_at=None)
    Study.objects.filter(pk=study.pk).update(signed_off_at=None)
    log_act(study, added_by, "run.added", method=run.method.key, run=str(run.uuid))


def add_finished_runs() -> None:
    """Add the runs that are done to their studies; one that its study cannot take is set aside.

    Staff see why on the study's page, and can add it there once nothing is in the way.
    """
    waiting = StudyRun.objects.filter(
        run__state=GenerationRun.State.DONE, added_at__isnull=True, refused_at__isnull=True
    )
    for study_run in waiting.select_related("run__method"):
        try:
            add_run(study_run)
        except Refused:
            StudyRun.objects.filter(pk=study_run.pk, added_at__isnull=True).update(refused_at=Now())


@dataclass(frozen=True)
class RunRow:
    """A run for a study, how much of it is written, and what keeps a finished one out of the study."""

    study_run: StudyRun
    texts: int
    written: int
    refusal: str


def run_rows(study: Study, fixed: str) -> list[RunRow]:
    """Return the latest runs for a study with two queries; `fixed` is why it takes no further method, if so."""
    taken = {key for key, is_complete in methods_complete(study).items() if is_complete}
    prompts = RunPrompt.objects.filter(run=OuterRef("run"))
    found = study.study_runs.select_related("run__method").annotate(
        texts=count_of(prompts),
        written=count_of(prompts.filter(state=RunPrompt.State.DONE)),
    )
    rows = []
    for one in found.order_by("-pk")[:RUNS_SHOWN]:
        refusal = ""
        if one.refused_at:
            method = one.run.method.key
            refusal = fixed or (taken_message(method) if method in taken else "")
        rows.append(RunRow(one, one.texts, one.written, refusal))
    return rows
