"""Texts that are shown once more: copies of candidates, so that each showing is answered by itself."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from generation.models import Candidate, GenerationRun

BATCH = 2000


@transaction.atomic
def record_copies(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Store the texts of candidates (read with their runs) once more, and return the copies in the same order.

    The copies of the texts of a run are a finished run of its own, whose source names the first.
    """
    runs: dict[tuple[int, int], GenerationRun] = {}
    times: dict[tuple[int, int], int] = {}
    keys = []
    for one in candidates:
        # A run holds one text for a prompt: of a text that is copied twice the second copy is in another one.
        times[one.run_id, one.prompt_id] = times.get((one.run_id, one.prompt_id), 0) + 1
        key = one.run_id, times[one.run_id, one.prompt_id]
        if key not in runs:
            runs[key] = GenerationRun(
                method_id=one.run.method_id,
                state=GenerationRun.State.DONE,
                source={"copies": str(one.run.uuid)},
            )
        keys.append(key)
    GenerationRun.objects.bulk_create(runs.values())
    return Candidate.objects.bulk_create(
        (
            Candidate(run=runs[key], prompt_id=one.prompt_id, text=one.text, notes=one.notes)
            for key, one in zip(keys, candidates, strict=True)
        ),
        batch_size=BATCH,
    )
