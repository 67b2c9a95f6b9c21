"""Taking prompts of runs one at a time, under a lease, and handing in what was written.

The database is the queue: a prompt is taken by who finds it free and locks its row, and is its taker's until the
lease runs out. A lease is renewed while the worker lives, so one that was killed or stopped loses its prompt within
seconds. What it writes afterwards is refused, because the lease that it names is not the prompt's any more.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from generation.genres import GENRES
from generation.models import MOST_ATTEMPTS, Candidate, GenerationRun, Prompt, Provenance, RunPrompt
from generation.orders import Order, OrderRefused, ScoredText, Step, Written
from generation.refusals import Refused
from generation.texts.normalising import NORMALISER_VERSION, normalise_text, normalise_title
from generation.training.titles import drawn_form

# A worker that was killed is noticed after the lease; one that is only slow renews it five times meanwhile.
LEASE = timedelta(seconds=8)
RENEW_SECONDS = 1.5
LONGEST_ERROR = 500
# As the form of a run: each title is written in a regulated form of its own.
DRAWN = "drawn"
LOST = "The worker was lost while it wrote this text: it was killed, or it crashed."


class LeaseLost(Exception):
    """The prompt is not this worker's any more: its lease ran out and another took it, or the run was cancelled."""


@dataclass(frozen=True)
class Claim:
    """A prompt that was taken, and what is to be written for it."""

    run_prompt: int
    lease: uuid.UUID
    order: Order


@transaction.atomic
def claim(queue: str) -> Claim | None:
    """Take the next prompt of all runs in a queue, or return None where there is none free.

    Within a run, prompts that failed before come last, so that one which kills its workers holds up no other.
    """
    free = RunPrompt.objects.claimable().filter(run__queue=queue)
    taken = (
        free.select_for_update(skip_locked=True, of=["self"])
        .select_related("run__method", "prompt")
        .order_by("-run__priority", "run", "attempts", "number")
        .first()
    )
    if taken is None:
        return None
    if taken.state == RunPrompt.State.RUNNING:
        taken.error = LOST
    lease = uuid.uuid4()
    RunPrompt.objects.filter(pk=taken.pk).update(
        state=RunPrompt.State.RUNNING,
        attempts=F("attempts") + 1,
        lease=lease,
        leased_until=Now() + LEASE,
        step=None,
        error=taken.error,
    )
    GenerationRun.objects.filter(pk=taken.run_id, state=GenerationRun.State.QUEUED).update(
        state=GenerationRun.State.RUNNING
    )
    return Claim(taken.pk, lease, order_for(taken.run, taken.prompt))


def order_for(run: GenerationRun, prompt: Prompt) -> Order:
    """Return what the run asks for this prompt; its seed depends on nothing but the run's seed and the prompt."""
    config = dict(run.config)
    title, description = prompt.text, prompt.description
    if GENRES[prompt.genre].template != "genre":
        # These templates hold a prompt on one line, normalised as the texts that the models learned from.
        title, description = normalise_title(title), normalise_title(description)
    if config.get("form") == DRAWN:
        config["form"] = drawn_form(title, run.seed)
    return Order(
        method=run.method.key,
        genre=prompt.genre,
        prompt=title,
        description=description,
        model=run.model,
        preset=run.preset,
        seed=seed_for(run.seed, prompt),
        **config,
    )


def seed_for(seed: int, prompt: Prompt) -> int:
    """Return a prompt's own seed of 32 bits, whoever writes it and in whatever order."""
    words = "\x00".join([str(seed), prompt.genre, prompt.text, prompt.description])
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:4])


def renew(claimed: Claim) -> None:
    """Hold the prompt for another lease; raise `LeaseLost` where it is not ours any more."""
    _update_held(claimed, leased_until=Now() + LEASE)


def report_step(claimed: Claim, step: Step) -> None:
    """Note how far the writing is, and renew; raise `LeaseLost` where the prompt is not ours any more."""
    _update_held(claimed, leased_until=Now() + LEASE, step=asdict(step))


def _update_held(claimed: Claim, **values: Any) -> None:
    if not RunPrompt.objects.held_by(claimed.lease).filter(pk=claimed.run_prompt).update(**values):
        raise LeaseLost(f"prompt {claimed.run_prompt} was taken back")


@transaction.atomic
def record(claimed: Claim, written: Written) -> Candidate:
    """Store the text with how it came about, if the lease still holds; raise `LeaseLost` otherwise.

    The lease is compared in the transaction that stores the text: a worker that was stopped and goes on after
    another took its prompt writes nothing.
    """
    _update_held(
        claimed,
        state=RunPrompt.State.DONE,
        lease=None,
        leased_until=None,
        step=None,
        error="",
        finished_at=Now(),
    )
    done = RunPrompt.objects.select_related("prompt").get(pk=claimed.run_prompt)
    text = normalise_text(written.best.text, done.prompt.genre)
    if not text:
        raise ValueError("the text that was written is empty")
    candidate = Candidate.objects.create(run_id=done.run_id, prompt_id=done.prompt_id, text=text)
    Provenance.objects.create(
        candidate=candidate,
        score=written.best.score,
        terms=dict(written.best.terms),
        sentences=[asdict(sentence) for sentence in written.best.sentences],
        runners_up=[_as_json(text) for text in written.runners_up],
        unknown=written.unknown,
        seconds=written.seconds,
        facts={**written.provenance, "normaliser": NORMALISER_VERSION},
    )
    settle([done.run_id])
    return candidate


def _as_json(text: ScoredText) -> dict[str, Any]:
    return {
        "text": text.text,
        "score": text.score,
        "terms": dict(text.terms),
        "sentences": [asdict(sentence) for sentence in text.sentences],
    }


@transaction.atomic
def give_up(claimed: Claim, error: BaseException) -> None:
    """Put a prompt back whose writing failed, with the reason; after three attempts, or if refused, it has failed."""
    held = RunPrompt.objects.held_by(claimed.lease).filter(pk=claimed.run_prompt)
    failed = held.select_for_update().first()
    if failed is None:
        return  # whoever took it meanwhile reports what came of it
    is_final = isinstance(error, OrderRefused) or failed.attempts >= MOST_ATTEMPTS
    held.update(
        state=RunPrompt.State.FAILED if is_final else RunPrompt.State.WAITING,
        lease=None,
        leased_until=None,
        error=reason_of(error),
        finished_at=Now() if is_final else None,
    )
    settle([failed.run_id])


def reason_of(error: BaseException) -> str:
    """Return why something failed, as the database keeps it; a refusal is in words for people already."""
    is_refusal = isinstance(error, (OrderRefused, Refused))
    words = str(error) if is_refusal else f"{type(error).__name__}: {error}"
    # PostgreSQL keeps no zero byte.
    return words.replace("\x00", "")[:LONGEST_ERROR]


@transaction.atomic
def fail_lost() -> int:
    """Fail the prompts whose third worker was lost, and return how many they are."""
    lost = RunPrompt.objects.filter(
        state=RunPrompt.State.RUNNING, leased_until__lt=Now(), attempts__gte=MOST_ATTEMPTS
    )
    found = list(lost.select_for_update(skip_locked=True).values_list("pk", "run_id"))
    if not found:
        return 0
    RunPrompt.objects.filter(pk__in=[pk for pk, _ in found]).update(
        state=RunPrompt.State.FAILED, lease=None, leased_until=None, step=None, error=LOST, finished_at=Now()
    )
    settle({run_id for _, run_id in found})
    return len(found)


def settle(run_ids: Iterable[int]) -> None:
    """Give runs with nothing left to write their final state; part of the caller's transaction.

    A run's row is locked first: of two workers that hand in its last two texts at once, the later one must see what
    the earlier one did.
    """
    for run in GenerationRun.objects.select_for_update().filter(pk__in=run_ids).order_by("pk"):
        if run.is_open() and not run.run_prompts.open().exists():
            has_failed = run.run_prompts.filter(state=RunPrompt.State.FAILED).exists()
            run.state = GenerationRun.State.FAILED if has_failed else GenerationRun.State.DONE
            run.save(update_fields=["state"])
