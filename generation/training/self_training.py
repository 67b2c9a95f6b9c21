"""Self-training (section 4.4 of the paper): a model writes poems for titles and learns from those that are kept.

A cycle lies in a folder of its own: the poems (poems.jsonl), the model that learnt from them, and what that did to its
losses (self_training.json, which is written last). Poems that are written are not written again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from generation.decoding.model_folder import digest_weights
from generation.files.whole_files import write_json
from generation.training.architecture import load_verse_model, save_model
from generation.training.batches import Batch, batches
from generation.training.checkpoint import check_settings
from generation.training.examples import Examples
from generation.training.losses import held_out_losses
from generation.training.model_card import write_card
from generation.training.own_poems import (
    OwnPoem,
    Writer,
    check_titles,
    draw_titles,
    keep_poems,
    write_poems,
)
from generation.training.pretrain import PROCESSOR, train_step
from generation.training.settings import CycleProgress, SelfTraining
from generation.verse.corpus import Poem, fingerprint

# Makes a writer of the folder of a model.
MakeWriter = Callable[[Path], Writer]
Report = Callable[[CycleProgress], None]


@dataclass(frozen=True)
class Cycle:
    """One round of writing and learning: the model in `before` becomes the one in `folder`."""

    number: int
    before: Path
    folder: Path
    settings: SelfTraining
    poems: list[Poem]
    report: Report

    def run(self, titles: Sequence[str], make_writer: MakeWriter, device: torch.device) -> None:
        """Write poems for the titles (drawn where none are given), learn from them, and write the folder."""
        model, tokenizer = load_verse_model(self.before, device)
        titles = titles or draw_titles(self.poems, tokenizer, self.settings, self.number)
        check_titles(titles, tokenizer)
        own = self.write(titles, make_writer)
        kept = keep_poems(own, self.settings)
        losses_before = held_out_losses(model, tokenizer, self.poems)
        self.learn(model, tokenizer, kept)
        record = {
            "settings": asdict(self.settings),
            "cycle": self.number,
            "written": len(own),
            "kept": len(kept),
            "losses_before": losses_before,
            "losses_after": held_out_losses(model, tokenizer, self.poems),
        }
        save_model(model, tokenizer, self.folder)
        trained_before = (self.before / "training.json").exists()
        if trained_before:
            shutil.copyfile(self.before / "training.json", self.folder / "training.json")
        write_json(self.folder / "self_training.json", record)
        if trained_before:
            write_card(self.folder)

    def write(self, titles: Sequence[str], make_writer: MakeWriter) -> list[OwnPoem]:
        """Write the poems that are not there yet, and return all."""

        def report(own: list[OwnPoem]) -> None:
            score = fmean(poem.score for poem in own)
            self.report(CycleProgress(self.number, "writing", len(own), len(titles), score))

        return write_poems(self.folder / "poems.jsonl", titles, lambda: make_writer(self.before), report)

    def learn(self, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, kept: list[OwnPoem]) -> None:
        """Let the model learn from the poems that are kept, and from real ones beside them if so set."""
        optimizer = build_optimizer(model, self.settings)
        stream = endless_batches(kept, self.poems, tokenizer, self.settings, self.number)
        for step, loss in enumerate(learn(model, optimizer, stream, self.settings), start=1):
            self.report(CycleProgress(self.number, "learning", step, self.settings.steps, loss))


def self_train(
    model_folder: Path,
    poems: list[Poem],
    output: Path,
    settings: SelfTraining,
    make_writer: MakeWriter,
    report: Report,
    *,
    titles: Sequence[str] = (),
    device: torch.device = PROCESSOR,
) -> Path:
    """Train a model on its own poems in cycles, or go on where that was stopped; return the last cycle's folder.

    The titles are drawn from the training part, anew for each cycle, unless they are given. `report` is called after
    every group of poems and every step and may raise `Stopped`. Raise `Refused` where the folder is no verse
    model, a title is not in its vocabulary, or `output` is of another self-training.
    """
    load_verse_model(model_folder, device)
    began = {**asdict(settings), "model": digest_weights(model_folder), "corpus": fingerprint(poems)}
    begin(output / "settings.json", {**began, "given titles": titles})
    folder = model_folder
    for number in range(1, settings.cycles + 1):
        cycle = Cycle(number, folder, output / f"cycle-{number}", settings, poems, report)
        if not (cycle.folder / "self_training.json").exists():
            cycle.folder.mkdir(exist_ok=True)
            cycle.run(titles, make_writer, device)
        folder = cycle.folder
    return folder


def build_optimizer(model: LlamaForCausalLM, settings: SelfTraining) -> torch.optim.Optimizer:
    """Return AdamW for all weights of a model."""
    return torch.optim.AdamW(
        model.parameters(),
        lr=settings.learning_rate,
        betas=settings.betas,
        eps=settings.eps,
        weight_decay=settings.weight_decay,
    )


def learn(
    model: LlamaForCausalLM,
    optimizer: torch.optim.Optimizer,
    stream: Iterator[Batch],
    settings: SelfTraining,
    *,
    done: int = 0,
) -> Iterator[float]:
    """Take the steps of a cycle that come after the `done` first ones; yield the loss of each, in nats a token.

    `stream` is that of the whole cycle: the batches of the steps that are done are left out.
    """
    model.train()
    for step, batch in enumerate(islice(stream, done, settings.steps), start=done):
        yield train_step(model, [optimizer], batch, settings.rate_at(step), settings.clip)
    model.eval()  # type: ignore[no-untyped-call]


def begin(path: Path, settings: dict[str, object]) -> None:
    """Write down the settings of a self-training, or raise `Refused` where others are there."""
    # As JSON has them: a tuple comes back as a list.
    settings = json.loads(json.dumps(settings))
    if path.exists():
        check_settings(json.loads(path.read_text(encoding="utf-8")), settings, path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, settings)


def endless_batches(
    kept: list[OwnPoem],
    poems: list[Poem],
    tokenizer: PreTrainedTokenizerFast,
    settings: SelfTraining,
    cycle: int,
) -> Iterator[Batch]:
    """Yield batches of own poems and real examples without end, in rounds over the own poems in shuffled order."""
    rng = np.random.default_rng([settings.seed, cycle, 1])
    real = Examples(poems, settings.seed) if settings.real_share else None
    number = round(len(kept) * settings.real_share / (1 - settings.real_share))
    while True:
        examples = [poem.example for poem in kept] + (real.draw(number, progress=1.0) if real else [])
        mixed = [examples[place] for place in rng.permutation(len(examples))]
        round_ = batches(mixed, tokenizer, settings.batch_tokens)
        yield from (round_[place] for place in rng.permutation(len(round_)))
