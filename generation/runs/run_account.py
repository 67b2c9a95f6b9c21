"""The books of a run whose model an engine serves: its budget of tokens, and what was answered already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.db.models.functions import Now

from generation.engines.accounts import budget_spent
from generation.models import EngineAnswer, GenerationRun, RunPrompt

# How long an interrupted run can be taken up without paying again.
KEPT = timedelta(days=30)


class RunAccount:
    """The account of the run that a prompt belongs to; all its workers draw on it."""

    def __init__(self, run_prompt: int, budget: int) -> None:
        self.run = RunPrompt.objects.values_list("run", flat=True).get(pk=run_prompt)
        self.budget = budget

    def spend(self, tokens: int) -> None:
        # Compared where it is counted: of two workers at once the later one counts what the earlier one took.
        left = GenerationRun.objects.filter(pk=self.run, tokens_sent__lte=self.budget - tokens)
        if not left.update(tokens_sent=F("tokens_sent") + tokens):
            raise budget_spent(self.budget)

    def known(self, keys: Sequence[str]) -> Mapping[str, Any]:
        return dict(EngineAnswer.objects.filter(key__in=set(keys)).values_list("key", "answer"))

    def remember(self, answers: Mapping[str, Any]) -> None:
        EngineAnswer.objects.bulk_create(
            [EngineAnswer(key=key, answer=answer) for key, answer in answers.items()], ignore_conflicts=True
        )


def forget_answers() -> None:
    """Delete what engines answered so long ago that no run is taken up for it."""
    EngineAnswer.objects.filter(answered_at__lt=Now() - KEPT).delete()
