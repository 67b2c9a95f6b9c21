"""A small Llama in plain torch, with the numbers of transformers, which takes longer to import than a poem to write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Layers = tuple[tuple[Tensor, Tensor], ...]


def can_be_plain(folder: Path) -> bool:
    """Whether a folder holds an ordinary Llama in one file, with a tokenizer of single characters."""
    try:
        config: Mapping[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    ordinary = {
        "model_type": "llama",
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": True,
    }
    return (
        all(config.get(name) == value for name, value in ordinary.items())
        and config.get("rope_parameters", {}).get("rope_type") == "default"
        and tokenizer.get("model", {}).get("type") == "WordLevel"
        and (folder / "model.safetensors").is_file()
    )


class PlainLlama:
    """The forward pass of Llama (Touvron et al. 2023): RMS norms, rotary positions, gated units, tied weights."""

    def __init__(self, config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> None:
        self.weights = weights
        self.layers = int(config["num_hidden_layers"])
        self.width = int(config["head_dim"])
        self.epsilon = float(config["rms_norm_eps"])
        self.embedding = weights["model.embed_tokens.weight"]
        steps = torch.arange(0, self.width, 2, device=self.embedding.device).float() / self.width
        self.frequencies = 1.0 / float(config["rope_parameters"]["rope_theta"]) ** steps  # (width / 2,)

    def __call__(
        self, tokens: Tensor, positions: Tensor, seen: Tensor, before: Layers | None, keep: int
    ) -> tuple[Layers, Tensor]:
        """Return the keys and values of each layer, and the logits after the last `keep` tokens.

        `tokens` and `positions` are (rows, new), `seen` (rows, new, slots) says what each sees.
        """
        hidden = self.embedding[tokens]  # (rows, new, hidden)
        angles = positions[:, None, :, None].float() * self.frequencies  # (rows, 1, new, width / 2)
        turn = torch.cat([angles, angles], dim=-1)
        cosine, sine = turn.cos().to(hidden.dtype), turn.sin().to(hidden.dtype)
        layers = []
        for layer in range(self.layers):
            name = f"model.layers.{layer}."
            normed = self.norm(hidden, name + "input_layernorm.weight")
            queries, keys, values = (
                self.heads(normed, f"{name}self_attn.{part}_proj.weight") for part in ("q", "k", "v")
            )
            queries, keys = rotated(queries, cosine, sine), rotated(keys, cosine, sine)
            if before is not None:
                keys = torch.cat([before[layer][0], keys], dim=2)
                values = torch.cat([before[layer][1], values], dim=2)
            layers.append((keys, values))
            attended = functional.scaled_dot_product_attention(
                queries, keys, values, attn_mask=seen[:, None], enable_gqa=queries.shape[1] != keys.shape[1]
            )
            joined = attended.transpose(1, 2).flatten(2)
            hidden = hidden + joined @ self.weights[name + "self_attn.o_proj.weight"].T
            normed = self.norm(hidden, name + "post_attention_layernorm.weight")
            gate = functional.silu(normed @ self.weights[name + "mlp.gate_proj.weight"].T)
            up = normed @ self.weights[name + "mlp.up_proj.weight"].T
            hidden = hidden + (gate * up) @ self.weights[name + "mlp.down_proj.weight"].T
        logits = self.norm(hidden[:, -keep:], "model.norm.weight") @ self.embedding.T
        return tuple(layers), logits

    def check(self) -> None:
        """Raise `KeyError` where a weight is missing."""
        seen = torch.ones((1, 1, 1), dtype=torch.bool, device=self.embedding.device)
        nothing = torch.zeros((1, 1), dtype=torch.long, device=self.embedding.device)
        self(nothing, nothing, seen, None, keep=1)

    def norm(self, hidden: Tensor, name: str) -> Tensor:
        wide = hidden.float()
        scale = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.epsilon)
        return self.weights[name] * (wide * scale).to(hidden.dtype)

    def heads(self, hidden: Tensor, name: str) -> Tensor:
        """Return (rows, heads, new, width)."""
        joined = hidden @ self.weights[name].T
        return joined.view(*joined.shape[:2], -1, self.width).transpose(1, 2)


def rotated(heads: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    first, second = heads.chunk(2, dim=-1)
    return heads * cosine + torch.cat([-second, first], dim=-1) * sine
