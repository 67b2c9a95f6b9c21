"""Language models that an engine elsewhere serves, as the setting `LANGUAGE_MODEL_SERVERS` names them (pure)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from generation.methods import METHODS
from generation.orders import Order, OrderRefused

# What an engine speaks: vLLM's /v1/completions, SGLang's /generate, /v1/completions with echo and log probabilities
# (the server of llama-cpp-python), and /v1/chat/completions, which nothing can be scored by.
VLLM, SGLANG, ECHO, CHAT = "vllm", "sglang", "echo", "chat"
ENGINES = (VLLM, SGLANG, ECHO, CHAT)
# How an answer by a JSON schema is asked for: as OpenAI does, as llama-cpp-python's server does, or in words alone.
JSON_SCHEMA, JSON_OBJECT, WORDS = "json_schema", "json_object", "words"
ANSWER_SCHEMAS = (JSON_SCHEMA, JSON_OBJECT, WORDS)
# What a header can hold.
KEY = re.compile(r"[\x21-\x7e]*")
NAME = re.compile(r"[-a-zA-Z0-9_.]{1,50}")


@dataclass(frozen=True)
class Server:
    """A served model.

    `model` is what the engine calls it; `tokenizer` a folder here with the model's own tokenizer, or its name on a hub;
    `revision` and `dtype` are as the engine was started with, for the record. A run may use `tokens_a_run`; an answer
    may take `seconds`; `key` is sent as a bearer token.
    """

    name: str
    engine: str
    url: str
    model: str
    tokenizer: str = ""
    revision: str = ""
    dtype: str = ""
    positions: int = 4096
    # One of ANSWER_SCHEMAS; by the engine if empty.
    answer_schema: str = ""
    tokens_a_run: int = 20_000_000
    seconds: float = 300.0
    # Of a million tokens sent and answered, in whatever currency; a judge's budget may be in it.
    price_in: float = 0.0
    price_out: float = 0.0
    # The environment variable with the key, or the key itself.
    key_variable: str = ""
    key: str = field(default="", repr=False)

    @property
    def can_score(self) -> bool:
        return self.engine != CHAT

    @property
    def schema_as(self) -> str:
        """How an answer by a JSON schema is asked for."""
        return self.answer_schema or (JSON_OBJECT if self.engine == ECHO else JSON_SCHEMA)

    @property
    def facts(self) -> dict[str, Any]:
        """What a text's provenance says of the engine: no address, no key, and no path of this machine."""
        known = {name: getattr(self, name) for name in ("engine", "model", "revision", "dtype")}
        return {**known, "tokenizer": Path(self.tokenizer).name}


def parse_servers(text: str) -> dict[str, Server]:
    """Return the servers of a JSON object {name: {"engine": ..., "url": ..., "model": ...}}; raise `ValueError`."""
    if not text.strip():
        return {}
    try:
        given: Any = json.loads(text)
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise ValueError("must be a JSON object of servers by name")
    return {name: parse_server(name, values) for name, values in given.items()}


def parse_server(name: str, values: Any) -> Server:
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r}: a name is of letters, digits, hyphens, dots and underscores")
    if not isinstance(values, dict):
        raise ValueError(f"{name}: must be a JSON object")
    known = {one.name: one for one in fields(Server) if one.name != "name"}
    for key, value in values.items():
        if key not in known:
            raise ValueError(f"{name}: {key} is not known; known are {', '.join(known)}")
        is_text = known[key].type == "str"
        kinds: tuple[type[Any], ...] = {"int": (int,), "float": (int, float), "str": (str,)}[
            str(known[key].type)
        ]
        number: Any = value
        if not isinstance(value, kinds) or isinstance(value, bool) or (not is_text and number <= 0):
            raise ValueError(f"{name}: {key} must be {'text' if is_text else 'a number above 0'}")
    if missing := [key for key in ("engine", "url", "model") if not values.get(key)]:
        raise ValueError(f"{name}: {', '.join(missing)} must be given")
    server = Server(name, **values)
    if server.key_variable:
        if server.key_variable not in os.environ:
            raise ValueError(
                f"{name}: key_variable names {server.key_variable}, which is not in the environment"
            )
        server = replace(server, key=os.environ[server.key_variable])
    # Without what a file with a key ends in.
    server = replace(server, key=server.key.strip())
    if not KEY.fullmatch(server.key):
        raise ValueError(f"{name}: its key must be of printable ASCII characters without spaces")
    if server.engine not in ENGINES:
        raise ValueError(f"{name}: engine {server.engine} is none of {', '.join(ENGINES)}")
    if server.answer_schema not in ("", *ANSWER_SCHEMAS):
        raise ValueError(
            f"{name}: answer_schema {server.answer_schema} is none of {', '.join(ANSWER_SCHEMAS)}"
        )
    if not server.url.startswith(("http://", "https://")):
        raise ValueError(f"{name}: url must begin with http:// or https://")
    if server.can_score and not server.tokenizer:
        raise ValueError(f"{name}: tokenizer must name a folder with the model's tokenizer")
    return server


def refuse_to_score(servers: Mapping[str, Server], order: Order) -> None:
    """Raise `OrderRefused` where an order's method needs scores of a model that is served without them."""
    server = servers.get(order.model)
    method = METHODS.get(order.method)
    if server and not server.can_score and method and method.verse:
        raise OrderRefused(
            f"model: {server.name} cannot score: its engine ({server.engine}) gives no log probabilities of a prompt;"
            f" it can be used for {' and '.join(key for key, one in METHODS.items() if one.verse is None)} alone"
        )
