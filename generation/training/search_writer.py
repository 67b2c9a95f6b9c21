"""The writer of a self-training: the search of the project, in a form that is drawn for each title."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from generation.decoding.local_model import load_model
from generation.decoding.methods import compose_many
from generation.orders import Order, Written
from generation.training.own_poems import Writer
from generation.training.titles import drawn_form


def search_writer(folder: Path, device: torch.device, *, preset: str = "poem", seed: int = 0) -> Writer:
    """Return what writes a poem for each title by inverse prompting with the model in a folder."""
    model = load_model(folder, device=str(device))

    def write(titles: Sequence[str]) -> list[Written]:
        orders = [
            Order(
                "inverse_prompting",
                "poem",
                title,
                # By the title alone: it shall not matter which other titles there are.
                form=drawn_form(title, seed),
                preset=preset,
                seed=seed,
            )
            for title in titles
        ]
        return compose_many(model, orders)

    return write
