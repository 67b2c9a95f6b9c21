"""How each engine is asked for short sentences and for log probabilities, and what it answers.

vLLM: POST /v1/completions with token ids as `prompt`; `prompt_logprobs` (a list, null for the first token, then
{token id: {"logprob": ...}}) and `token_ids` (`return_token_ids`) stand in each choice. SGLang: POST /generate with
`input_ids`; log probabilities stand in `meta_info` as [log probability, token id, text], of a prompt from
`logprob_start_len` on. Echo: POST /v1/completions with text; the answer repeats the prompt with the log probabilities
of its tokens and their offsets. All answers are checked: what is missing raises `EngineFailed`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from generation.engines.asking import EngineFailed, ask
from generation.engines.servers import ECHO, JSON_OBJECT, JSON_SCHEMA, SGLANG, VLLM, Server
from generation.methods import Sampling

Tokens = tuple[int, ...]


@dataclass(frozen=True)
class Wanted:
    """How tokens are to be sampled.

    The engine may stop at one of `stops`, which stays in the text; `regex` is what the whole must match; `barred`
    tokens do not come.
    """

    samples: int
    most_tokens: int
    sampling: Sampling
    seed: int
    stops: tuple[str, ...] = ()
    regex: str = ""
    barred: tuple[int, ...] = ()

    def sampling_fields(self) -> dict[str, Any]:
        """Return what all engines call the same."""
        own: dict[str, Any] = {"temperature": self.sampling.temperature, "top_p": self.sampling.top_p}
        if self.sampling.top_k:
            own["top_k"] = self.sampling.top_k
        if self.barred:
            own["logit_bias"] = {str(token): -100 for token in self.barred}
        if self.stops:
            own["stop"] = list(self.stops)
        return own


@dataclass(frozen=True)
class Sampled:
    """Tokens with the log probability of each, and whether the model ended the text after them."""

    tokens: Tokens
    log_probs: tuple[float, ...]
    ended: bool


class Dialect(Protocol):
    # What is sent with every wish for samples, beside what is wanted.
    path: ClassVar[str]
    fixed: ClassVar[Mapping[str, Any]]

    def sample(self, server: Server, prompts: Sequence[Tokens], wanted: Wanted) -> list[list[Sampled]]:
        """Return `wanted.samples` samples after each prompt."""

    def log_probs(self, server: Server, pairs: Sequence[tuple[Tokens, Tokens]]) -> list[float]:
        """Return log p(text | prefix) of each pair, in nats."""


@contextmanager
def answer_of(server: Server) -> Any:
    """Raise `EngineFailed` where an answer lacks what is read from it."""
    try:
        yield
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise EngineFailed(f"{server.name}'s answer is not as {server.engine} gives it: {error!r}") from error


def answer_by_schema(server: Server, name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a request for messages that ask for an answer by a JSON schema."""
    if server.schema_as == JSON_SCHEMA:
        named = {"name": name, "strict": True, "schema": schema}
        return {"response_format": {"type": "json_schema", "json_schema": named}}
    if server.schema_as == JSON_OBJECT:
        return {"response_format": {"type": "json_object", "schema": schema}}
    return {}


class VllmDialect:
    path: ClassVar[str] = "/v1/completions"
    fixed: ClassVar[Mapping[str, Any]] = {
        "logprobs": 1,
        "return_token_ids": True,
        "include_stop_str_in_output": True,
        "skip_special_tokens": False,
        # The defaults of the model's makers shall not get in.
        "repetition_penalty": 1.0,
    }

    def sample(self, server: Server, prompts: Sequence[Tokens], wanted: Wanted) -> list[list[Sampled]]:
        body = {
            "model": server.model,
            "prompt": [list(prompt) for prompt in prompts],
            "n": wanted.samples,
            "max_tokens": wanted.most_tokens,
            "seed": wanted.seed,
            **self.fixed,
            **wanted.sampling_fields(),
        }
        if wanted.regex:
            body["structured_outputs"] = {"regex": wanted.regex}
        answer = ask(server, self.path, body)
        with answer_of(server):
            choices = sorted(answer["choices"], key=lambda choice: choice["index"])
            sampled = [
                Sampled(
                    tuple(map(int, choice["token_ids"])),
                    tuple(map(float, choice["logprobs"]["token_logprobs"])),
                    choice["finish_reason"] == "stop" and not isinstance(choice.get("stop_reason"), str),
                )
                for choice in choices
            ]
            return in_rows(sampled, len(prompts), wanted.samples)

    def log_probs(self, server: Server, pairs: Sequence[tuple[Tokens, Tokens]]) -> list[float]:
        body = {
            "model": server.model,
            "prompt": [[*prefix, *text] for prefix, text in pairs],
            "max_tokens": 1,
            "temperature": 0,
            "prompt_logprobs": 0,
        }
        answer = ask(server, self.path, body)
        with answer_of(server):
            choices = sorted(answer["choices"], key=lambda choice: choice["index"])
            return [
                sum(
                    float(place[str(token)]["logprob"])
                    for place, token in zip(
                        choice["prompt_logprobs"][len(prefix) : len(prefix) + len(text)], text, strict=True
                    )
                )
                for choice, (prefix, text) in zip(choices, pairs, strict=True)
            ]


class SglangDialect:
    path: ClassVar[str] = "/generate"
    fixed: ClassVar[Mapping[str, Any]] = {"no_stop_trim": True, "skip_special_tokens": False}

    def sample(self, server: Server, prompts: Sequence[Tokens], wanted: Wanted) -> list[list[Sampled]]:
        common = {
            "max_new_tokens": wanted.most_tokens,
            **self.fixed,
            **wanted.sampling_fields(),
        }
        if wanted.regex:
            common["regex"] = wanted.regex
        body = {
            "input_ids": [list(prompt) for prompt in prompts for _ in range(wanted.samples)],
            "sampling_params": [
                {**common, "sampling_seed": wanted.seed + place}
                for place in range(len(prompts) * wanted.samples)
            ],
            "return_logprob": True,
        }
        answer = ask(server, self.path, body)
        with answer_of(server):
            sampled = []
            for one in answer:
                told = one["meta_info"]["output_token_logprobs"]
                finish = one["meta_info"]["finish_reason"]
                ended = finish["type"] == "stop" and not isinstance(finish.get("matched"), str)
                sampled.append(
                    Sampled(
                        tuple(int(entry[1]) for entry in told),
                        tuple(float(entry[0]) for entry in told),
                        ended,
                    )
                )
            return in_rows(sampled, len(prompts), wanted.samples)

    def log_probs(self, server: Server, pairs: Sequence[tuple[Tokens, Tokens]]) -> list[float]:
        body = {
            "input_ids": [[*prefix, *text] for prefix, text in pairs],
            "sampling_params": {"max_new_tokens": 1, "temperature": 0},
            "return_logprob": True,
            # The last token of the prefix is the first of whose successor something is told.
            "logprob_start_len": [len(prefix) - 1 for prefix, _ in pairs],
        }
        answer = ask(server, self.path, body)
        with answer_of(server):
            scores = []
            for one, (_, text) in zip(answer, pairs, strict=True):
                told = one["meta_info"]["input_token_logprobs"][-len(text) :]
                if [int(entry[1]) for entry in told] != list(text):
                    raise ValueError("the tokens are others than were sent")
                scores.append(sum(float(entry[0]) for entry in told))
            return scores


class EchoDialect:
    """Text instead of tokens, one prompt a request.

    `decode`, `shown` (without marks of the model's own, as the server counts offsets) and `encode` are its tokenizer's.
    """

    path: ClassVar[str] = "/v1/completions"
    fixed: ClassVar[Mapping[str, Any]] = {"logprobs": 1, "repeat_penalty": 1.0, "min_p": 0.0, "top_k": 0}

    def __init__(
        self,
        decode: Callable[[Tokens], str],
        shown: Callable[[Tokens], str],
        encode: Callable[[str], list[int]],
    ) -> None:
        self.decode, self.shown, self.encode = decode, shown, encode

    def sample(self, server: Server, prompts: Sequence[Tokens], wanted: Wanted) -> list[list[Sampled]]:
        if wanted.regex:
            raise EngineFailed(f"{server.name} writes free verse and prose only: its engine knows no forms")
        return [
            [
                self.sample_one(server, prompt, wanted, wanted.seed + number)
                for number in range(wanted.samples)
            ]
            for prompt in prompts
        ]

    def sample_one(self, server: Server, prompt: Tokens, wanted: Wanted, seed: int) -> Sampled:
        body = {
            "model": server.model,
            "prompt": self.decode(prompt),
            "max_tokens": wanted.most_tokens,
            "seed": seed,
            **self.fixed,
            **wanted.sampling_fields(),
        }
        # It takes the mark of a stop out of the text: the text is cut afterwards instead.
        body.pop("stop", None)
        answer = ask(server, self.path, body)
        with answer_of(server):
            choice = answer["choices"][0]
            text = choice["text"]
            offsets, told = choice["logprobs"]["text_offset"], choice["logprobs"]["token_logprobs"]
            starts = [offset - offsets[0] for offset in offsets] if offsets else []
            end = next(
                (
                    place
                    for place in range(1, len(starts))
                    if text[: starts[place]].endswith(wanted.stops) and wanted.stops
                ),
                len(starts),
            )
            cut = text if end == len(starts) else text[: starts[end]]
            ended = end == len(starts) and choice["finish_reason"] == "stop"
            tokens = tuple(self.encode(cut))
            # As many as the text has tokens here: what counts is their sum.
            total = sum(map(float, told[:end]))
            return Sampled(tokens, (total, *(0.0 for _ in tokens[1:])), ended)

    def log_probs(self, server: Server, pairs: Sequence[tuple[Tokens, Tokens]]) -> list[float]:
        scores = []
        for prefix, text in pairs:
            seam = len(self.shown(prefix))
            end_of_text = seam + len(self.shown(text))
            body = {
                "model": server.model,
                "prompt": self.decode(prefix) + self.decode(text),
                "echo": True,
                "logprobs": 1,
                "max_tokens": 1,
                "temperature": 0,
            }
            answer = ask(server, self.path, body)
            with answer_of(server):
                told = answer["choices"][0]["logprobs"]
                starts = [*told["text_offset"], end_of_text + 1]
                # A token across the seam belongs to the text, always.
                scores.append(
                    sum(
                        float(log_prob)
                        for log_prob, start, end in zip(
                            told["token_logprobs"], starts[:-1], starts[1:], strict=True
                        )
                        if end > seam and start < end_of_text
                    )
                )
        return scores


def in_rows(sampled: Sequence[Sampled], rows: int, samples: int) -> list[list[Sampled]]:
    if len(sampled) != rows * samples:
        raise ValueError(f"{len(sampled)} samples instead of {rows * samples}")
    return [list(sampled[row * samples : (row + 1) * samples]) for row in range(rows)]


DIALECTS: Mapping[str, Callable[..., Dialect]] = {
    VLLM: lambda *tokenizer: VllmDialect(),
    SGLANG: lambda *tokenizer: SglangDialect(),
    ECHO: EchoDialect,
}
