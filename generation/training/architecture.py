"""The verse model itself: a small Llama, built, loaded, and written to a folder that transformers loads."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.utils import logging

from generation.decoding.local_model import load_model
from generation.refusals import Refused
from generation.training.settings import Architecture
from generation.training.vocabulary import FORM_TOKENS

# On a processor the plain products are a quarter faster at this length than the fused kernel.
ATTENTION = "eager"


def build_model(
    tokenizer: PreTrainedTokenizerFast, architecture: Architecture, seed: int
) -> LlamaForCausalLM:
    """Return a model in single precision that has learnt nothing yet; the seed decides its weights."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(  # type: ignore[call-arg]
            vocab_size=len(tokenizer),
            hidden_size=architecture.width,
            num_hidden_layers=architecture.layers,
            num_attention_heads=architecture.heads,
            intermediate_size=architecture.inner,
            max_position_embeddings=architecture.positions,
            tie_word_embeddings=True,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            attn_implementation=ATTENTION,
        )
    )


def load_verse_model(folder: Path, device: torch.device) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """Load a model that was trained here, in single precision; raise `Refused` where the folder is none."""
    loaded = load_model(folder, device=str(device))
    if not set(FORM_TOKENS.values()) <= loaded.tokenizer.get_vocab().keys():
        raise Refused(f"{folder} is not a verse model of train_language_model")
    return loaded.model, loaded.tokenizer


def load_to_go_on(
    folder: Path, architecture: Architecture, device: torch.device
) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """Load a verse model as a training begins with it; raise `Refused` where its architecture is another."""
    model, tokenizer = load_verse_model(folder, device)
    config = model.config
    theirs = Architecture(
        config.num_hidden_layers,
        config.hidden_size,
        config.num_attention_heads,
        config.intermediate_size,
        config.max_position_embeddings,
    )
    if theirs != architecture:
        raise Refused(f"{folder} has another architecture: {theirs}, not {architecture}")
    model.set_attn_implementation(ATTENTION)
    return model, tokenizer


def save_model(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, output: Path) -> None:
    """Write weights in half precision, configuration and vocabulary, so that AutoModelForCausalLM loads the folder.

    A file is there whole or not at all, and everybody may read it.
    """
    # It would write its own progress bar into that of the training.
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    with TemporaryDirectory(dir=output, prefix="unfinished-") as folder:
        deepcopy(model).half().save_pretrained(folder)  # type: ignore[no-untyped-call]
        tokenizer.save_pretrained(folder)
        for file in Path(folder).iterdir():
            # save_pretrained keeps its files from other users, who are to load them too.
            file.chmod(0o644)
            file.replace(output / file.name)
