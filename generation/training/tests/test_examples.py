from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

from generation.refusals import Refused
from generation.tests.training_cast import verse
from generation.training.examples import Example, Examples, draw_inverse, forward_example, inverse_example
from generation.training.losses import held_out_examples, mismatched
from generation.verse.corpus import Poem

POEM = Poem("tang", "train", "五绝", "", "静夜思", "李白", "床前看月光，疑是地上霜。举头望山月，低头思故乡。")


def test_a_poem_follows_its_form_title_and_author() -> None:
    assert forward_example(POEM, with_author=True) == Example(
        "<bos><五绝>", "《静夜思》李白：床前看月光，疑是地上霜。举头望山月，低头思故乡。<eos>"
    )


def test_a_poem_may_be_without_its_author() -> None:
    assert forward_example(POEM, with_author=False).target.startswith("《静夜思》：床前")


def test_a_ci_has_its_tune_before_the_title() -> None:
    ci = replace(POEM, form="词", tune="如梦令", title="日暮", author="", text="常记溪亭日暮。")
    assert forward_example(ci, with_author=True) == ("<bos><词>", "如梦令《日暮》：常记溪亭日暮。<eos>")


def test_a_title_follows_a_couplet() -> None:
    assert inverse_example(POEM, 2, 4) == ("<bos>「举头望山月，低头思故乡。」", "《静夜思》<eos>")


def test_an_author_follows_a_couplet() -> None:
    assert inverse_example(POEM, 0, 2, "author") == ("<bos>「床前看月光，疑是地上霜。」", "：李白<eos>")


def test_couplets_single_sentences_and_whole_poems_are_asked_about() -> None:
    rng = np.random.default_rng(0)
    kinds: Counter[int] = Counter()
    for _ in range(2000):
        given = draw_inverse(POEM, rng, "title").given
        kinds[given.count("，") + given.count("。")] += 1
    # Binomial with n = 2000: four standard errors are at most .041.
    assert kinds[2] / 2000 == pytest.approx(0.7, abs=0.041)
    assert kinds[1] / 2000 == pytest.approx(0.2, abs=0.041)
    assert kinds[4] / 2000 == pytest.approx(0.1, abs=0.041)


def test_each_round_has_every_poem_once() -> None:
    examples = Examples(verse(), seed=3)
    poems = examples.poems["tang"]
    rounds = [list(examples.next_poems("tang", len(poems))) for _ in range(2)]
    assert [sorted(map(repr, drawn)) for drawn in rounds] == [sorted(map(repr, poems))] * 2
    assert rounds[0] != rounds[1]


def test_the_stream_goes_on_from_its_place() -> None:
    whole, resumed = Examples(verse(), seed=3), Examples(verse(), seed=3)
    whole.draw(100, progress=0.1)
    resumed.drawn = dict(whole.drawn)
    assert resumed.draw(100, progress=0.5) == whole.draw(100, progress=0.5)


def test_another_seed_draws_others() -> None:
    assert Examples(verse(), seed=3).draw(50, 0) != Examples(verse(), seed=4).draw(50, 0)


def test_nothing_is_learnt_of_the_other_parts() -> None:
    held_out = {poem.text for poem in verse() if poem.part == "held_out"}
    examples = Examples(verse(), seed=3)
    drawn = chain.from_iterable(examples.poems.values())
    assert not held_out & {poem.text for poem in drawn}


def test_titles_of_many_poems_are_not_asked_for() -> None:
    many = [replace(POEM, text=f"{POEM.text}{place}") for place in range(41)]
    examples = Examples([*many, replace(POEM, title="望月")], seed=3)
    assert [poem.title for poem in examples.poems["inverse tang"]] == ["望月"]
    assert len(examples.poems["tang"]) == 42


def test_a_corpus_without_a_poem_to_learn_is_refused() -> None:
    with pytest.raises(Refused, match="no poem of the part train"):
        Examples([replace(POEM, part="judge")], seed=3)


@pytest.mark.parametrize(
    ("progress", "share"),
    # Of the kinds that this corpus has, at the start, half way to the middle knot, and at the end.
    [(0.0, 0.44 / 0.9), (0.2, 0.295 / 0.915), (0.4, 0.15 / 0.93), (1.0, 0.06 / 0.95)],
)
def test_the_mixture_moves_from_the_song_to_reading_backwards(progress: float, share: float) -> None:
    examples = Examples(verse(), seed=3)
    examples.draw(4000, progress)
    # Four standard errors of a share of 4,000 are at most .032.
    assert examples.drawn["song"] / 4000 == pytest.approx(share, abs=0.032)


def test_a_title_is_held_against_a_poem_of_the_same_form() -> None:
    poems = [
        POEM,
        replace(POEM, title="甲", form="七绝"),
        replace(POEM, title="乙"),
        replace(POEM, title="丙", form="七绝"),
    ]
    assert [poem.title for poem in mismatched(poems)] == ["乙", "丙", "静夜思", "甲"]


def test_a_title_is_not_held_against_a_neighbour_in_the_collection() -> None:
    poems = [replace(POEM, title=title) for title in "甲乙丙丁戊己"]
    assert [poem.title for poem in mismatched(poems)] == list("丁戊己甲乙丙")


def test_held_out_examples_ask_for_true_and_mismatched_titles() -> None:
    other = replace(POEM, title="望月", text="一一一一一，二二二二二。三三三三三，四四四四四。")
    poems = [replace(poem, part="held_out") for poem in (POEM, other)]
    examples = held_out_examples(poems, None)
    assert examples["inverse true"][1] == ("<bos>「举头望山月，低头思故乡。」", "《静夜思》<eos>")
    assert examples["inverse mismatched"][1] == ("<bos>「三三三三三，四四四四四。」", "《静夜思》<eos>")
    assert examples["text tang"][1] == ("<bos><五绝>《望月》：", f"{other.text}<eos>")
    assert [example.target.split("：")[0] for example in examples["forward tang"]] == [
        "《静夜思》李白",
        "《望月》",
    ]
    assert examples["forward song"] == []
