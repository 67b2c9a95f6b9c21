"""Small language models for tests: random weights, real architectures."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from generation.decoding.local_model import TransformersModel
from generation.training.vocabulary import build_tokenizer
from generation.verse.corpus import Poem

POEMS = Path(__file__).resolve().parent.parent.parent / "fixtures" / "tang-poets.jsonl"
SENTENCES = [
    "The lamp is on the table, and the cat sleeps below it.",
    "Why does the river run to the sea? Because it is lower.",
    "月光照在窗前，孩子问星星从哪里来。",
    "火车到站了，人们拿着行李走出来。为什么天是蓝的？",
]
DIALOGUE = "{% for said in messages %}<user>{{ said['content'] }}{% endfor %}<bot>"


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


@cache
def small_model(
    architecture: str = "llama", *, positions: int = 1024, answers: bool = False
) -> TransformersModel:
    """Return a model that knows nothing, of bytes and what they were merged to; one that `answers` knows a dialogue."""
    marks = ["<eos>", "<user>", "<bot>"]
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(vocab_size=400, special_tokens=marks, initial_alphabet=ByteLevel.alphabet())
    tokenizer.train_from_iterator(SENTENCES, trainer)
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, eos_token=marks[0], chat_template=DIALOGUE if answers else None
    )
    torch.manual_seed(2)
    sizes: dict[str, Any] = {"vocab_size": len(fast), "bos_token_id": None, "eos_token_id": 0}
    if architecture == "gpt2":
        model: torch.nn.Module = GPT2LMHeadModel(
            GPT2Config(n_positions=positions, n_embd=32, n_layer=2, n_head=2, **sizes)
        )
    else:
        model = LlamaForCausalLM(
            LlamaConfig(
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=2,
                max_position_embeddings=positions,
                **sizes,
            )
        )
    return TransformersModel("small", "", model.eval(), fast)
