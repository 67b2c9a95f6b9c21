"""An engine for tests: real HTTP over a tiny model, in the fields of vLLM, of SGLang, and of servers that echo.

Scores are plain forward passes of transformers over one sequence after the other, nothing of the project's own reading.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import torch

from generation.decoding.local_model import TransformersModel
from generation.decoding.sampling import draw
from generation.methods import Sampling

LINE = re.compile(r"(?P<head>.*)\[.+\]\{(?P<rest>\d+)\}")


class EngineServer:
    """Serves a model at `url`. `troubles` are what becomes of the next requests instead; `requests` what was asked.

    `sharpens` returns log probabilities of samples after temperature, as SGLang does unless told otherwise; `wavers`
    scores the same differently each time.
    """

    def __init__(self, model: TransformersModel) -> None:
        self.model = model
        self.troubles: list[str] = []
        self.requests: list[tuple[str, dict[str, Any], Mapping[str, str]]] = []
        self.sharpens = self.wavers = False
        self.url = ""

    @torch.inference_mode()
    def log_probs(self, tokens: list[int]) -> torch.Tensor:
        log_probs: torch.Tensor = self.model.model(input_ids=torch.tensor([tokens])).logits[0].log_softmax(-1)
        return log_probs

    def of_prompt(self, tokens: list[int]) -> list[float | None]:
        """Return the log probability of each token of a prompt; nothing is told of the first."""
        told = self.log_probs(tokens)
        shift = 0.3 * len(self.requests) if self.wavers else 0.0
        return [None, *(float(told[place - 1, token]) + shift for place, token in enumerate(tokens) if place)]

    def sample(self, prompt: list[int], seed: int, fields: Mapping[str, Any], most: int) -> dict[str, Any]:
        generator = torch.Generator().manual_seed(seed)
        sampling = Sampling(fields["temperature"], max(fields.get("top_k", 0), 0), fields.get("top_p", 1.0))
        line = LINE.fullmatch(fields.get("regex", ""))
        tokens: list[int] = []
        scores: list[float] = []
        finish: dict[str, Any] = {"type": "length", "matched": None}
        while len(tokens) < most:
            raw = self.log_probs([*prompt, *tokens])[-1]
            bias = torch.zeros_like(raw)
            for token, value in fields.get("logit_bias", {}).items():
                bias[int(token)] = value
            if line:
                if len(tokens) == len(line["head"]) + int(line["rest"]):
                    finish = {"type": "stop", "matched": 0}
                    break
                allowed = self.model.characters.clone()
                if len(tokens) < len(line["head"]):
                    allowed = torch.zeros_like(allowed)
                    allowed[self.model.encode(line["head"][len(tokens)])] = True
                bias = bias.masked_fill(~allowed, -torch.inf)
            token = int(draw(sampling, (raw + bias)[None], torch.rand(1, generator=generator)))
            while fields.get("canonical") and not self.is_canonical([*prompt, *tokens, token]):
                bias[token] = -torch.inf
                token = int(draw(sampling, (raw + bias)[None], torch.rand(1, generator=generator)))
            tokens.append(token)
            told = (raw / sampling.temperature).log_softmax(-1) if self.sharpens else raw
            scores.append(float(told[token]))
            if token in self.model.ends:
                finish = {"type": "stop", "matched": token}
                break
            text = self.model.decode([token])
            if stop := next((one for one in fields.get("stop", []) if one in text), None):
                finish = {"type": "stop", "matched": stop}
                break
        return {"tokens": tokens, "scores": scores, "finish": finish}

    def is_canonical(self, tokens: list[int]) -> bool:
        """Whether the tokens are those that their text is read as; a real model mostly writes so."""
        shown = [token for token in tokens if token not in self.model.ends]
        return self.model.encode(self.model.decode(shown)) == shown

    def answer(self, path: str, body: dict[str, Any]) -> Any:
        if path == "/generate":
            return [self.sglang(tokens, place, body) for place, tokens in enumerate(body["input_ids"])]
        if path == "/v1/chat/completions":
            return {"choices": [{"message": {"content": f"答：{body['messages'][0]['content'][:4]}。"}}]}
        assert path == "/v1/completions"
        if isinstance(body["prompt"], str):
            return {"choices": [self.echo(body)]}
        choices: list[dict[str, Any]] = []
        for tokens in body["prompt"]:
            for number in range(body.get("n", 1)):
                fields = {**body, **body.get("structured_outputs", {})}
                one = self.sample(tokens, body.get("seed", 0) + number, fields, body["max_tokens"])
                matched = one["finish"]["matched"]
                choice: dict[str, Any] = {
                    "index": len(choices),
                    "text": self.model.decode(one["tokens"]),
                    "finish_reason": one["finish"]["type"],
                    "stop_reason": matched if isinstance(matched, str) else None,
                    "prompt_logprobs": None,
                }
                if body.get("return_token_ids"):
                    choice["token_ids"] = one["tokens"]
                    choice["logprobs"] = {"token_logprobs": one["scores"]}
                if "prompt_logprobs" in body:
                    told = self.of_prompt(tokens)
                    choice["prompt_logprobs"] = [
                        None if score is None else {str(token): {"logprob": score, "rank": 1}}
                        for token, score in zip(tokens, told, strict=True)
                    ]
                choices.append(choice)
        # They say which is which: the order is not promised.
        return {"choices": choices[::-1]}

    def sglang(self, tokens: list[int], place: int, body: dict[str, Any]) -> dict[str, Any]:
        given = body["sampling_params"]
        fields = given[place] if isinstance(given, list) else given
        one = self.sample(tokens, fields.get("sampling_seed", 0), fields, fields["max_new_tokens"])
        meta: dict[str, Any] = {
            "finish_reason": one["finish"],
            "output_token_logprobs": [
                [score, token, None] for score, token in zip(one["scores"], one["tokens"], strict=True)
            ],
        }
        if "logprob_start_len" in body:
            start = body["logprob_start_len"][place]
            told = self.of_prompt(tokens)
            told[start] = None
            meta["input_token_logprobs"] = [
                [score, token, None] for score, token in zip(told[start:], tokens[start:], strict=True)
            ]
        return {"text": self.model.decode(one["tokens"]), "output_ids": one["tokens"], "meta_info": meta}

    def echo(self, body: dict[str, Any]) -> dict[str, Any]:
        prompt = self.model.encode(body["prompt"])
        one = self.sample(
            prompt, body.get("seed", 0), {**body, "stop": [], "canonical": True}, body["max_tokens"]
        )
        tokens, scores = one["tokens"], one["scores"]
        shown = [token for token in tokens if token not in self.model.ends]
        text = self.model.decode(shown)
        if body.get("echo"):
            told = [*self.of_prompt(prompt), *scores[: len(shown)]]
            every, text = [*prompt, *shown], body["prompt"] + text
        else:
            told, every = list(scores[: len(shown)]), shown
        offsets = [len(self.model.decode(every[:place])) for place in range(len(every))]
        shift = 0 if body.get("echo") else len(body["prompt"])
        return {
            "text": text,
            "finish_reason": one["finish"]["type"],
            "logprobs": {"text_offset": [shift + one for one in offsets], "token_logprobs": told},
        }


@contextmanager
def serving(model: TransformersModel) -> Iterator[EngineServer]:
    """Serve a model on a free port while the block runs."""
    engine = EngineServer(model)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            engine.requests.append((self.path, body, dict(self.headers)))
            trouble = engine.troubles.pop(0) if engine.troubles else ""
            if trouble == "hang up":
                self.connection.close()
                return
            if trouble == "slow":
                time.sleep(1)
            status = int(trouble[:3]) if trouble[:3].isdecimal() else 200
            said: Any = {"error": "no"} if status != 200 else {}
            if not trouble or trouble == "slow":
                said = engine.answer(self.path, body)
            words = b"<html>" if trouble == "no JSON" else json.dumps(said).encode()
            try:
                self.send_response(status)
                if status in (301, 302):
                    self.send_header("Location", "http://127.0.0.1:9/elsewhere")
                if "hour" in trouble:
                    self.send_header("Retry-After", "3600")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(words)))
                self.end_headers()
                self.wfile.write(words)
            except BrokenPipeError:
                # Who asked has lost patience.
                return

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    engine.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
    thread.start()
    try:
        yield engine
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
