"""Sampling from an engine that only answers messages: it cannot score, so no search can be made with it."""

from __future__ import annotations

import time

from generation.decoding.methods import check_words, in_dress
from generation.decoding.served_model import RECOMMENDED
from generation.decoding.templates import TEMPLATES
from generation.engines.accounts import Account
from generation.engines.asking import ask
from generation.engines.dialects import answer_of
from generation.engines.servers import Server
from generation.genres import GENRES
from generation.orders import Order, OrderRefused, ScoredText, Written
from generation.texts.normalising import is_chinese

MOST_TOKENS = 1_000


def write_by_chat(server: Server, order: Order, account: Account) -> Written:
    """Write one text by an engine's answer to the prompt; raise `OrderRefused` or `EngineFailed`."""
    if order.form or order.tune or order.heads:
        raise OrderRefused(f"form: {server.name} only answers messages, and keeps to no form")
    genre = GENRES[order.genre]
    language = "zh" if is_chinese(order.prompt) else "en"
    kind = "poem_by_author" if genre.template == "poem" and order.author else genre.template
    fields = {**check_words(order), "genre": genre.name_zh if language == "zh" else genre.name_en}
    # The templates put the question mark themselves.
    fields[genre.subject] = fields[genre.subject].strip().rstrip("?？").strip("《》")
    prompt = TEMPLATES[f"{kind}_{language}"].write_prompt(fields)
    account.spend(len(prompt) + MOST_TOKENS)
    started = time.perf_counter()
    body = {
        "model": server.model,
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": MOST_TOKENS,
        "temperature": RECOMMENDED.temperature,
        "top_p": RECOMMENDED.top_p,
        "seed": order.seed,
    }
    answer = ask(server, "/v1/chat/completions", body)
    with answer_of(server):
        text = str(answer["choices"][0]["message"]["content"])
    facts = {
        "method": order.method,
        "model": server.name,
        "served": server.facts,
        "template": f"{kind}_{language}",
        "request": {name: body[name] for name in ("max_tokens", "temperature", "top_p")},
        "seed": order.seed,
    }
    best = in_dress(ScoredText(text, 0.0, {}, ()), order, None)
    return Written(best, seconds=time.perf_counter() - started, provenance=facts)
