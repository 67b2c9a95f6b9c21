"""A cycle's learning in units of some seconds, each of which goes on from the checkpoint of the one before."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaForCausalLM

from generation.decoding.model_folder import digest_weights
from generation.files.whole_files import write_json
from generation.orders import OrderRefused
from generation.training.architecture import load_verse_model, save_model
from generation.training.checkpoint import Checkpoint, Place, check_settings
from generation.training.losses import held_out_losses
from generation.training.own_poems import OwnPoem, keep_poems, poem_of_text
from generation.training.pretrain import POEMS_WHILE_TRAINING, PROCESSOR
from generation.training.search_writer import search_writer
from generation.training.self_training import build_optimizer, endless_batches, learn
from generation.training.settings import Learnt, Lesson
from generation.verse.corpus import poems_of

# Written last: a folder that holds it is a finished model.
RECORD = "lesson.json"


def learn_unit(
    lesson: Lesson,
    seconds: float,
    report: Callable[[list[float]], None],
    *,
    device: torch.device = PROCESSOR,
) -> Learnt:
    """Learn for some seconds from where the folder's checkpoint stands, and save it; finish the model if all is learnt.

    `report` hears the losses so far after every step and may raise. The same lesson gives the same model, into however
    many units it falls. Raise `Refused` where it cannot be learnt.
    """
    kept = keep_poems([poem_of_text(*text) for text in lesson.texts], lesson.settings)
    identity = identity_of(lesson, kept)
    if finished := read_finished(lesson.folder, identity):
        return finished
    model, tokenizer = load_verse_model(lesson.before, device)
    optimizer = build_optimizer(model, lesson.settings)
    lesson.folder.mkdir(parents=True, exist_ok=True)
    checkpoint = Checkpoint(lesson.folder / "training.pt", identity, model, [optimizer])
    place = checkpoint.load() or Place(drawn={})
    losses = [entry["loss"] for entry in place.history]
    stream = endless_batches(kept, [], tokenizer, lesson.settings, lesson.cycle)
    ends = time.monotonic() + seconds
    for loss in learn(model, optimizer, stream, lesson.settings, done=place.step):
        place.step += 1
        # As exact as anybody looks at it: thousands of them are stored with every report.
        losses.append(round(loss, 4))
        report(losses)
        if time.monotonic() > ends:
            break
    place.history = [{"loss": loss} for loss in losses]
    checkpoint.save(place)
    if place.step < lesson.settings.steps:
        return Learnt(losses, len(kept))
    save_model(model, tokenizer, lesson.folder)
    held_out = measure_held_out(lesson, model, device)
    samples = write_samples(lesson, device)
    learnt = Learnt(losses, len(kept), digest_weights(lesson.folder), samples, held_out)
    write_json(lesson.folder / RECORD, {"identity": identity, **asdict(learnt)})
    checkpoint.delete()
    return learnt


def identity_of(lesson: Lesson, kept: Sequence[OwnPoem]) -> dict[str, Any]:
    """Return what tells a lesson from any other one: its model, its settings, its poems."""
    poems = json.dumps([asdict(poem) for poem in kept], ensure_ascii=False)
    settings = asdict(lesson.settings)
    # As JSON has them: a tuple comes back as a list.
    return {
        **settings,
        "betas": list(settings["betas"]),
        "model": digest_weights(lesson.before),
        "cycle": lesson.cycle,
        "poems": sha256(poems.encode()).hexdigest(),
    }


def read_finished(folder: Path, identity: dict[str, Any]) -> Learnt | None:
    """Return what a lesson came to whose model lies in its folder already, None where no finished model does.

    Raise `Refused` where it is another lesson's.
    """
    path = folder / RECORD
    if not path.exists():
        return None
    record = json.loads(path.read_text(encoding="utf-8"))
    check_settings(record.pop("identity"), identity, path)
    rows = {name: tuple(map(tuple, record.get(name, ()))) for name in ("samples", "held_out")}
    return Learnt(**{**record, **rows})


def measure_held_out(
    lesson: Lesson, model: LlamaForCausalLM, device: torch.device
) -> tuple[tuple[str, float, float], ...]:
    """Return the measures on held-out verse of the model before and of the new one, none without a corpus."""
    if lesson.corpus is None:
        return ()
    poems = [poem for poem in poems_of(lesson.corpus) if poem.part == "held_out"]
    before, tokenizer = load_verse_model(lesson.before, device)
    old = held_out_losses(before, tokenizer, poems, most=POEMS_WHILE_TRAINING)
    new = held_out_losses(model, tokenizer, poems, most=POEMS_WHILE_TRAINING)
    return tuple((name, round(loss, 4), round(new[name], 4)) for name, loss in old.items())


def write_samples(lesson: Lesson, device: torch.device) -> tuple[tuple[str, str, str], ...]:
    """Return poems for the titles of the samples, by the model before and by the new one, in the same form and seed.

    A title of which the model knows no character is left out.
    """
    before, after = (
        search_writer(folder, device, seed=lesson.settings.seed) for folder in (lesson.before, lesson.folder)
    )
    samples = []
    for title in lesson.samples:
        try:
            samples.append((title, before([title])[0].best.text, after([title])[0].best.text))
        except OrderRefused:
            continue
    return tuple(samples)
