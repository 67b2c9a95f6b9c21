"""Models that engines serve: the setting that names them, and runs that are written by them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.test import Client

from generation.conftest import Queue
from generation.engines import asking
from generation.engines.servers import Server, parse_servers
from generation.methods import PRESETS, SearchConfig
from generation.models import EngineAnswer, GenerationRun, RunPrompt
from generation.orders import OrderRefused
from generation.refusals import Refused
from generation.runs.run_account import RunAccount, forget_answers
from generation.runs.writing import write_next
from generation.tests.engine_server import EngineServer, serving
from generation.tests.tiny_models import verse_model

QWEN: dict[str, Any] = {
    "engine": "vllm",
    "url": "http://gpu:8000",
    "model": "Qwen/Qwen2.5-7B",
    "tokenizer": "/models/qwen",
}
QUEUE = "generate-served"


def test_no_server_is_named_by_nothing() -> None:
    assert parse_servers("") == {}


def test_servers_are_named_with_what_is_known_of_them() -> None:
    (server,) = parse_servers(json.dumps({"qwen": {**QWEN, "revision": "a1", "tokens_a_run": 500}})).values()
    assert server == Server("qwen", **QWEN, revision="a1", tokens_a_run=500)
    assert "secret" not in repr(Server("qwen", **QWEN, key="secret"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "must be a JSON object of servers by name"),
        ('{"a b": {}}', "'a b': a name is of letters"),
        ('{"qwen": 1}', "qwen: must be a JSON object"),
        ({**QWEN, "hots": 1}, "qwen: hots is not known; known are engine, url, model"),
        ({**QWEN, "engine": "magic"}, "qwen: engine magic is none of vllm, sglang, echo, chat"),
        ({**QWEN, "url": "file:///etc/passwd"}, "qwen: url must begin with http:// or https://"),
        ({**QWEN, "url": ""}, "qwen: url must be given"),
        ({**QWEN, "tokenizer": ""}, "qwen: tokenizer must name a folder"),
        ({**QWEN, "positions": 0}, "qwen: positions must be a number above 0"),
        ({**QWEN, "positions": True}, "qwen: positions must be a number above 0"),
        ({**QWEN, "model": 7}, "qwen: model must be text"),
    ],
)
def test_what_names_no_server_is_told(given: Any, words: str) -> None:
    text = given if isinstance(given, str) else json.dumps({"qwen": given})
    with pytest.raises(ValueError, match=words):
        parse_servers(text)


@pytest.fixture
def engine(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineServer]:
    """An engine that the site knows as `served`, and as `chatty` by messages alone."""
    verse_model().tokenizer.save_pretrained(tmp_path)
    monkeypatch.setattr(asking, "PAUSE", 0.001)
    monkeypatch.setitem(PRESETS, "poem", SearchConfig(2, 2, 3))
    with serving(verse_model()) as engine:
        settings.LANGUAGE_MODEL_SERVERS = {
            "served": Server("served", "vllm", engine.url, "tiny", str(tmp_path), positions=256),
            "chatty": Server("chatty", "chat", engine.url, "tiny"),
        }
        yield engine


def test_run_is_written_by_a_served_model(queue: Queue, engine: EngineServer) -> None:
    run = queue("秋夜", model="served", config={"form": "jueju5"})
    assert run.queue == QUEUE
    assert write_next(QUEUE)
    run.refresh_from_db()
    candidate = run.candidates.get()
    assert re.fullmatch(r"\w{5}，\w{5}。\n\w{5}，\w{5}。", candidate.text)
    assert candidate.provenance.facts["served"]["engine"] == "vllm"
    assert run.tokens_sent > 500


def test_page_of_a_run_says_what_was_sent_of_its_budget(
    queue: Queue, engine: EngineServer, admin_client: Client
) -> None:
    run = queue("秋夜", model="served", config={"form": "jueju5"})
    GenerationRun.objects.filter(pk=run.pk).update(tokens_sent=12_345)
    page = admin_client.get(run.get_absolute_url()).content.decode()
    assert ">12,345 of at most 20,000,000<" in page
    own = queue("春", config={"form": "jueju5"})
    assert re.search(
        r"<div hidden>\s*<dt>Tokens sent", admin_client.get(own.get_absolute_url()).content.decode()
    )


def test_run_that_is_taken_up_again_asks_for_nothing_twice(queue: Queue, engine: EngineServer) -> None:
    first = queue("秋夜", model="served", config={"form": "jueju5"})
    write_next(QUEUE)
    known = EngineAnswer.objects.count()
    sent = len(engine.requests)
    again = queue("秋夜", model="served", config={"form": "jueju5"})
    write_next(QUEUE)
    assert again.candidates.get().text == first.candidates.get().text
    assert (EngineAnswer.objects.count(), len(engine.requests)) == (known, sent)
    again.refresh_from_db()
    assert again.tokens_sent == 0


def test_budget_of_a_run_is_shared_by_its_texts(queue: Queue, engine: EngineServer, settings: Any) -> None:
    run = queue("秋夜", "山", model="served", config={"form": "jueju5"})
    first, second = (RunAccount(pk, 100) for pk in run.run_prompts.values_list("pk", flat=True))
    first.spend(60)
    with pytest.raises(OrderRefused, match="the budget of 100 tokens a run is used up"):
        second.spend(60)
    second.spend(40)
    assert GenerationRun.objects.aggregate(sent=Sum("tokens_sent")) == {"sent": 100}


def test_text_for_which_no_tokens_are_left_has_failed_with_the_reason(
    queue: Queue, engine: EngineServer
) -> None:
    run = queue("秋夜", model="served", config={"form": "jueju5"})
    GenerationRun.objects.filter(pk=run.pk).update(tokens_sent=20_000_000)
    write_next(QUEUE)
    failed = RunPrompt.objects.get()
    assert failed.state == RunPrompt.State.FAILED
    assert failed.error == "model: the budget of 20,000,000 tokens a run is used up"


def test_text_is_put_back_while_the_engine_is_away(queue: Queue, engine: EngineServer) -> None:
    queue("秋夜", model="served", config={"form": "jueju5"})
    engine.troubles = ["503"] * 4
    write_next(QUEUE)
    waiting = RunPrompt.objects.get()
    assert waiting.state == RunPrompt.State.WAITING
    assert "served gave no answer in 4 attempts: 503" in waiting.error
    write_next(QUEUE)
    assert RunPrompt.objects.get().state == RunPrompt.State.DONE


def test_search_by_a_model_that_cannot_score_is_refused_before_it_waits(
    queue: Queue, engine: EngineServer
) -> None:
    with pytest.raises(Refused, match=r"chatty cannot score: .+ for prompting_baseline and sampling alone"):
        queue("秋夜", model="chatty")
    run = queue("秋夜", model="chatty", method="sampling")
    write_next("generate-chatty")
    assert run.candidates.get().text.startswith("答：")


def test_old_answers_are_forgotten(db: None, django_assert_num_queries: Any) -> None:
    EngineAnswer.objects.create(key="new", answer=-1.5)
    old = EngineAnswer.objects.create(key="old", answer=-2.5)
    EngineAnswer.objects.filter(pk=old.pk).update(answered_at="2020-01-01T00:00:00Z")
    with django_assert_num_queries(1):
        forget_answers()
    assert list(EngineAnswer.objects.values_list("key", flat=True)) == ["new"]


def test_command_writes_by_a_served_model(engine: EngineServer) -> None:
    output = StringIO()
    call_command("compose", "--title", "秋夜", "--model", "served", "--form", "jueju5", stdout=output)
    assert len(output.getvalue().split()) == 2
    engine.troubles = ["401"]
    with pytest.raises(CommandError, match="model: served refused the request: 401"):
        call_command("compose", "--title", "山", "--model", "served", "--form", "jueju5")
    engine.troubles = ["500"] * 4
    with pytest.raises(CommandError, match="served gave no answer"):
        call_command("compose", "--title", "山", "--model", "served", "--form", "jueju5")
