"""The verse models without transformers: loaded in a fraction of the time, with the same numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor

from generation.decoding.caching_model import CachingModel, Layers
from generation.decoding.memory import no_memory_refused
from generation.decoding.model_folder import check_folder, digest_weights
from generation.decoding.plain_llama import PlainLlama
from generation.decoding.reading import Work
from generation.methods import Sampling
from generation.refusals import Refused


@dataclass(frozen=True)
class PlainTokenizer:
    """A tokenizer of single characters, with the few words of transformers' own that the models' use of it needs."""

    own: Tokenizer
    unk_token_id: int | None
    bos_token_id: int | None
    eos_token_id: int | None
    chat_template: None = None

    def __len__(self) -> int:
        return int(self.own.get_vocab_size())

    def __call__(self, text: str, *, add_special_tokens: bool) -> dict[str, list[int]]:
        return {"input_ids": self.own.encode(text, add_special_tokens=add_special_tokens).ids}

    def decode(
        self,
        tokens: Sequence[int],
        *,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool = False,
    ) -> str:
        return str(self.own.decode(list(tokens), skip_special_tokens=skip_special_tokens))

    def batch_decode(self, rows: Sequence[Sequence[int]], *, skip_special_tokens: bool) -> list[str]:
        return list(
            self.own.decode_batch([list(row) for row in rows], skip_special_tokens=skip_special_tokens)
        )

    def convert_tokens_to_ids(self, tokens: Sequence[str]) -> list[int]:
        return [self.own.token_to_id(token) or 0 for token in tokens]

    @property
    def added_tokens_decoder(self) -> dict[int, Any]:
        return dict(self.own.get_added_tokens_decoder())

    @property
    def all_special_tokens(self) -> list[str]:
        return [token.content for token in self.added_tokens_decoder.values() if token.special]


@dataclass
class PlainModel(CachingModel):
    """A verse model in plain torch; make one with `load_plain`."""

    name: str
    digest: str
    model: PlainLlama
    tokenizer: PlainTokenizer
    positions: int
    ends: frozenset[int]
    work: Work = field(default_factory=Work)

    def __post_init__(self) -> None:
        self.device = self.model.embedding.device
        self.vocabulary = self.model.embedding.shape[0]

    @property
    def facts(self) -> dict[str, Any]:
        return {"versions": {"torch": torch.__version__}}

    @property
    def recommended(self) -> Sampling:
        # Its makers are the project: what is taken where makers say nothing.
        return Sampling(temperature=1.0, top_p=0.95)

    def forward(
        self, tokens: Tensor, positions: Tensor, seen: Tensor, before: Layers | None, keep: int
    ) -> tuple[Layers, Tensor]:
        return self.model(tokens, positions, seen, before, keep)


def load_plain(folder: Path, *, device: str = "cpu", dtype: torch.dtype = torch.float32) -> PlainModel:
    """Load a verse model for which `can_be_plain`; raise `Refused`."""
    check_folder(folder)
    try:
        with no_memory_refused(str(folder), device):
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            names = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
            weights = load_file(folder / "model.safetensors", device=device)
            model = PlainLlama(config, {name: weight.to(dtype) for name, weight in weights.items()})
            own = Tokenizer.from_file(str(folder / "tokenizer.json"))
            unknown, start, end = (own.token_to_id(names[f"{mark}_token"]) for mark in ("unk", "bos", "eos"))
            tokenizer = PlainTokenizer(own, unknown, start, end)
            ends = frozenset({tokenizer.eos_token_id, config["eos_token_id"]} - {None})
            model.check()
            return PlainModel(
                folder.name, digest_weights(folder), model, tokenizer, config["max_position_embeddings"], ends
            )
    except Refused:
        raise
    except Exception as error:
        # Readers of configurations, tokenizers and safetensors: each has errors of its own.
        first_line = str(error).strip().split("\n")[0]
        raise Refused(f"{folder} cannot be loaded as a causal language model: {first_line}") from error
