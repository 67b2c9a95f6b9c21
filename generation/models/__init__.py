"""The texts that studies show, where each came from, and the models that learn from their own."""

from __future__ import annotations

from generation.models.engines import EngineAnswer
from generation.models.lease import MOST_ATTEMPTS, LeaseLost
from generation.models.self_training import SelfTraining, TrainingCycle
from generation.models.texts import (
    Candidate,
    GenerationRun,
    GenerationRunQuerySet,
    Method,
    Prompt,
    Provenance,
    RunPrompt,
    RunPromptQuerySet,
    Worker,
    WorkerQuerySet,
    method_name,
    prompt_heading,
)
from generation.models.visitors import Allowance, Composition, CompositionQuerySet, SentForm

__all__ = [
    "MOST_ATTEMPTS",
    "Allowance",
    "Candidate",
    "Composition",
    "CompositionQuerySet",
    "EngineAnswer",
    "GenerationRun",
    "GenerationRunQuerySet",
    "LeaseLost",
    "Method",
    "Prompt",
    "Provenance",
    "RunPrompt",
    "RunPromptQuerySet",
    "SelfTraining",
    "SentForm",
    "TrainingCycle",
    "Worker",
    "WorkerQuerySet",
    "method_name",
    "prompt_heading",
]
