"""A language model in this process, on transformers, and how one is loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache
from transformers.utils import logging

from generation.decoding.caching_model import CachingModel, Layers
from generation.decoding.memory import no_memory_refused
from generation.decoding.model_folder import check_folder, digest_weights
from generation.decoding.reading import Work
from generation.methods import Sampling
from generation.refusals import Refused

# Loading has no progress worth a bar in the middle of a command's own output.
logging.disable_progress_bar()  # type: ignore[no-untyped-call]

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass
class TransformersModel(CachingModel):
    """A causal language model of transformers; make one with `load_model`."""

    name: str
    digest: str
    model: Any
    tokenizer: Any
    work: Work = field(default_factory=Work)

    def __post_init__(self) -> None:
        config = self.model.config.get_text_config()
        self.device: torch.device = self.model.device
        self.vocabulary: int = self.model.get_output_embeddings().out_features
        self.positions: int = config.max_position_embeddings
        ends = (self.tokenizer, config, self.model.generation_config)
        self.ends = frozenset(token for one in ends for token in listed(one.eos_token_id))

    @property
    def facts(self) -> dict[str, Any]:
        return {"versions": {"torch": torch.__version__, "transformers": transformers.__version__}}

    @cached_property
    def recommended(self) -> Sampling:
        own = self.model.generation_config
        return Sampling(
            temperature=own.temperature or 1.0,
            # Where its makers say nothing the nucleus of Holtzman et al. (ICLR 2020) is taken.
            top_k=own.top_k or 0,
            top_p=own.top_p or 0.95,
        )

    def forward(
        self, tokens: Tensor, positions: Tensor, seen: Tensor, before: Layers | None, keep: int
    ) -> tuple[Layers, Tensor]:
        output = self.model(
            input_ids=tokens,
            position_ids=positions,
            attention_mask=seen[:, None],
            past_key_values=DynamicCache(before),
            use_cache=True,
            logits_to_keep=keep,
        )
        layers = tuple((layer.keys, layer.values) for layer in output.past_key_values.layers)
        return layers, output.logits


def load_model(source: str | Path, *, device: str = "cpu", dtype: str = "float32") -> TransformersModel:
    """Load a causal language model and its tokenizer from a folder, or by its name on a hub; raise `Refused`.

    Only safetensors are read, because a pickle can run code, and no code that comes with a model is run. `dtype` is
    `float32` or `bfloat16`.
    """
    if dtype not in DTYPES:
        raise Refused(f"dtype: {dtype} is none of {', '.join(DTYPES)}")
    folder = Path(source)
    if folder.is_absolute() or folder.exists() or str(source).startswith("."):
        check_folder(folder)
    options: dict[str, Any] = {"trust_remote_code": False}
    try:
        with no_memory_refused(str(source), device):
            tokenizer = AutoTokenizer.from_pretrained(source, **options)
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                source,
                use_safetensors=True,
                dtype=DTYPES[dtype],
                attn_implementation="sdpa",
                output_loading_info=True,
                **options,
            )
            model, report = loaded
            model = model.to(device).eval()
        # transformers would fill such a gap with random numbers.
        if missing := sorted(report["missing_keys"]):
            raise Refused(f"{source} lacks {len(missing)} of its weights, {missing[0]} for one")
        return TransformersModel(folder.name, digest_weights(folder), model, tokenizer)
    except Refused:
        raise
    except Exception as error:
        # Readers of configurations, tokenizers, safetensors and torch: each has errors of its own.
        first_line = str(error).strip().split("\n")[0]
        raise Refused(f"{source} cannot be loaded as a causal language model: {first_line}") from error


def listed(token: int | list[int] | None) -> list[int]:
    """Return the tokens that a configuration names: none, one or several."""
    if token is None:
        return []
    return [token] if isinstance(token, int) else token
