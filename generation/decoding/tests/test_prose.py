from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch

from generation.decoding.local_model import TransformersModel, load_model
from generation.decoding.methods import compose, prepare
from generation.decoding.requests import Hypothesis
from generation.decoding.scorers import Scorer
from generation.decoding.sentence_search import search, with_sentence
from generation.decoding.short_sentences import ends_sentence
from generation.decoding.templates import QA_EN
from generation.engines.model_library import ENGLISH, folder_of, is_there
from generation.methods import EQUATION_3, FORWARD, METHODS, Sampling, SearchConfig
from generation.orders import Order, OrderRefused, SentenceScore
from generation.tests.tiny_models import small_model

QUESTION = Order(method="inverse_prompting", genre="qa", prompt="Why is the sea salty?", seed=1)
CHINESE = replace(QUESTION, prompt="为什么天是蓝的？")
SMALL = SearchConfig(beams=3, samples=3, most_sentences=4, most_tokens=8)


@pytest.mark.parametrize("order", [QUESTION, CHINESE, replace(QUESTION, genre="text", prompt="The cat")])
@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_writes_prose_in_both_languages(
    order: Order, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generation.decoding.methods.PRESETS", {"qa": SMALL})
    written = compose(small_model(), replace(order, method=method))
    assert written.best.text.strip()
    assert written.best.score == pytest.approx(sum(written.best.terms.values()))
    expected = {"inverse_prompting": {"inverse"}, "guided_search": {"inverse", "nearness"}}
    assert set(written.best.terms) == {"forward"} | expected.get(method.removesuffix("_st"), set())
    assert len(written.runners_up) == (0 if METHODS[method].prose is None else 2)


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_a_text_ends_where_the_model_has_no_more_positions(architecture: str) -> None:
    model = small_model(architecture, positions=64)
    request, _ = prepare(model, QUESTION)
    prompt = len(model.encode(request.prompt, start=True))
    (found,) = search(model, [request], FORWARD, replace(SMALL, most_sentences=30))
    assert all(prompt + len(one.tokens) <= 64 for one in found)
    full = [one for one in found if prompt + len(one.tokens) == 64]
    assert full
    assert all(one.ended for one in full)


def test_a_text_that_has_no_more_positions_hinders_no_other() -> None:
    model = small_model(positions=64)
    orders = [QUESTION, replace(QUESTION, prompt="Why?")]
    requests = [prepare(model, order)[0] for order in orders]
    together = search(model, requests, EQUATION_3, replace(SMALL, most_sentences=30))
    for request, found in zip(requests, together, strict=True):
        (alone,) = search(model, [request], EQUATION_3, replace(SMALL, most_sentences=30))
        assert [one.text for one in found] == [one.text for one in alone]


@pytest.mark.parametrize(
    ("order", "field"),
    [
        (replace(QUESTION, description="and why is it deep? " * 20), "description"),
        (replace(QUESTION, prompt="why " * 100), "question"),
        (replace(QUESTION, genre="text", prompt="天" * 30), "title"),
    ],
)
def test_what_the_model_cannot_hold_is_refused_with_its_field(order: Order, field: str) -> None:
    with pytest.raises(
        OrderRefused, match=f"^{field}: is too long for the model small, which reads at most 96 tokens$"
    ):
        compose(small_model(positions=96), order)


def test_an_end_that_was_drawn_counts_in_the_forward_score() -> None:
    model = small_model()
    request, _ = prepare(model, QUESTION)
    prompt = model.encode(request.prompt, start=True)
    (found,) = search(model, [request], FORWARD, SearchConfig(40, 1, 12, most_tokens=12))
    ended = [one for one in found if one.tokens[-1] == 0]
    assert ended
    for one in ended:
        tokens = torch.tensor([[*prompt, *one.tokens]])
        with torch.inference_mode():
            log_probs = model.model(input_ids=tokens).logits[0].log_softmax(-1)
        plain = log_probs[len(prompt) - 1 : -1].gather(1, tokens[0, len(prompt) :, None]).sum()
        assert one.forward == pytest.approx(float(plain), rel=1e-5)
        assert one.length == len(one.tokens)


def test_a_text_neither_begins_with_a_blank_nor_is_empty() -> None:
    model = small_model()
    blanks = [token for token, text in enumerate(model.texts) if not text.strip()]
    assert len(blanks) > 10
    request, _ = prepare(model, QUESTION)
    (found,) = search(model, [request], FORWARD, SearchConfig(400, 1, 1, most_tokens=2))
    assert len(found) > 200
    assert not {one.tokens[0] for one in found} & set(blanks)
    assert all(one.text.strip() for one in found)


@pytest.mark.parametrize(("fewest", "shortest"), [(0, 1), (3, 3)])
def test_no_text_ends_before_the_fewest_short_sentences(fewest: int, shortest: int) -> None:
    model = replace(small_model())
    likely = torch.zeros(model.vocabulary, dtype=torch.bool)
    likely[[0, *model.encode("a"), *model.encode(",")]] = True
    model.__dict__["writable"] = likely
    request, _ = prepare(model, QUESTION)
    config = SearchConfig(10, 3, 6, most_tokens=2, fewest_sentences=fewest)
    (found,) = search(model, [request], FORWARD, config)
    assert min(len(one.sentences) for one in found if one.ended) == shortest


def test_no_short_sentence_is_blank() -> None:
    model = small_model()
    request, _ = prepare(model, QUESTION)
    (found,) = search(model, [request], EQUATION_3, SearchConfig(20, 5, 6, most_tokens=3))
    assert all(sentence.text.strip() for one in found for sentence in one.sentences)


def test_blanks_and_the_end_belong_to_the_short_sentence_before() -> None:
    first = SentenceScore("So it is.", -2.0, -1.0)
    assert with_sentence((first,), SentenceScore("\n\n", -0.5)) == (
        SentenceScore("So it is.\n\n", -2.5, -1.0),
    )
    assert with_sentence((first,), SentenceScore("", -0.5)) == (SentenceScore("So it is.", -2.5, -1.0),)
    assert with_sentence((), SentenceScore(" ", -0.5)) == (SentenceScore(" ", -0.5),)


@pytest.mark.parametrize(
    "text",
    [
        " he said,",
        'He said "no."',
        " (as it were);",
        "**Safety first:**",
        "是的。”",
        " in 1999\n",
        "so?!",
        "1. Boil it.",
    ],
)
def test_short_sentences_end_with_their_quotes_and_brackets(text: str) -> None:
    assert ends_sentence(text)


@pytest.mark.parametrize(
    "text",
    [
        " Mr.",
        " and Dr.",
        " the U.S.",
        " e.g.",
        " J.",
        " 3.",
        " 1,",
        " at 10:",
        "1.",
        "\n\n",
        "...",
        ' "',
        " no",
    ],
)
def test_abbreviations_numbers_and_lone_marks_end_no_short_sentence(text: str) -> None:
    assert not ends_sentence(text)


def test_a_model_that_answers_is_told_the_prompt_as_a_message() -> None:
    model = small_model(answers=True)
    request, _ = prepare(model, replace(QUESTION, prompt="<user>Why<bot>?", description="It is\n\nodd."))
    assert request.prompt == "<user>Question: Why? Description: It is odd. Answer:<bot>"
    assert request.inverse_text == "Why?"
    assert not request.template.start
    told, _ = prepare(model, replace(QUESTION, prompt="Why", description=""))
    assert told.prompt == "<user>Question: Why? Answer:<bot>"
    plain, _ = prepare(small_model(), QUESTION)
    assert plain.template is QA_EN


def test_sampling_goes_by_the_settings_of_the_model() -> None:
    model = small_model("gpt2")
    assert model.recommended == Sampling(temperature=1.0, top_p=0.95)
    model.model.generation_config.update(temperature=0.2, top_k=7, top_p=0.9)
    del model.__dict__["recommended"]
    written = compose(model, replace(QUESTION, method="sampling"))
    assert written.provenance["search"]["sampling"] == {"temperature": 0.2, "top_k": 7, "top_p": 0.9}


def test_any_folder_of_a_causal_language_model_answers_in_chinese(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generation.decoding.methods.PRESETS", {"qa": SMALL})
    small_model().model.save_pretrained(tmp_path)
    small_model().tokenizer.save_pretrained(tmp_path)
    written = compose(load_model(tmp_path), CHINESE)
    assert written.best.text == compose(small_model(), CHINESE).best.text
    assert written.provenance["template"] == "qa_zh"


english = pytest.mark.skipif(
    not is_there(ENGLISH), reason="the English model is not there: manage.py prepare_english_model gets it"
)


@cache
def english_model() -> TransformersModel:
    return load_model(folder_of(ENGLISH))


@english
def test_the_english_model_answers_in_words() -> None:
    model = english_model()
    request, unknown = prepare(model, replace(QUESTION, prompt="Why is the sky blue?"))
    config = SearchConfig(1, 1, 2, model.recommended)
    ((found,),) = search(model, [request], FORWARD, config)
    assert unknown == ""
    assert "sky" in found.text or "light" in found.text
    words = found.text.replace(",", " ").replace(".", " ").split()
    assert len(words) > 8
    assert all(word.isascii() for word in words)


@english
def test_the_english_model_tells_the_question_from_its_answer() -> None:
    model = english_model()
    answers = [
        "Vaccines train the immune system to recognise a disease.",
        "A ship needs a captain and a good map.",
        "Vaccines,",
    ]
    request, _ = prepare(model, replace(QUESTION, prompt="How do vaccines protect people from diseases?"))
    children = [Hypothesis(0, sentences=(SentenceScore(answer, 0.0),)) for answer in answers]
    scores = Scorer(model, [request], EQUATION_3).inverse_scores(children)
    assert scores[0] > scores[1] + 2
    assert scores[2] > scores[1] + 2
