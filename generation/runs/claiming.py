"""Taking prompts of runs one at a time, under a lease (`generation.models.lease`), and handing in what was written."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from generation.genres import GENRES
from generation.models import Candidate, GenerationRun, Prompt, Provenance, RunPrompt
from generation.orders import Order, OrderRefused, ScoredText, Step, Written
from generation.texts.normalising import NORMALISER_VERSION, normalise_text, normalise_title
from generation.training.titles import drawn_form

# As the form of a run: each title is written in a regulated form of its own.
DRAWN = "drawn"


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
    of_queue = RunPrompt.objects.filter(run__queue=queue).select_related("run__method", "prompt")
    taken = of_queue.order_by("-run__priority", "run", "attempts", "number").claim(step=None)
    if taken is None or taken.lease is None:
        return None
    GenerationRun.objects.filter(pk=taken.run_id, state=GenerationRun.State.QUEUED).update(
        state=GenerationRun.State.RUNNING
    )
    return Claim(taken.pk, taken.lease, order_for(taken.run, taken.prompt, taken.opening))


def order_for(run: GenerationRun, prompt: Prompt, opening: str = "") -> Order:
    """Return what the run asks for this prompt; its seed depends on nothing but the run's seed and the prompt."""
    config = dict(run.config)
    title, description = prompt.text, prompt.description
    if prompt.parts or prompt.turns:
        title, description = prompt.content.whole_text(), ""
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
        opening=opening,
        **config,
    )


def seed_for(seed: int, prompt: Prompt) -> int:
    """Return a prompt's own seed of 32 bits, whoever writes it and in whatever order."""
    # A prompt without parts and turns has the seed that it had before there were any.
    said = [text for pair in (*prompt.content.parts, *prompt.content.turns) for text in pair]
    words = "\x00".join([str(seed), prompt.genre, prompt.text, prompt.description, *said])
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:4])


def renew(claimed: Claim) -> None:
    """Hold the prompt for another lease; raise `LeaseLost` where it is not ours any more."""
    RunPrompt.objects.renew(claimed.run_prompt, claimed.lease)


def report_step(claimed: Claim, step: Step) -> None:
    """Note how far the writing is, and renew; raise `LeaseLost` where the prompt is not ours any more."""
    RunPrompt.objects.renew(claimed.run_prompt, claimed.lease, step=asdict(step))


@transaction.atomic
def record(claimed: Claim, written: Written) -> Candidate:
    """Store the text with how it came about, if the lease still holds; raise `LeaseLost` otherwise."""
    RunPrompt.objects.hand_in(
        claimed.run_prompt, claimed.lease, state=RunPrompt.State.DONE, step=None, finished_at=Now()
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
    given_up = RunPrompt.objects.give_up(
        claimed.run_prompt, claimed.lease, error, is_final=isinstance(error, OrderRefused)
    )
    if given_up:
        settle([given_up.run_id])


@transaction.atomic
def fail_lost() -> int:
    """Fail the prompts whose third worker was lost, and return how many they are."""
    lost = RunPrompt.objects.fail_lost()
    if lost:
        settle({prompt.run_id for prompt in lost})
    return len(lost)


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
