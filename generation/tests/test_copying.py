"""Rows saved by COPY are the same as those saved by INSERT, byte for byte, and constraints hold."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from generation.models import Candidate, GenerationRun, Method, Prompt, copying
from generation.models.copying import copy_rows

ODD = ["\\N", "a\\tb\t\r\n\\", "「可」 👩‍🚀 \u2028", "\\.", "x\n\\.\ny"]


@pytest.mark.django_db
@pytest.mark.parametrize("fewest", [0, 50])
def test_any_text_comes_back_as_it_was_and_constraints_hold(
    fewest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "FEWEST_COPIED", fewest)
    run = GenerationRun.objects.create(method=Method.objects.create(key="a", label="a"))
    prompts = [Prompt.objects.create(genre="qa", text=str(number)) for number in range(len(ODD))]
    rows = [(run.pk, prompt.pk, text, {text: text}) for prompt, text in zip(prompts, ODD, strict=True)]
    keys = copy_rows(Candidate, ("run", "prompt", "text", "notes"), rows)
    stored = Candidate.objects.in_bulk(keys)
    assert [stored[key].text for key in keys] == ODD
    assert [stored[key].notes for key in keys] == [{text: text} for text in ODD]
    assert (
        Candidate.objects.create(run=run, prompt=Prompt.objects.create(genre="qa", text="x"), text="x").pk
        > keys[-1]
    )
    with pytest.raises(IntegrityError, match="candidate_once_per_run"), transaction.atomic():
        copy_rows(Candidate, ("run", "prompt", "text", "notes"), rows[:1])
    assert copy_rows(Candidate, ("run", "prompt", "text", "notes"), []) == []
