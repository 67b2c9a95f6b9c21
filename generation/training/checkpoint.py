"""What a training goes on from after a stop: one file with weights, moments of the optimizers and the place."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaForCausalLM

from generation.files.whole_files import replaced_whole
from generation.refusals import Refused


@dataclass
class Place:
    """How far a training has come.

    The examples are drawn in chunks: `drawn` is the place in their stream before the chunk that is being learnt,
    `chunk_started_at` the tokens that were learnt by then, `batches` how many of the chunk's batches are done.
    """

    drawn: dict[str, int]
    chunk_started_at: int = 0
    batches: int = 0
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


class Checkpoint:
    """The file of a training with certain settings."""

    def __init__(
        self,
        path: Path,
        settings: Mapping[str, Any],
        model: LlamaForCausalLM,
        optimizers: list[torch.optim.Optimizer],
    ) -> None:
        self.path, self.settings, self.model, self.optimizers = path, settings, model, optimizers

    def save(self, place: Place) -> None:
        """Write weights, moments and place; raise `Refused` where the disk is full.

        The file before is there until this one is whole.
        """
        state = {
            "settings": dict(self.settings),
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "place": asdict(place),
        }
        try:
            with replaced_whole(self.path) as unfinished:
                torch.save(state, unfinished)
        except (OSError, RuntimeError) as error:
            # What torch raises for a full disk is no OSError.
            raise Refused(f"{self.path} cannot be written (is the disk full?)") from error

    def load(self) -> Place | None:
        """Take up weights and moments and return the place, None where there is no file; raise `Refused`."""
        if not self.path.exists():
            return None
        try:
            state = torch.load(self.path, map_location=self.model.device, weights_only=True)
            check_settings(state["settings"], self.settings, self.path)
            self.model.load_state_dict(state["model"])
            for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(saved)
            return Place(**state["place"])
        except (pickle.UnpicklingError, EOFError, RuntimeError, KeyError, TypeError) as error:
            raise Refused(f"{self.path} is damaged; delete it to start anew") from error

    def delete(self) -> None:
        """Delete the file: the training is done."""
        self.path.unlink(missing_ok=True)


def check_settings(theirs: Mapping[str, Any], ours: Mapping[str, Any], path: Path) -> None:
    """Raise `Refused` naming what differs, where a file comes from a training with other settings."""
    names = [name for name in ours if theirs.get(name) != ours[name]]
    if names:
        differences = ", ".join(f"{name} {theirs.get(name)} there, {ours[name]} here" for name in names)
        raise Refused(f"{path} is of another training ({differences}); choose another folder")
