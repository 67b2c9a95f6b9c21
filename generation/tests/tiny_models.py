"""Small language models for tests: random weights, real architectures."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from generation.decoding.local_model import TransformersModel
from generation.training.vocabulary import build_tokenizer
from generation.verse.corpus import Poem

POEMS = Path(__file__).resolve().parent.parent.parent / "fixtures" / "tang-poets.jsonl"


@cache
def verse_tokenizer() -> PreTrainedTokenizerFast:
    """Return a tokenizer of the characters of the demo study's poems, as often as they stand there."""
    poems = []
    for line in POEMS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text = row["text"].replace("\n", "")
        poems += [Poem("tang", "train", "五律", "", row["title"], row["author"], text)] * 3
    return build_tokenizer(poems)


@cache
def verse_model(architecture: str = "llama", seed: int = 1) -> TransformersModel:
    """Return a model of two layers that knows nothing, but is far from indifferent."""
    tokenizer = verse_tokenizer()
    torch.manual_seed(seed)
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    if architecture == "gpt2":
        model: torch.nn.Module = GPT2LMHeadModel(
            GPT2Config(vocab_size=len(tokenizer), n_positions=256, n_embd=32, n_layer=2, n_head=2, **ends)
        )
    else:
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(tokenizer),
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=2,
                max_position_embeddings=256,
                tie_word_embeddings=True,
                **ends,
            )
        )
    # As they are made, small weights tell hardly one token from another.
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(4)
    return TransformersModel("tiny", "", model.eval(), tokenizer)
