"""The search with a model that an engine serves, over real HTTP: the same scores as by the model in this process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from generation.decoding.chat import write_by_chat
from generation.decoding.local_model import TransformersModel
from generation.decoding.methods import compose, prepare
from generation.decoding.requests import Hypothesis
from generation.decoding.scorers import Scorer
from generation.decoding.sentence_search import search
from generation.decoding.served_model import ServedModel, reach_model
from generation.decoding.tests.test_sentence_search import SMALL, poem
from generation.engines import asking
from generation.engines.accounts import OwnAccount
from generation.engines.asking import EngineFailed
from generation.engines.servers import Server
from generation.methods import EQUATION_3, EQUATION_4, PRESETS
from generation.orders import Order, OrderRefused, SentenceScore
from generation.refusals import Refused
from generation.tests.engine_server import EngineServer, serving
from generation.tests.tiny_models import small_model, verse_model

QUESTION = Order(method="inverse_prompting", genre="qa", prompt="Why is the sea salty?", seed=1)


@pytest.fixture
def engine() -> Iterator[EngineServer]:
    with serving(verse_model()) as engine:
        yield engine


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAUSE", 0.001)
    monkeypatch.setattr(asking, "LONGEST_PAUSE", 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    verse_model().tokenizer.save_pretrained(tmp_path / "verse")
    small_model().tokenizer.save_pretrained(tmp_path / "prose")
    return tmp_path


def reached(engine: EngineServer, folder: Path, kind: str, **values: object) -> ServedModel:
    """Return the model of a server, probed."""
    tokenizer = str(folder / ("verse" if engine.model.name == "tiny" else "prose"))
    server = Server("served", kind, engine.url, "tiny", tokenizer, positions=256)
    return reach_model(replace(server, **values))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["vllm", "sglang"])
def test_scores_are_those_of_the_model_in_this_process(kind: str, engine: EngineServer, folder: Path) -> None:
    model = reached(engine, folder, kind)
    words = [("「山中", "秋"), ("「山中一夜雨，」", "《秋夜》"), ("「水", "山水日月"), ("月", "日")]
    pairs = [(tuple(model.encode(before)), tuple(model.encode(after))) for before, after in words]
    assert model.log_p(pairs) == pytest.approx(verse_model().writer().log_p(pairs), abs=1e-4)


@pytest.mark.parametrize("kind", ["vllm", "sglang"])
def test_poem_by_a_served_model_has_its_form_and_the_scores_that_the_local_one_gives_it(
    kind: str, engine: EngineServer, folder: Path
) -> None:
    request = poem(heads="山水")
    (found,) = search(reached(engine, folder, kind), [request], EQUATION_4, SMALL)
    local = verse_model()
    prompt = tuple(local.encode(request.prompt, start=request.template.start))
    assert len(found) == SMALL.beams
    for one in found:
        assert re.fullmatch(r"山\w{4}，水\w{4}。\w{5}，\w{5}。", one.text)
        assert one.terms["inverse"] == pytest.approx(inverse_term(local, one.text), abs=1e-4)
        # Marks are dictated and do not count.
        tokens: list[int] = []
        forward = 0.0
        for token in one.tokens:
            if local.decode([token]) not in "，。":
                forward += local.writer().log_p([((*prompt, *tokens), (token,))])[0]
            tokens.append(token)
        assert one.forward == pytest.approx(forward, abs=1e-3)


def inverse_term(local: TransformersModel, text: str) -> float:
    """Return the mean inverse score of a quatrain's short sentences, by the model in this process."""
    request, scores = poem(heads="山水"), []
    sentences = re.findall(r"\w{5}[，。]", text)
    for number in range(1, 5):
        beam = Hypothesis(0, sentences=tuple(SentenceScore(one, 0.0) for one in sentences[:number]))
        scores += Scorer(local, [request], EQUATION_4).inverse_scores([beam])
    return sum(scores) / 4


@pytest.mark.parametrize("kind", ["vllm", "sglang", "echo"])
def test_answer_by_a_served_model_has_the_scores_that_the_local_one_gives_it(kind: str, folder: Path) -> None:
    local = small_model()
    with serving(local) as engine:
        model = reached(engine, folder, kind, positions=1024)
        request, _ = prepare(model, QUESTION)
        config = replace(SMALL, beams=2, samples=2, most_sentences=3, most_tokens=8)
        (found,) = search(model, [request], EQUATION_3, config)
    prompt = tuple(local.encode(request.prompt, start=True))
    assert found
    for one in found:
        (forward,) = local.writer().log_p([(prompt, one.tokens)])
        if kind != "echo":  # which tells text, whose tokens may be others
            assert one.forward == pytest.approx(forward, abs=1e-3)
        for sentence in one.sentences:
            asked = request.template.write_inverse_prompt(request.fields, sentence.text.strip())
            pair = tuple(local.encode(asked, start=True)), tuple(local.encode(request.inverse_text))
            assert sentence.inverse == pytest.approx(local.writer().log_p([pair])[0], abs=1e-3)


def test_round_of_the_search_is_a_request_for_sentences_and_one_for_scores(
    engine: EngineServer, folder: Path
) -> None:
    model = reached(engine, folder, "vllm")
    engine.requests.clear()
    search(model, [poem()], EQUATION_4, SMALL)
    sent = [len(body["prompt"]) for _, body, _ in engine.requests]
    # Four lines: in the first round one beam, then as many as there are; and the scores of all their children.
    assert len(sent) == 8
    assert sent[0] == 1
    assert sent[2::2] == [SMALL.beams] * 3


def test_search_that_is_taken_up_again_pays_for_nothing_twice(engine: EngineServer, folder: Path) -> None:
    model = reached(engine, folder, "vllm")
    first = search(model, [poem()], EQUATION_4, SMALL)
    assert isinstance(model.account, OwnAccount)
    spent, sent = model.account.spent, len(engine.requests)
    assert search(model, [poem()], EQUATION_4, SMALL) == first
    assert (model.account.spent, len(engine.requests)) == (spent, sent)
    assert search(model, [poem(seed=2)], EQUATION_4, SMALL) != first


def test_budget_is_looked_at_before_anything_is_sent(engine: EngineServer, folder: Path) -> None:
    model = reached(engine, folder, "vllm")
    model.account = OwnAccount(budget=100)
    sent = len(engine.requests)
    with pytest.raises(OrderRefused, match=r"^model: the budget of 100 tokens a run is used up$"):
        search(model, [poem()], EQUATION_4, SMALL)
    assert len(engine.requests) == sent


def test_prose_does_not_end_before_it_may(folder: Path) -> None:
    with serving(small_model()) as engine:
        model = reached(engine, folder, "vllm", positions=1024)
        request, _ = prepare(model, QUESTION)
        config = replace(SMALL, beams=2, samples=2, most_sentences=3, most_tokens=4, fewest_sentences=3)
        (found,) = search(model, [request], EQUATION_3, config)
    assert all(len(one.sentences) == 3 for one in found)


def test_company_of_another_request_changes_no_text(engine: EngineServer, folder: Path) -> None:
    requests = [poem("秋夜", seed=3), poem("山", "lushi5", seed=4)]
    together = search(reached(engine, folder, "vllm"), requests, EQUATION_4, SMALL)
    (alone,) = search(reached(engine, folder, "vllm"), requests[:1], EQUATION_4, SMALL)
    assert [one.text for one in together[0]] == [one.text for one in alone]


def test_provenance_names_the_engine_and_how_it_was_asked(
    engine: EngineServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = Order("inverse_prompting", "poem", "秋夜", form="jueju5", preset="poem")
    model = reached(engine, folder, "vllm", revision="abc123", dtype="bfloat16", key="secret")
    monkeypatch.setitem(PRESETS, "poem", replace(SMALL, sampling=PRESETS["poem"].sampling))
    facts = compose(model, order).provenance
    assert facts["model"] == "served"
    assert facts["checkpoint"] == "abc123"
    assert facts["served"]["engine"] == "vllm"
    assert facts["served"]["dtype"] == "bfloat16"
    assert facts["request"]["path"] == "/v1/completions"
    assert facts["search"]["sampling"]["temperature"] == 0.8
    assert "secret" not in str(facts)
    assert engine.url not in str(facts)
    assert str(folder) not in str(facts)
    assert {headers.get("Authorization") for _, _, headers in engine.requests} == {"Bearer secret"}


@pytest.mark.parametrize("kind", ["vllm", "sglang"])
def test_engine_whose_samples_are_told_after_temperature_is_refused(
    kind: str, engine: EngineServer, folder: Path
) -> None:
    engine.sharpens = True
    with pytest.raises(OrderRefused, match="must be the model's own, before temperature and nucleus"):
        reached(engine, folder, kind)


def test_engine_that_scores_differently_each_time_is_refused(engine: EngineServer, folder: Path) -> None:
    engine.wavers = True
    with pytest.raises(OrderRefused, match="scores the same pair differently each time"):
        reached(engine, folder, "vllm")


@pytest.mark.parametrize("trouble", ["429", "429 in an hour", "500", "503", "hang up", "slow"])
def test_engine_that_stumbles_is_asked_again(trouble: str, engine: EngineServer, folder: Path) -> None:
    model = reached(engine, folder, "vllm", seconds=0.5)
    pair = [((5, 6), (7,))]
    engine.troubles = [trouble, trouble]
    assert model.log_p(pair) == pytest.approx(verse_model().writer().log_p(pair), abs=1e-4)


@pytest.mark.parametrize("trouble", ["429", "500", "hang up"])
def test_engine_that_stays_away_fails_after_four_attempts(
    trouble: str, engine: EngineServer, folder: Path
) -> None:
    model = reached(engine, folder, "vllm")
    sent = len(engine.requests)
    engine.troubles = [trouble] * 9
    with pytest.raises(EngineFailed, match=r"^served gave no answer in 4 attempts: "):
        model.log_p([((5, 6), (7,))])
    assert len(engine.requests) - sent == 4


@pytest.mark.parametrize("trouble", ["400", "401", "404"])
def test_request_that_is_refused_is_not_sent_again(trouble: str, engine: EngineServer, folder: Path) -> None:
    model = reached(engine, folder, "vllm")
    sent = len(engine.requests)
    engine.troubles = [trouble]
    with pytest.raises(
        OrderRefused, match=f'^model: served refused the request: {trouble} {{"error": "no"}}$'
    ):
        model.log_p([((5, 6), (7,))])
    assert len(engine.requests) - sent == 1


@pytest.mark.parametrize(
    ("trouble", "words"),
    [("no JSON", "is not JSON"), ("{}", "is not as vllm gives it"), ("302", "gave no answer")],
)
def test_answer_that_is_none_is_told_in_a_line(
    trouble: str, words: str, engine: EngineServer, folder: Path
) -> None:
    model = reached(engine, folder, "vllm")
    engine.troubles = [trouble]
    with pytest.raises(EngineFailed, match=words) as failed:
        model.log_p([((5, 6), (7,))])
    assert "\n" not in str(failed.value)


def test_tokenizer_that_is_not_there_is_refused(engine: EngineServer, tmp_path: Path) -> None:
    server = Server("served", "vllm", engine.url, "tiny", str(tmp_path / "nowhere"))
    with pytest.raises(Refused, match="cannot be loaded as a tokenizer"):
        reach_model(server)


def test_engine_that_only_answers_messages_is_sampled_from(engine: EngineServer) -> None:
    server = Server("chatty", "chat", engine.url, "tiny")
    account = OwnAccount(server.tokens_a_run)
    order = Order("sampling", "qa", "天空为什么是蓝的？", seed=7)
    written = write_by_chat(server, order, account)
    assert written.best.text == "答：问题：天。"
    assert written.provenance["served"]["engine"] == "chat"
    path, body, _ = engine.requests[-1]
    assert path == "/v1/chat/completions"
    assert body["messages"] == [{"role": "user", "content": "问题：天空为什么是蓝的？回答："}]
    assert account.spent > 0
    with pytest.raises(OrderRefused, match="keeps to no form"):
        write_by_chat(server, replace(order, form="jueju5"), account)
