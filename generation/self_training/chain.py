"""Self-training as a chain: a run writes poems for titles, the model learns from the best, and so on by cycles."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generation.engines.model_library import FOLDERS, folder_of, is_there, known_words, new_folder_of
from generation.models import Candidate, GenerationRun, Prompt, SelfTraining, TrainingCycle, Worker
from generation.prompts import PromptContent
from generation.refusals import Refused
from generation.runs.claiming import DRAWN
from generation.runs.notifications import known_models, queue_for
from generation.runs.runs import cancel_run, queue_run, retry_failed, stored_prompts
from generation.self_training.titles import check_titles

METHOD = "inverse_prompting"
NAME = re.compile(r"[a-z0-9][-a-z0-9]{0,39}")
# What only the words of a verse model of ours have.
VERSE_WORD = "<五绝>"
MOST_STEPS, MOST_CYCLES, LARGEST_SEED = 20_000, 20, 2**31 - 1
# A chain has time: the texts of studies and visitors go first.
PRIORITY = -1


@transaction.atomic
def start_self_training(
    name: str,
    titles: Sequence[Sequence[str]],
    *,
    base_model: str,
    keep_share: float = 1.0,
    steps: int = 2000,
    cycles: int = 2,
    seed: int = 0,
    by: User | None = None,
) -> SelfTraining:
    """Begin a chain of cycles and queue the run of its first; nobody has started it where it was the command line.

    `titles` is one list for all cycles, or one for each. The models of the cycles will be called NAME-1, NAME-2 and so
    on. Raises `Refused`.
    """
    refuse_settings(keep_share, steps, cycles, seed)
    refuse_name(name, cycles)
    refuse_base_model(base_model)
    for of_cycle in titles:
        if wrong := check_titles(of_cycle, base_model):
            raise Refused(wrong)
    chain = SelfTraining(
        name=name,
        base_model=base_model,
        titles=[list(of_cycle) for of_cycle in titles],
        keep_share=keep_share,
        steps=steps,
        cycles=cycles,
        seed=seed,
        started_by=by,
    )
    try:
        with transaction.atomic():
            chain.save(force_insert=True)
    except IntegrityError:
        raise Refused(taken_message(name)) from None
    begin_cycle(chain, 1)
    return chain


def refuse_settings(keep_share: float, steps: int, cycles: int, seed: int) -> None:
    """Raise `Refused` with the first setting that cannot be."""
    if not 0 < keep_share <= 1:
        raise Refused(_("The share of poems to learn from must be above 0 and at most 1."))
    for value, most, said in (
        (steps, MOST_STEPS, _("The steps must be from 1 to %(most)d.")),
        (cycles, MOST_CYCLES, _("The cycles must be from 1 to %(most)d.")),
    ):
        if not 1 <= value <= most:
            raise Refused(said % {"most": most})
    if not 0 <= seed <= LARGEST_SEED:
        raise Refused(_("The seed must be a whole number from 0 to %(most)d.") % {"most": LARGEST_SEED})


def refuse_name(name: str, cycles: int) -> None:
    """Raise `Refused` where the models of a chain cannot be called by this name."""
    if not NAME.fullmatch(name):
        raise Refused(
            _(
                "A name is of small letters, digits and hyphens, 40 at most, and begins with a letter or digit."
            )
        )
    models = [f"{name}-{number}" for number in range(1, cycles + 1)]
    is_taken = SelfTraining.objects.filter(name=name).exists()
    if is_taken or any(model in FOLDERS or new_folder_of(model).exists() for model in models):
        raise Refused(taken_message(name))


def taken_message(name: str) -> str:
    return _("There is a self-training or a model called %(name)s already.") % {"name": name}


def refuse_base_model(model: str) -> None:
    """Raise `Refused` where a model is not there, or is known to write no verse.

    A model that only workers on other machines have is known by name alone: they find out.
    """
    if model not in base_models():
        raise Refused(
            _("There is no model %(model)s here, and no worker has reported that has it.") % {"model": model}
        )
    if is_there(model) and VERSE_WORD not in known_words(folder_of(model)):
        raise Refused(
            _("%(model)s is not a verse model: only those can learn from their own poems.") % {"model": model}
        )


def base_models() -> list[str]:
    """Return the models that a chain can begin with, as far as is known here: one query."""
    return [
        name
        for name in known_models(Worker.objects.seen_lately())
        if name not in settings.LANGUAGE_MODEL_SERVERS
        and (VERSE_WORD in known_words(folder_of(name)) if is_there(name) else name not in FOLDERS)
    ]


def begin_cycle(chain: SelfTraining, number: int) -> TrainingCycle:
    """Queue the run of a cycle's poems, by the model of the cycle before; part of the caller's transaction."""
    titles = chain.titles_of(number)
    prompt_of = stored_prompts("poem", {PromptContent(title) for title in titles})
    prompts = Prompt.objects.in_bulk(prompt_of.values())
    run = queue_run(
        METHOD,
        [prompts[prompt_of[PromptContent(title)]] for title in titles],
        model=chain.model_of(number - 1),
        seed=chain.seed + number - 1,
        config={"form": DRAWN},
        priority=PRIORITY,
        started_by=chain.started_by,
    )
    SelfTraining.objects.filter(pk=chain.pk).update(state=SelfTraining.State.QUEUED)
    return TrainingCycle.objects.create(self_training=chain, number=number, run=run)


@transaction.atomic
def advance(pk: int) -> None:
    """Move a chain on whose poems are being written, as far as its run has come; done twice, it is done once.

    A few poems that could not be written hold up nothing; a run in which most could not fails the chain.
    """
    waiting = (SelfTraining.State.QUEUED, SelfTraining.State.WRITING)
    chain = SelfTraining.objects.select_for_update(skip_locked=True).filter(pk=pk, state__in=waiting).first()
    if chain is None:
        return
    run = chain.training_cycles.select_related("run").latest("number").run
    before = chain.state
    if run.state == GenerationRun.State.RUNNING:
        chain.state = SelfTraining.State.WRITING
    elif run.state == GenerationRun.State.CANCELLED:
        chain.state = SelfTraining.State.CANCELLED
    elif run.state in (GenerationRun.State.DONE, GenerationRun.State.FAILED):
        chain.state, chain.error = after_writing(run)
    if chain.state != before:
        chain.save(update_fields=["state", "error"])


def after_writing(run: GenerationRun) -> tuple[SelfTraining.State, str]:
    """Return the state that a chain is in after a run, and what is wrong if anything."""
    total = run.run_prompts.count()
    missing = total - Candidate.objects.filter(run=run).count()
    if 2 * missing <= total:
        return SelfTraining.State.TRAINING, ""
    said = ngettext(
        "%(missing)d of %(total)d poem could not be written.",
        "%(missing)d of %(total)d poems could not be written.",
        total,
    )
    reason = run.run_prompts.exclude(error="").values_list("error", flat=True).first()
    return SelfTraining.State.FAILED, " ".join(
        [said % {"missing": missing, "total": total}, reason or ""]
    ).strip()


@transaction.atomic
def cancel_self_training(chain: SelfTraining) -> bool:
    """End a chain that is not finished, and its run, and return whether this call did so; what is there stays.

    A worker in the middle of a unit finds its lease gone.
    """
    # The row first: a worker that hands in the last unit of a cycle begins the next one's run under the same lock.
    cancelled = SelfTraining.objects.filter(pk=chain.pk, state__in=SelfTraining.OPEN).update(
        state=SelfTraining.State.CANCELLED, lease=None, leased_until=None
    )
    if not cancelled:
        return False
    for cycle in chain.training_cycles.filter(finished_at=None).select_related("run"):
        cancel_run(cycle.run)
    return True


@transaction.atomic
def try_again(chain: SelfTraining) -> bool:
    """Let a chain that failed go on from where it stood, and return whether this call did so."""
    going_on = SelfTraining.objects.filter(pk=chain.pk, state=SelfTraining.State.FAILED).update(
        state=SelfTraining.State.QUEUED, attempts=0, error=""
    )
    if going_on:
        # The run says by itself what comes next: poems that are still to be written, or learning.
        retry_failed(chain.training_cycles.select_related("run").latest("number").run)
    return going_on == 1


def queues_to_take(queues: Collection[str]) -> list[str]:
    """Return the queues that a worker of some queues should take besides: one query.

    They are those of the models that came of chains whose base model it can load, if the models lie in its folder.
    """
    finished = TrainingCycle.objects.filter(finished_at__isnull=False).select_related("self_training")
    found = list(queues)
    for cycle in finished.order_by("pk"):
        chain = cycle.self_training
        model = chain.model_of(cycle.number)
        if queue_for(chain.base_model) in found and is_there(model) and queue_for(model) not in found:
            found.append(queue_for(model))
    return found[len(queues) :]
