"""A language model in this process, on transformers, and how one is loaded."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache
from transformers.utils import logging

from generation.decoding.caching_writer import CachingWriter
from generation.decoding.memory import no_memory_refused
from generation.decoding.reading import NOBODY, SHARED, Reading, Work
from generation.decoding.tokenized_model import TokenizedModel
from generation.methods import Sampling
from generation.refusals import Refused

# Loading has no progress worth a bar in the middle of a command's own output.
logging.disable_progress_bar()  # type: ignore[no-untyped-call]

HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
PICKLES = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")


@dataclass
class TransformersModel(TokenizedModel):
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

    def writer(self) -> CachingWriter:
        return CachingWriter(self)

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

    @cached_property
    def writable(self) -> Tensor:
        writable = torch.zeros(self.vocabulary, dtype=torch.bool)
        writable[: len(self.tokenizer)] = True
        writable[self.tokenizer.convert_tokens_to_ids(list(self.marks))] = False
        writable[list(self.ends)] = True
        return writable.to(self.device)

    @cached_property
    def texts(self) -> Sequence[str]:
        """What each token says by itself."""
        texts: list[str] = self.tokenizer.batch_decode(
            [[token] for token in range(len(self.tokenizer))], skip_special_tokens=True
        )
        return texts

    @cached_property
    def visible(self) -> Tensor:
        return self.those_of(lambda text: text.strip() != "")

    @cached_property
    def characters(self) -> Tensor:
        return self.those_of(lambda text: HAN.fullmatch(text) is not None)

    def those_of(self, holds: Callable[[str], bool]) -> Tensor:
        """Return the tokens whose text a condition holds for, (vocabulary,) bool."""
        tokens = torch.zeros(self.vocabulary, dtype=torch.bool)
        tokens[[token for token, text in enumerate(self.texts) if holds(text)]] = True
        return tokens.to(self.device)

    @torch.inference_mode()
    def extend(
        self, reading: Reading | None, tokens: Tensor, owner: Tensor, keep: int
    ) -> tuple[Reading, Tensor]:
        rows, new = tokens.shape
        before = reading.owner if reading is not None else owner.new_empty((rows, 0))
        whose = torch.cat([before, owner], dim=1)  # (rows, slots)
        seen = (whose[:, None] == SHARED) | (whose[:, None] == owner[:, :, None])  # (rows, new, slots)
        later = torch.ones((new, new), dtype=torch.bool, device=tokens.device).triu(1)
        seen[:, :, before.shape[1] :] &= ~later
        # A token's position is the number of those that it sees before it.
        positions = (seen.sum(2) - 1).clamp(0, self.positions - 1)
        # What padding sees is of no matter, but it must see something.
        seen[:, :, before.shape[1] :].diagonal(dim1=1, dim2=2).fill_(True)
        output = self.model(
            input_ids=tokens,
            position_ids=positions,
            attention_mask=seen[:, None],
            past_key_values=DynamicCache(reading.layers if reading is not None else None),
            use_cache=True,
            logits_to_keep=keep,
        )
        self.work.calls += 1
        self.work.padding += int((owner == NOBODY).sum())
        self.work.tokens += owner.numel()
        layers = tuple((layer.keys, layer.values) for layer in output.past_key_values.layers)
        return Reading(layers, whose), output.logits.float().log_softmax(-1)


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


def digest_weights(folder: Path) -> str:
    """Return a digest of the weights in a folder; of a model from a hub, whose name says as much, nothing."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest() if folder.is_dir() else ""


def check_folder(folder: Path) -> None:
    """Refuse a folder that no model can be loaded from, with the reason; raise `Refused`."""
    if not folder.is_dir():
        raise Refused(f"There is no folder {folder}")
    if not (folder / "config.json").is_file():
        raise Refused(f"{folder} is no model: it has no config.json")
    if not any(folder.glob("*.safetensors")):
        pickle = next((path.name for pattern in PICKLES for path in folder.glob(pattern)), None)
        if pickle is not None:
            raise Refused(
                f"{folder} has its weights only as a pickle ({pickle}), which can run code; save it as safetensors"
            )
        raise Refused(f"{folder} has no weights (*.safetensors)")
