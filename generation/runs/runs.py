"""Runs from their beginning to their end: imported as a whole, or queued for our own workers.

Beside `generation.runs.claiming`, which hands in one text, this is the only writer of candidates and their runs.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models.functions import MD5, Now
from django.utils.translation import gettext as _

from generation.engines.jiuge import JIUGE
from generation.engines.model_library import model_of
from generation.engines.servers import refuse_to_score
from generation.files.candidates import PROVENANCE
from generation.methods import LABELS, METHODS, PRESETS
from generation.models import Candidate, GenerationRun, Method, Prompt, Provenance, RunPrompt
from generation.models.copying import FEWEST_COPIED, copy_rows
from generation.orders import OrderRefused
from generation.prompts import PromptContent
from generation.refusals import Refused
from generation.runs.claiming import order_for
from generation.runs.notifications import notify_idle, queue_for

BATCH = 2000
PROMPT_FIELDS = ("genre", "text", "description", "external_id", "parts", "turns", "tags")
ORDER_FIELDS = ("form", "tune", "heads", "author")
LARGEST_SEED = 2**63 - 1
MODEL_NAME = re.compile(r"[-a-zA-Z0-9_.]{0,50}")


@dataclass(frozen=True, slots=True)
class ImportedText:
    """A text that somebody else's method wrote for a prompt."""

    prompt: PromptContent
    method: str
    text: str
    # The fields of `Provenance` that are known, where a method of ours wrote it.
    provenance: Mapping[str, Any] | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    # Which of several texts by the method for the prompt, from 1.
    sample: int = 1


class StoredCandidate(NamedTuple):
    """Where an imported text is stored; a row of the model takes several times as long to make."""

    pk: int
    run_id: int
    prompt_id: int


@transaction.atomic
def record_import(
    genre: str,
    texts: Sequence[ImportedText],
    *,
    source: Mapping[str, Any],
    labels: Mapping[str, str] | None = None,
) -> list[StoredCandidate]:
    """Store imported texts as finished runs, one a method and sample, and return the candidates in the same order.

    Prompts and methods that are there already are used again; a new method is labelled by `labels`, by the labels
    known here, or by its key. `source` says what was imported: {"import": file name, "sha256": ..., ...}. The run of
    texts that come with their provenance can be looked at like one of our own.
    """
    prompt_of = stored_prompts(genre, {text.prompt for text in texts})
    methods = _stored_methods(
        list(dict.fromkeys(text.method for text in texts)), {**LABELS, **(labels or {})}
    )
    # A run holds one text for a prompt: each further sample is another one.
    runs = {
        (method, sample): GenerationRun(
            method=methods[method], state=GenerationRun.State.DONE, source=dict(source)
        )
        for method, sample in dict.fromkeys((text.method, text.sample) for text in texts)
    }
    GenerationRun.objects.bulk_create(runs.values())
    run_of = {key: run.pk for key, run in runs.items()}
    rows = [
        (run_of[text.method, text.sample], prompt_of[text.prompt], text.text, dict(text.notes))
        for text in texts
    ]
    keys = copy_rows(Candidate, ("run", "prompt", "text", "notes"), rows)
    candidates = [StoredCandidate(key, row[0], row[1]) for key, row in zip(keys, rows, strict=True)]
    _record_provenance(
        [(one, text.provenance) for one, text in zip(candidates, texts, strict=True) if text.provenance]
    )
    return candidates


def _record_provenance(known: Sequence[tuple[StoredCandidate, Mapping[str, Any]]]) -> None:
    """Store how imported candidates came about, and list them under their runs."""
    Provenance.objects.bulk_create(
        [
            Provenance(candidate_id=candidate.pk, **{**PROVENANCE, **provenance})
            for candidate, provenance in known
        ],
        batch_size=BATCH,
    )
    numbers: Counter[int] = Counter()
    run_prompts = []
    for candidate, _provenance in known:
        numbers[candidate.run_id] += 1
        run_prompts.append(
            RunPrompt(
                run_id=candidate.run_id,
                prompt_id=candidate.prompt_id,
                number=numbers[candidate.run_id],
                state=RunPrompt.State.DONE,
            )
        )
    RunPrompt.objects.bulk_create(run_prompts, batch_size=BATCH)


@transaction.atomic
def queue_run(
    method: str,
    prompts: Sequence[Prompt],
    *,
    model: str = "",
    preset: str = "",
    seed: int = 0,
    config: Mapping[str, str] | None = None,
    priority: int = 0,
    started_by: User | None = None,
    openings: Sequence[str] = (),
) -> GenerationRun:
    """Queue the writing of one text for each prompt, and notify the workers when that is stored.

    `openings` holds what stands already of each text, if anything does.

    `model` says whose workers take it, `config` what else the orders say (`ORDER_FIELDS`); prompts of runs with a
    higher `priority` are written first. Raises `Refused`.
    """
    config = dict(config or {})
    allowed = methods_here()
    if method not in allowed:
        raise Refused(
            _("%(method)s is no method that can be carried out here; there are %(methods)s.")
            % {"method": method, "methods": ", ".join(allowed)}
        )
    if not prompts:
        raise Refused(_("There are no prompts to write for."))
    if not MODEL_NAME.fullmatch(model):
        raise Refused(_("%(model)s is no name of a model.") % {"model": model})
    if preset and preset not in PRESETS:
        raise Refused(
            _("%(preset)s is no preset; there are %(presets)s.")
            % {"preset": preset, "presets": ", ".join(sorted(PRESETS))}
        )
    if not 0 <= seed <= LARGEST_SEED:
        raise Refused(_("The seed must be a whole number that is not negative."))
    if unknown := set(config) - set(ORDER_FIELDS):
        raise ValueError(f"config: {sorted(unknown)} are none of {ORDER_FIELDS}")
    run = GenerationRun(
        method=_stored_methods([method], LABELS)[method],
        model=model,
        queue=queue_for(model),
        preset=preset,
        seed=seed,
        config=config,
        priority=priority,
        started_by=started_by,
    )
    refuse_without_model(run, prompts, openings)
    run.save(force_insert=True)
    RunPrompt.objects.bulk_create(
        (
            RunPrompt(run=run, prompt=prompt, number=number, opening=opening)
            for number, (prompt, opening) in enumerate(with_openings(prompts, openings), start=1)
        ),
        batch_size=BATCH,
    )
    transaction.on_commit(lambda: notify_idle(run.queue, len(prompts)))
    return run


def methods_here() -> tuple[str, ...]:
    """Return the methods that can be carried out here: our own, and Jiuge where its service's address is set."""
    return (*METHODS, JIUGE) if settings.JIUGE_URL else tuple(METHODS)


def with_openings(prompts: Sequence[Prompt], openings: Sequence[str]) -> list[tuple[Prompt, str]]:
    """Return each prompt with what stands already of its text."""
    return list(zip(prompts, openings or [""] * len(prompts), strict=True))


def refuse_without_model(run: GenerationRun, prompts: Sequence[Prompt], openings: Sequence[str] = ()) -> None:
    """Raise `Refused` where no model can write for a prompt, before anything waits for one."""
    for prompt, opening in with_openings(prompts, openings):
        try:
            order = order_for(run, prompt, opening)
            model_of(order)
            refuse_to_score(settings.LANGUAGE_MODEL_SERVERS, order)
        except OrderRefused as refused:
            raise Refused(f"{prompt}: {refused}") from refused


@transaction.atomic
def cancel_run(run: GenerationRun) -> bool:
    """End a run that is not finished, and return whether this call did so; texts that are written stay.

    A worker in the middle of a text finds its lease gone.
    """
    run.run_prompts.open().update(
        state=RunPrompt.State.CANCELLED, lease=None, leased_until=None, step=None, finished_at=Now()
    )
    open_states = (GenerationRun.State.QUEUED, GenerationRun.State.RUNNING)
    cancelled = GenerationRun.objects.filter(pk=run.pk, state__in=open_states).update(
        state=GenerationRun.State.CANCELLED
    )
    return cancelled == 1


@transaction.atomic
def retry_failed(run: GenerationRun) -> int:
    """Let the workers try the failed prompts of a run again, unless it is cancelled, and return how many these are."""
    retried = (
        RunPrompt.objects.filter(run=run, state=RunPrompt.State.FAILED)
        .exclude(run__state=GenerationRun.State.CANCELLED)
        .update(state=RunPrompt.State.WAITING, attempts=0, error="", finished_at=None)
    )
    if retried:
        GenerationRun.objects.filter(pk=run.pk).update(state=GenerationRun.State.RUNNING)
        transaction.on_commit(lambda: notify_idle(run.queue, retried))
    return retried


def stored_prompts(genre: str, wanted: Collection[PromptContent]) -> dict[PromptContent, int]:
    """Return the primary key of each prompt, saved now or before."""
    if len(wanted) < FEWEST_COPIED:
        contents = sorted(wanted)
        Prompt.objects.bulk_create([Prompt.of(genre, content) for content in contents], ignore_conflicts=True)
        return _stored_before(genre, contents)
    stored = _stored_before(genre, wanted)
    # In order, so that of two imports at once none waits for the other.
    new = [Prompt.of(genre, content) for content in sorted(set(wanted) - stored.keys())]
    if not new:
        return stored
    try:
        with transaction.atomic():
            rows = [[getattr(prompt, name) for name in PROMPT_FIELDS] for prompt in new]
            keys = copy_rows(Prompt, PROMPT_FIELDS, rows)
    except IntegrityError:
        # Another import has stored one of them since they were looked up.
        Prompt.objects.bulk_create(new, ignore_conflicts=True, batch_size=BATCH)
        return _stored_before(genre, wanted)
    return stored | {prompt.content: key for prompt, key in zip(new, keys, strict=True)}


def _stored_before(genre: str, wanted: Collection[PromptContent]) -> dict[PromptContent, int]:
    """Return the primary key of each prompt that is there."""
    # By digest, because that is what the index holds.
    digests = {hashlib.md5(one.text.encode(), usedforsecurity=False).hexdigest() for one in wanted}
    found = Prompt.objects.alias(digest=MD5("text")).filter(genre=genre, digest__in=digests)
    return {prompt.content: prompt.pk for prompt in found.iterator(chunk_size=BATCH)}


def _stored_methods(keys: Sequence[str], labels: Mapping[str, str]) -> dict[str, Method]:
    """Return the methods in the order of their keys."""
    Method.objects.bulk_create(
        [Method(key=key, label=labels.get(key, key)) for key in sorted(keys)], ignore_conflicts=True
    )
    stored = Method.objects.in_bulk(keys, field_name="key")
    return {key: stored[key] for key in keys}
