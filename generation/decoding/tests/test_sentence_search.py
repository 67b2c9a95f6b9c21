from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch

from generation.decoding.requests import Hypothesis, Request
from generation.decoding.scorers import Scorer
from generation.decoding.sentence_search import best_of_each, search
from generation.decoding.short_sentences import ends_sentence
from generation.decoding.templates import QA_ZH, VERSE
from generation.methods import (
    EQUATION_3,
    EQUATION_4,
    FORWARD,
    PRESETS,
    SEARCH_BASELINE,
    Sampling,
    SearchConfig,
    Weights,
)
from generation.orders import SentenceScore
from generation.tests.tiny_models import verse_model
from generation.verse.forms import find_form

SMALL = SearchConfig(beams=3, samples=4, most_sentences=3, most_tokens=6)
TITLE = "秋夜山中"


def poem(title: str = TITLE, form: str = "jueju5", heads: str = "", seed: int = 1) -> Request:
    chosen = find_form(form, heads=heads)
    fields = {"title": title, "form": chosen.name, "tune": "", "author": ""}
    return Request(VERSE, fields, chosen, pairs=True, seed=seed)


def prose(seed: int = 1) -> Request:
    return Request(QA_ZH, {"question": "山中何所有", "description": ""}, seed=seed)


@torch.inference_mode()
def plain_log_probs(model: torch.nn.Module, given: list[int], target: list[int]) -> list[float]:
    """Return the log probability of each target token by one forward pass of transformers over the whole sequence."""
    tokens = torch.tensor([[*given, *target]])
    log_probs = model(input_ids=tokens).logits[0].log_softmax(-1)
    return [float(log_probs[len(given) + place - 1, token]) for place, token in enumerate(target)]


def check_against_plain(request: Request, found: Hypothesis, weights: Weights, architecture: str) -> None:
    """Compare all scores of a hypothesis with those of a plain recomputation."""
    model = verse_model(architecture)
    prompt = model.encode(request.prompt, start=request.template.start)
    log_probs = plain_log_probs(model.model, prompt, list(found.tokens))
    chosen = [
        score
        for token, score in zip(found.tokens, log_probs, strict=True)
        # Marks are dictated by the form, and count only where there is none.
        if request.form is None or model.decode([token]) not in "，。"
    ]
    assert found.length == len(chosen)
    if request.form is not None or not found.ended:
        assert found.forward == pytest.approx(sum(chosen), rel=1e-5)
    if weights.inverse:
        target = model.encode(request.inverse_text)
        scores = []
        for place, sentence in enumerate(found.sentences):
            with_before = request.pairs and place % 2 == 1
            text = (found.sentences[place - 1].text if with_before else "") + sentence.text
            asked = request.template.write_inverse_prompt(request.fields, text)
            given = model.encode(asked, start=request.template.start)
            scores.append(sum(plain_log_probs(model.model, given, target)))
            assert sentence.inverse == pytest.approx(scores[-1], rel=1e-5)
        assert found.terms["inverse"] == pytest.approx(weights.inverse * sum(scores) / len(scores), rel=1e-5)
    length = found.length**weights.length_power
    assert found.terms["forward"] == pytest.approx(weights.forward * found.forward / length, rel=1e-5)
    if weights.format and request.form is not None:
        assert found.terms["format"] == -request.form.penalty(found.bare_sentences()).total
    assert found.score == pytest.approx(sum(found.terms.values()))


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
@pytest.mark.parametrize("weights", [FORWARD, SEARCH_BASELINE, EQUATION_3, EQUATION_4])
def test_scores_of_a_poem_equal_a_plain_recomputation(weights: Weights, architecture: str) -> None:
    request = poem()
    (found,) = search(verse_model(architecture), [request], weights, SMALL)
    assert len(found) == SMALL.beams
    for hypothesis in found:
        check_against_plain(request, hypothesis, weights, architecture)


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_scores_of_prose_equal_a_plain_recomputation(architecture: str) -> None:
    request = prose()
    (found,) = search(verse_model(architecture), [request], EQUATION_3, SMALL)
    for hypothesis in found:
        check_against_plain(request, hypothesis, EQUATION_3, architecture)


def test_a_poem_has_the_lengths_and_marks_of_its_form() -> None:
    for form, pattern in (
        ("jueju5", r"(\w{5}，\w{5}。){2}"),
        ("jueju7", r"(\w{7}，\w{7}。){2}"),
        ("lushi5", r"(\w{5}，\w{5}。){4}"),
    ):
        (found,) = search(verse_model(), [poem(form=form)], EQUATION_4, SMALL)
        assert all(re.fullmatch(pattern, hypothesis.text) and hypothesis.ended for hypothesis in found)


def test_an_acrostic_begins_its_short_sentences_with_the_given_characters() -> None:
    (found,) = search(verse_model(), [poem(heads="山水")], EQUATION_4, SMALL)
    for hypothesis in found:
        assert [sentence.text[0] for sentence in hypothesis.sentences][:2] == ["山", "水"]


def test_prose_ends_at_the_most_short_sentences_or_before() -> None:
    (found,) = search(verse_model(), [prose()], EQUATION_3, replace(SMALL, most_sentences=4))
    assert all(1 <= len(hypothesis.sentences) <= 4 for hypothesis in found)
    assert any(len(hypothesis.sentences) == 4 or hypothesis.ended for hypothesis in found)


def test_found_texts_differ_and_the_best_comes_first() -> None:
    (found,) = search(verse_model(), [poem()], EQUATION_4, SMALL)
    assert len({hypothesis.text for hypothesis in found}) == len(found)
    assert [hypothesis.score for hypothesis in found] == sorted((h.score for h in found), reverse=True)


def test_one_seed_gives_one_text_and_another_seed_another() -> None:
    first, again, other = (
        search(verse_model(), [poem(seed=seed)], EQUATION_4, SMALL)[0][0].text for seed in (5, 5, 6)
    )
    assert first == again != other


def test_company_changes_no_text() -> None:
    requests = [
        poem("秋夜", "jueju5", seed=3),
        poem("山", "lushi7", seed=4),
        poem("登高", heads="月", seed=5),
    ]
    together = search(verse_model(), requests, EQUATION_4, SMALL)
    for request, found in zip(requests, together, strict=True):
        (alone,) = search(verse_model(), [request], EQUATION_4, SMALL)
        assert [hypothesis.text for hypothesis in found] == [hypothesis.text for hypothesis in alone]
        assert found[0].score == pytest.approx(alone[0].score, rel=1e-5)


def test_each_round_is_watched_for_each_request() -> None:
    seen: list[tuple[int, int, int]] = []
    search(
        verse_model(),
        [poem(), poem(form="lushi5")],
        FORWARD,
        SMALL,
        lambda request, number, best: seen.append((request, number, len(best.sentences))),
    )
    assert [entry for entry in seen if entry[0] == 0] == [(0, number, number) for number in range(1, 4)]
    assert [entry for entry in seen if entry[0] == 1] == [(1, number, number) for number in range(1, 8)]


def test_the_best_of_children_and_ended_hypotheses_go_on() -> None:
    def hypothesis(score: float, *, request: int = 0, ended: bool = False) -> Hypothesis:
        return Hypothesis(
            request, sentences=(SentenceScore(str(score), 0.0),), terms={"forward": score}, ended=ended
        )

    children = [
        hypothesis(-5),
        hypothesis(-1),
        hypothesis(-2, ended=True),
        hypothesis(-9, request=1),
        hypothesis(-3),
    ]
    before = [[hypothesis(-2.5, ended=True)], []]
    chosen, ended = best_of_each(children, range(5), before, SearchConfig(3, 1, 1))
    assert chosen == [1, 3]
    assert [[one.score for one in of_request] for of_request in ended] == [[-2, -2.5], []]


def grown(opening: str, score: float) -> Hypothesis:
    sentences = (SentenceScore(opening, 0.0), SentenceScore(str(score), 0.0))
    return Hypothesis(0, sentences=sentences, terms={"forward": score})


def test_few_children_of_one_beam_survive_where_they_are_limited() -> None:
    children = [grown("山，", -score) for score in (1, 2, 3, 4)]
    chosen, _ = best_of_each(children, [0, 0, 0, 1], [[]], SearchConfig(3, 1, 1, most_children=2))
    assert chosen == [0, 1, 3]
    assert best_of_each(children, [0, 0, 0, 1], [[]], SearchConfig(3, 1, 1))[0] == [0, 1, 2]


def test_few_with_one_first_short_sentence_survive_where_they_are_limited() -> None:
    children = [*(grown("山，", -score) for score in (1, 2, 3)), grown("水，", -4)]
    chosen, _ = best_of_each(children, [0, 1, 2, 3], [[]], SearchConfig(3, 1, 1, most_of_an_opening=1))
    assert chosen == [0, 3]


def test_searches_with_limits_end_with_several_first_short_sentences() -> None:
    config = replace(PRESETS["authors"], beams=4, samples=4, most_of_an_opening=2)
    (found,) = search(verse_model(), [poem()], EQUATION_4, config)
    assert len({one.sentences[0].text for one in found}) >= 2


def test_forward_term_of_the_authors_counts_below_their_floor_only() -> None:
    weights = EQUATION_4.as_preset("authors")
    scorer = Scorer(verse_model(), [poem()], replace(weights, format=0, copies=0))

    def forward(mean: float) -> float:
        one = Hypothesis(0, length=4, sentences=(SentenceScore("山水山水，", 4 * mean, -1.0),))
        return scorer.terms(one)["forward"]

    assert forward(-6.0) == 0
    assert forward(-7.5) == pytest.approx(0.75 * -1.0)


def test_copied_characters_of_the_title_cost_more_the_more_they_are() -> None:
    scorer = Scorer(verse_model(), [poem()], EQUATION_4.as_preset("authors"))
    title = poem().fields["title"]

    def copies(text: str) -> float:
        return scorer.terms(Hypothesis(0, length=5, sentences=(SentenceScore(text, -1.0, -1.0),)))["copies"]

    assert copies("日日日日日，") == 0
    assert copies(f"{title[0]}日日日日，") == -2.5
    if len(set(title)) > 1:
        assert copies(f"{title[0]}{title[1]}日日日，") == pytest.approx(-2.5 * 2**2.5)


def test_inverse_score_is_the_mean_over_the_title_and_the_other_words_for_it() -> None:
    model, config = verse_model(), replace(SMALL, beams=2)

    def inverse(request: Request, text: str) -> float:
        scorer = Scorer(model, [request], EQUATION_4)
        return scorer.inverse_scores([Hypothesis(0, sentences=(SentenceScore(text, 0.0),))])[0]

    line = search(model, [poem()], FORWARD, config)[0][0].sentences[0].text
    alone = [inverse(poem(title), line) for title in (TITLE, "夜", "山中")]
    about = replace(poem(), about=("夜", "山中"))
    assert inverse(about, line) == pytest.approx(sum(alone) / 3, abs=1e-4)


def test_words_for_one_poem_change_nothing_for_another_beside_it() -> None:
    alone, _ = search(verse_model(), [poem(seed=2), replace(poem(), about=("夜",))], EQUATION_4, SMALL)
    beside, _ = search(verse_model(), [poem(seed=2), poem()], EQUATION_4, SMALL)
    assert [one.text for one in alone] == [one.text for one in beside]
    assert alone[0].score == pytest.approx(beside[0].score, abs=1e-4)


def test_search_without_an_inverse_term_is_scored_the_same_by_every_preset() -> None:
    assert SEARCH_BASELINE.as_preset("authors") == SEARCH_BASELINE


def test_likeliest_text_of_one_beam_is_that_of_transformers() -> None:
    model = verse_model()
    config = SearchConfig(
        beams=1, samples=1, most_sentences=2, sampling=Sampling(temperature=0), most_tokens=8
    )
    request = prose()
    ((found,),) = search(model, [request], FORWARD, config)
    prompt = torch.tensor([model.encode(request.prompt, start=True)])
    written = model.model.generate(
        prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=len(found.tokens), do_sample=False
    )
    assert list(found.tokens) == written[0, prompt.shape[1] :].tolist()


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("山，", True),
        ("山", False),
        ("It is. ", True),
        ("3.", False),
        ("a\n", True),
        ("好！", True),
        ("", False),
    ],
)
def test_a_short_sentence_ends_at_a_mark(text: str, ends: bool) -> None:
    assert ends_sentence(text) is ends


def test_presets_are_those_of_the_paper() -> None:
    # Zou et al., Table 8: beams, samples a beam, most short sentences.
    table_8 = {"qa": (5, 5, 30), "poem": (10, 7, 8), "poem_evaluation": (10, 12, 8)}
    ours = {name: (p.beams, p.samples, p.most_sentences) for name, p in PRESETS.items() if name in table_8}
    assert ours == table_8
    # Section 5.1: l1 = l = l3 = 1; l2 = .75 for poems and 1.5 for answers.
    assert Weights(inverse=1, forward=0.75, length_power=1, format=1) == EQUATION_4
    assert Weights(inverse=1, forward=1.5, length_power=1, format=0) == EQUATION_3
