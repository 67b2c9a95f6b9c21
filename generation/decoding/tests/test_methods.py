from __future__ import annotations

from dataclasses import replace

import pytest

from generation.decoding.methods import compose, compose_many
from generation.methods import METHODS
from generation.orders import Order, OrderRefused, Step
from generation.tests.tiny_models import verse_model
from generation.texts.sentence_embeddings import EMBEDDINGS, nearness

ORDER = Order(method="inverse_prompting", genre="poem", prompt="秋夜", form="jueju5", preset="poem", seed=3)


def is_verse(text: str, lines: int, length: int) -> bool:
    """Return whether a text is couplets of short sentences of one length."""
    couplets = text.split("\n")
    return len(couplets) == lines and all(
        len(half) == length for couplet in couplets for half in couplet.rstrip("。").split("，")
    )


@pytest.mark.parametrize("method", METHODS)
def test_every_method_writes_a_poem_in_its_form(method: str) -> None:
    written = compose(verse_model(), replace(ORDER, method=method))
    assert is_verse(written.best.text, lines=2, length=5)
    assert written.best.score == pytest.approx(sum(written.best.terms.values()))
    assert written.provenance["method"] == method
    assert written.provenance["seed"] == 3


def test_methods_differ_by_their_terms() -> None:
    terms = {
        method: set(compose(verse_model(), replace(ORDER, method=method)).best.terms) for method in METHODS
    }
    assert terms == {
        "prompting_baseline": {"forward"},
        "sampling": {"forward"},
        "search_baseline": {"forward", "format"},
        "inverse_prompting": {"forward", "inverse", "format"},
        "inverse_prompting_st": {"forward", "inverse", "format"},
        "guided_search": {"forward", "inverse", "format", "copies", "nearness"},
    }


def test_a_guided_search_says_by_which_embeddings_it_was_guided_and_others_name_none() -> None:
    guided = compose(verse_model(), replace(ORDER, method="guided_search"))
    assert guided.provenance["embeddings"] == EMBEDDINGS
    assert "embeddings" not in compose(verse_model(), ORDER).provenance


def test_a_guided_search_ends_nearer_to_its_title_than_inverse_prompting_does() -> None:
    orders = [replace(ORDER, prompt=title) for title in ("秋夜", "登高", "春江", "雪山")]
    guided = compose_many(verse_model(), [replace(order, method="guided_search") for order in orders])
    others = compose_many(verse_model(), orders)
    near = [
        [nearness([one.best.text], [order.prompt])[0] for one, order in zip(written, orders, strict=True)]
        for written in (guided, others)
    ]
    assert all(one > other for one, other in zip(*near, strict=True))


def test_what_a_poem_is_about_guides_a_search_beside_its_title() -> None:
    order = replace(ORDER, method="guided_search", description="山水、清明")
    best = compose(verse_model(), order).best
    near = nearness([best.text], ["秋夜", "山水", "清明"])[0]
    assert best.terms["nearness"] == pytest.approx(METHODS["guided_search"].verse.nearness * near)  # type: ignore[union-attr]


def test_a_sampled_text_has_no_runners_up_and_a_searched_one_has() -> None:
    assert compose(verse_model(), replace(ORDER, method="sampling")).runners_up == ()
    searched = compose(verse_model(), ORDER)
    assert len(searched.runners_up) == 9
    assert all(other.score <= searched.best.score for other in searched.runners_up)


def test_texts_written_side_by_side_are_those_written_alone() -> None:
    orders = [ORDER, replace(ORDER, prompt="登高", form="lushi7"), replace(ORDER, prompt="山", seed=9)]
    together = compose_many(verse_model(), orders)
    assert [one.best.text for one in together] == [
        compose(verse_model(), order).best.text for order in orders
    ]


def test_orders_of_two_methods_are_not_written_side_by_side() -> None:
    with pytest.raises(ValueError, match="method"):
        compose_many(verse_model(), [ORDER, replace(ORDER, method="sampling")])


def test_steps_are_reported_short_sentence_by_short_sentence() -> None:
    steps: list[Step] = []
    compose(verse_model(), replace(ORDER, form="lushi5"), steps.append)
    assert [(step.sentence, step.most) for step in steps] == [(number, 8) for number in range(1, 8)]
    assert all(len(step.text) == 6 * step.sentence for step in steps)


@pytest.mark.parametrize("form", ["jueju5", "jueju7", "lushi5", "lushi7"])
def test_regulated_verse(form: str) -> None:
    written = compose(verse_model(), replace(ORDER, form=form))
    assert is_verse(written.best.text, lines=4 if "lushi" in form else 2, length=int(form[-1]))


def test_a_ci_has_the_lengths_of_its_tune() -> None:
    text = compose(verse_model(), replace(ORDER, form="", tune="浣溪沙")).best.text
    assert [len(part) for part in text.replace("\n", "").replace("，", "。").split("。")[:-1]] == [7] * 6


def test_free_verse_has_no_more_short_sentences_than_the_paper_allows() -> None:
    written = compose(verse_model(), replace(ORDER, form="free"))
    assert 1 <= len(written.best.sentences) <= 8
    assert "format" not in written.best.terms


def test_an_acrostic_takes_the_form_that_it_fits() -> None:
    four = compose(verse_model(), replace(ORDER, form="", heads="山水清明"))
    assert [sentence.text[0] for sentence in four.best.sentences] == list("山水清明")
    eight = compose(verse_model(), replace(ORDER, form="", heads="山水清明月夜"))
    assert len(eight.best.sentences) == 8


def test_traditional_and_variant_characters_of_a_title_are_understood() -> None:
    assert (
        compose(verse_model(), replace(ORDER, prompt="峯")).best
        == compose(verse_model(), replace(ORDER, prompt="峰")).best
    )
    assert (
        compose(verse_model(), replace(ORDER, prompt="《秋夜》")).best == compose(verse_model(), ORDER).best
    )


def test_unknown_characters_are_left_out_and_reported() -> None:
    written = compose(verse_model(), replace(ORDER, prompt="秋Ω夜龘Ω"))
    assert written.unknown == "Ω龘"
    assert written.best == compose(verse_model(), ORDER).best


def test_marks_of_the_model_in_a_title_are_not_obeyed() -> None:
    written = compose(verse_model(), replace(ORDER, prompt="秋<eos>夜<<bos>bos>"))
    assert written.best == compose(verse_model(), ORDER).best


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompt": ""}, "title: is empty"),
        ({"prompt": " 　"}, "title: is empty"),
        ({"prompt": "月" * 31}, "title: is 31 characters long; at most 30 are allowed"),
        ({"prompt": "秋\x00夜"}, "title: holds the control character U+0000"),
        ({"prompt": "Ωψ"}, "title: the model tiny knows none of the characters of Ωψ"),
        ({"author": "月" * 21}, "author: is 21 characters long; at most 20 are allowed"),
        ({"method": "magic"}, "method: magic is none of"),
        ({"preset": "huge"}, "preset: huge is none of authors, poem, poem_evaluation, qa, qa_paragraph"),
        ({"form": "sonnet"}, "form: "),
        ({"form": "", "tune": "无此调名"}, "tune: "),
        ({"heads": "一二三四五"}, "heads: "),
        ({"heads": "龘"}, "heads: the model tiny does not know 龘"),
        ({"form": "free", "heads": "山"}, "heads: an acrostic needs a form"),
        ({"genre": "qa"}, "genre: the model tiny writes poems only"),
    ],
)
def test_what_cannot_be_written_is_refused(change: dict[str, str], message: str) -> None:
    with pytest.raises(OrderRefused) as refused:
        compose(verse_model(), replace(ORDER, **change))  # type: ignore[arg-type]
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
