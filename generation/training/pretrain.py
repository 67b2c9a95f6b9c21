"""Training the verse model, from nothing or on from another; it can be stopped and gone on with."""

from __future__ import annotations

import json
import platform
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from generation.decoding.model_folder import digest_weights
from generation.files.whole_files import write_json
from generation.refusals import Refused
from generation.training.architecture import build_model, load_to_go_on, save_model
from generation.training.batches import Batch, batches
from generation.training.checkpoint import Checkpoint, Place, check_settings
from generation.training.examples import KNOTS, Examples
from generation.training.losses import held_out_losses, token_losses
from generation.training.model_card import write_card
from generation.training.settings import Architecture, Progress, Stopped, Training
from generation.training.vocabulary import build_tokenizer
from generation.verse.corpus import Poem, fingerprint

EXAMPLES_A_CHUNK = 4096
POEMS_WHILE_TRAINING = 200
PROCESSOR = torch.device("cpu")


def train(
    poems: list[Poem],
    output: Path,
    training: Training,
    architecture: Architecture,
    report: Callable[[Progress], None],
    *,
    start: Path | None = None,
    device: torch.device = PROCESSOR,
    checkpoint_seconds: float = 120,
    evaluate_every: int = 500,
) -> dict[str, float]:
    """Train a model, or go on from the checkpoint in `output`, save it there, return its held-out losses.

    It begins with nothing, or with the finished model in the folder `start`, whose mixture of examples it goes on with.
    `report` is called after every step and may raise `Stopped`. The same corpus, settings, device and number of
    threads give the same model, wherever the training was stopped in between. A folder that holds a finished model
    of these settings is left as it is; raise `Refused` where it holds anything of others.
    """
    begins_with = digest_weights(start) if start else None
    settings = {
        **asdict(training),
        **asdict(architecture),
        "corpus": fingerprint(poems),
        "start": begins_with,
    }
    losses = losses_of_finished(output / "training.json", settings)
    if losses is not None:
        return losses
    examples = Examples(poems, training.seed, begins_at=KNOTS[1] if start else KNOTS[0])
    if start:
        model, tokenizer = load_to_go_on(start, architecture, device)
    else:
        tokenizer = build_tokenizer(poems)
        model = build_model(tokenizer, architecture, training.seed).to(device)  # type: ignore[arg-type]
    output.mkdir(parents=True, exist_ok=True)
    optimizers = build_optimizers(model, training)
    checkpoint = Checkpoint(output / "training.pt", settings, model, optimizers)
    place = checkpoint.load() or Place(drawn=dict(examples.drawn))
    saved_at = time.monotonic()
    try:
        for loss in learn(model, tokenizer, optimizers, examples, training, place):
            progress = Progress(place.step, place.tokens, loss)
            if place.step % evaluate_every == 0:
                held_out = held_out_losses(model, tokenizer, poems, most=POEMS_WHILE_TRAINING)
                place.history.append({"step": place.step, "tokens": place.tokens, "loss": loss, **held_out})
                write_json(output / "history.json", place.history)
                progress = replace(progress, held_out=held_out)
            report(progress)
            if time.monotonic() - saved_at > checkpoint_seconds:
                checkpoint.save(place)
                saved_at = time.monotonic()
    except Stopped:
        checkpoint.save(place)
        raise
    # Measuring takes a while: who breaks it off shall not lose the last steps.
    checkpoint.save(place)
    losses = held_out_losses(model, tokenizer, poems)
    save_model(model, tokenizer, output)
    write_json(output / "history.json", place.history)
    write_json(
        output / "training.json", {"settings": settings, **record_of(model, poems, place), "losses": losses}
    )
    write_card(output)
    checkpoint.delete()
    return losses


def losses_of_finished(path: Path, settings: dict[str, Any]) -> dict[str, float] | None:
    """Return the losses of a model that is finished, None where there is none; raise `Refused`."""
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        check_settings(record["settings"], settings, path)
        return dict(record["losses"])
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(f"{path} is not the record of a training; choose another folder") from error


def learn(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    optimizers: list[torch.optim.Optimizer],
    examples: Examples,
    training: Training,
    place: Place,
) -> Iterator[float]:
    """Learn until the tokens are used up; yield the loss of every step, when `place` is up to date."""
    model.train()
    while place.tokens < training.tokens:
        examples.drawn = dict(place.drawn)
        for batch in draw_batches(examples, tokenizer, training, place)[place.batches :]:
            started = time.perf_counter()
            rate = training.rate_at(place.tokens / training.tokens, place.step)
            loss = train_step(model, optimizers, batch, rate, training.clip)
            place.step += 1
            place.tokens += batch.tokens.numel()
            place.batches += 1
            place.seconds += time.perf_counter() - started
            yield loss
            if place.tokens >= training.tokens:
                return
        place.drawn, place.chunk_started_at, place.batches = dict(examples.drawn), place.tokens, 0


def draw_batches(
    examples: Examples, tokenizer: PreTrainedTokenizerFast, training: Training, place: Place
) -> list[Batch]:
    """Return the batches of the next chunk of examples in a shuffled order, which the seed and the place decide."""
    order = np.random.default_rng([training.seed, sum(examples.drawn.values())])
    drawn = examples.draw(EXAMPLES_A_CHUNK, place.chunk_started_at / training.tokens)
    chunk = batches(drawn, tokenizer, training.batch_tokens)
    return [chunk[number] for number in order.permutation(len(chunk))]


def build_optimizers(model: LlamaForCausalLM, training: Training) -> list[torch.optim.Optimizer]:
    """Return Muon for the matrices of the blocks and AdamW for embeddings and norms."""
    matrices = [
        weight for name, weight in model.named_parameters() if ".layers." in name and weight.ndim == 2
    ]
    chosen = {id(weight) for weight in matrices}
    rest = [weight for weight in model.parameters() if id(weight) not in chosen]
    return [
        torch.optim.Muon(
            matrices,
            lr=training.learning_rate,
            weight_decay=training.weight_decay,
            adjust_lr_fn="match_rms_adamw",
        ),
        torch.optim.AdamW(rest, lr=training.learning_rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
    ]


def train_step(
    model: LlamaForCausalLM, optimizers: list[torch.optim.Optimizer], batch: Batch, rate: float, clip: float
) -> float:
    """Take one step and return the mean loss before it, in nats a token."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
    with torch.autocast(model.device.type, torch.bfloat16):
        loss = token_losses(model, batch).mean()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    return loss.item()


def record_of(model: LlamaForCausalLM, poems: list[Poem], place: Place) -> dict[str, Any]:
    """Return what the model card tells of a training beside its settings and losses."""
    counts = Counter((poem.collection, poem.form, poem.part) for poem in poems)
    return {
        "poems": [[*kind, number] for kind, number in sorted(counts.items())],
        "parameters": model.num_parameters(),
        "vocabulary": model.config.vocab_size,
        "steps": place.step,
        "tokens": place.tokens,
        "seconds": round(place.seconds),
        "device": str(model.device),
        "threads": torch.get_num_threads(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
    }
