"""What the search asks of a language model, and the one implementation of it, on transformers.

A `Reading` is what a model has read so far, row by row, with the keys and values of every token. Each token belongs to
an owner: `SHARED` tokens are seen by all that come after them in their row, those of a branch (0, 1, ...) by that
branch alone, `NOBODY`'s (padding) by none. So the children of a beam can grow side by side in the beam's own row: what
they share is read once and kept once. From the owners follows everything else, masks and positions.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache
from transformers.utils import logging

from generation.methods import Sampling
from generation.refusals import Refused

# Loading has no progress worth a bar in the middle of a command's own output.
logging.disable_progress_bar()  # type: ignore[no-untyped-call]

SHARED = -1
NOBODY = -2
HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
PICKLES = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")


@dataclass(frozen=True)
class Reading:
    """Rows of tokens as a model has read them.

    `layers` holds the keys and values of each layer, (rows, heads, slots, width) each; `owner` (rows, slots) tells
    whom a slot belongs to. The order of the slots means nothing: their positions are in the keys.
    """

    layers: tuple[tuple[Tensor, Tensor], ...]
    owner: Tensor

    def select(self, rows: Tensor, kept: Tensor) -> Reading:
        """Return a reading of one row for each of `rows` (selected,), with its `kept` (selected, slots) slots shared.

        Rows that keep fewer slots than others are padded in front.
        """
        most = int(kept.sum(1).max()) if kept.numel() else 0
        order = kept.int().argsort(dim=1, stable=True)[:, kept.shape[1] - most :]  # (selected, most)
        owner = torch.where(kept.gather(1, order), SHARED, NOBODY)
        row = rows[:, None]
        layers = tuple(
            # Indices on both sides of the heads put them last: (selected, most, heads, width).
            (keys[row, :, order].transpose(1, 2), values[row, :, order].transpose(1, 2))
            for keys, values in self.layers
        )
        return Reading(layers, owner)

    def rows(self, rows: Tensor) -> Reading:
        """Return a reading of some of the rows (selected,) as they are."""
        layers = tuple((keys[rows], values[rows]) for keys, values in self.layers)
        return Reading(layers, self.owner[rows])

    def of_branch(self, rows: Tensor, branches: Tensor) -> Reading:
        """Return a reading of the branch (selected,) of each of the rows (selected,), which it shares with nobody."""
        owner = self.owner[rows]  # (selected, slots)
        return self.select(rows, (owner == SHARED) | (owner == branches[:, None]))


@dataclass
class Work:
    """How much a model was asked: calls, tokens that were read, and tokens of padding among what was sent."""

    calls: int = 0
    tokens: int = 0
    padding: int = 0


class LanguageModel(Protocol):
    """A causal language model, as far as the search needs it.

    `digest` tells one state of its weights from another. `ends` are the tokens that end a text, `positions` the most
    tokens that a row can hold, `device` where its tensors live.
    """

    name: str
    digest: str
    device: torch.device
    vocabulary: int
    positions: int
    ends: frozenset[int]
    work: Work

    def without_marks(self, text: str) -> str:
        """Return a text without what would be read as a mark of the model's own, such as `<eos>`."""

    def encode(self, text: str, *, start: bool = False) -> list[int]:
        """Return the tokens of a text, after the token that starts a text if `start` and if the model has one."""

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, without marks of the model's own."""

    def in_dialogue(self, message: str) -> str | None:
        """Return what a model that was made to answer reads before its answer to a message; None for another."""

    def unknown(self, text: str) -> str:
        """Return the characters of a text that the model has no token for, once each."""

    @property
    def marks(self) -> Sequence[str]:
        """The marks of the model's own, such as `<eos>`."""

    @property
    def recommended(self) -> Sampling:
        """How the model's makers say to sample from it."""

    @property
    def writable(self) -> Tensor:
        """Which tokens can be in a text or end it, (vocabulary,) bool: all but marks of the model's own."""

    @property
    def visible(self) -> Tensor:
        """Which tokens show something by themselves, (vocabulary,) bool: no blanks, and no marks."""

    @property
    def characters(self) -> Tensor:
        """Which tokens are one Chinese character each, (vocabulary,) bool."""

    def extend(
        self, reading: Reading | None, tokens: Tensor, owner: Tensor, keep: int
    ) -> tuple[Reading, Tensor]:
        """Read on.

        `tokens` and their `owner` are (rows, new); a token sees what is shared and what is its owner's, among the
        tokens before it. Returned are the reading and the log probabilities of what may follow each of the last
        `keep` tokens, (rows, keep, vocabulary) in fp32.
        """


@dataclass
class TransformersModel:
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

    def without_marks(self, text: str) -> str:
        # Taking one out may bring another together.
        while any(mark in text for mark in self.marks):
            for mark in self.marks:
                text = text.replace(mark, "")
        return text

    def encode(self, text: str, *, start: bool = False) -> list[int]:
        tokens: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        first = self.tokenizer.bos_token_id
        return [first, *tokens] if start and first is not None and tokens[:1] != [first] else tokens

    def decode(self, tokens: Sequence[int]) -> str:
        text: str = self.tokenizer.decode(
            tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def in_dialogue(self, message: str) -> str | None:
        if self.tokenizer.chat_template is None:
            return None
        said = [{"role": "user", "content": message}]
        prompt: str = self.tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
        return prompt

    def unknown(self, text: str) -> str:
        unknown = self.tokenizer.unk_token_id
        if unknown is None:
            return ""
        return "".join(
            character
            for character in dict.fromkeys(text)
            if not character.isspace() and unknown in self.encode(character)
        )

    @cached_property
    def marks(self) -> Sequence[str]:
        # Some are special without being known as one: those of an instruct model's first training.
        added = [token.content for token in self.tokenizer.added_tokens_decoder.values() if token.special]
        return sorted({*added, *self.tokenizer.all_special_tokens}, key=len, reverse=True)

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


@contextmanager
def no_memory_refused(name: str, device: str | torch.device) -> Iterator[None]:
    """Raise `Refused` where the block runs out of memory."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise Refused(f"{name} does not fit into the memory of {device}") from error
    except (RuntimeError, OSError) as error:
        # On a processor torch has no error of its own for this; nor has the mapping of a file.
        if "allocate memory" not in str(error):
            raise
        raise Refused(f"{name} does not fit into the memory of {device}") from error


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
