"""Recording texts: the only writer of candidates and their runs."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models.functions import MD5

from generation.models import Candidate, GenerationRun, Method, Prompt

BATCH = 2000

LABELS = {
    "human": "Human",
    "cpm": "CPM",
    "jiuge": "Jiuge",
    "prompting_baseline": "Prompting baseline",
    "search_baseline": "Search baseline",
    "inverse_prompting": "Inverse prompting",
    "inverse_prompting_st": "Inverse prompting + self-training",
}


@dataclass(frozen=True, slots=True)
class ImportedText:
    """A text that somebody else's method wrote for a prompt."""

    prompt: str
    description: str
    method: str
    text: str


@transaction.atomic
def record_import(
    genre: str,
    texts: Sequence[ImportedText],
    *,
    source: Mapping[str, Any],
    labels: Mapping[str, str] | None = None,
) -> list[Candidate]:
    """Store imported texts as one finished run of each of their methods and return the candidates in the same order.

    Prompts and methods that are there already are used again; a new method is labelled by `labels`, by the labels
    known here, or by its key. `source` says what was imported: {"import": file name, "sha256": ..., ...}.
    """
    prompt_of = _stored_prompts(genre, {(text.prompt, text.description) for text in texts})
    methods = _stored_methods(
        list(dict.fromkeys(text.method for text in texts)), {**LABELS, **(labels or {})}
    )
    runs = {
        key: GenerationRun(method=method, state=GenerationRun.State.DONE, source=dict(source))
        for key, method in methods.items()
    }
    GenerationRun.objects.bulk_create(runs.values())
    run_of = {key: run.pk for key, run in runs.items()}
    return Candidate.objects.bulk_create(
        [
            Candidate(
                run_id=run_of[text.method], prompt_id=prompt_of[text.prompt, text.description], text=text.text
            )
            for text in texts
        ],
        batch_size=BATCH,
    )


def _stored_prompts(genre: str, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Return the primary key of each prompt (text, description), saved now or before."""
    Prompt.objects.bulk_create(
        [Prompt(genre=genre, text=text, description=description) for text, description in sorted(wanted)],
        ignore_conflicts=True,
        batch_size=BATCH,
    )
    # By digest, because that is what the index holds.
    digests = [hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() for text, _ in wanted]
    stored = Prompt.objects.alias(digest=MD5("text")).filter(genre=genre, digest__in=digests)
    return {
        (text, description): pk for text, description, pk in stored.values_list("text", "description", "pk")
    }


def _stored_methods(keys: Sequence[str], labels: Mapping[str, str]) -> dict[str, Method]:
    """Return the methods in the order of their keys."""
    Method.objects.bulk_create(
        [Method(key=key, label=labels.get(key, key)) for key in sorted(keys)], ignore_conflicts=True
    )
    stored = Method.objects.in_bulk(keys, field_name="key")
    return {key: stored[key] for key in keys}
