"""Biases of a judge: what each probe finds, and where it is not possible."""

from __future__ import annotations

import numpy as np
import pytest

from stats.judges.probes import (
    family_probe,
    length_probe,
    nothing_probe,
    order_probe,
    repeats_probe,
    scale_probe,
)
from stats.judges.scores import JudgeScores
from stats.judges.tests.cast import rng, scores_of
from stats.scores import Criterion


def test_the_order_probe_finds_a_judge_that_favours_the_first_place() -> None:
    texts = np.tile([1.0, 2.0, 3.0], (20, 1))
    first, last = scores_of(texts + 1, positions=0), scores_of(texts, positions=2)
    both = JudgeScores(
        prompt=np.tile(first.prompt, 2),
        method=np.tile(first.method, 2),
        criterion=np.tile(first.criterion, 2),
        score=np.append(first.score, last.score),
        repeat=np.tile(first.repeat, 2),
        position=np.append(first.position, last.position),
        prompts=first.prompts,
        methods=3,
    )
    found = order_probe(both)
    assert found.value == 0.0 and found.n == 60 and found.failed
    assert found.p == pytest.approx(2 * 0.5**60)
    assert order_probe(scores_of(texts)).why == "unknown positions"


def test_the_repeats_probe_is_the_deviation_within_texts() -> None:
    again = scores_of(np.tile([1.0, 2.0, 3.0], (20, 1)), repeats=2)
    noisy = JudgeScores(**{**vars(again), "score": again.score + np.tile([0.5, -0.5], 60)})
    assert repeats_probe(noisy).value == pytest.approx(np.sqrt(0.5))
    assert repeats_probe(scores_of(np.ones((5, 2)))).why == "one repeat"


def test_length_and_family_probes_tell_what_the_judge_adds_to_peoples_ratings() -> None:
    draw = rng()
    people = draw.normal(size=(60, 3))
    lengths = np.exp2(draw.uniform(3, 7, size=(60, 3)))
    biased = people + 0.8 * np.log2(lengths) + 0.1 * draw.normal(size=(60, 3))
    found = length_probe(people, biased, lengths)
    assert found.failed and found.ci is not None and found.ci[0] > 0
    assert not length_probe(people, people + 0.01 * draw.normal(size=(60, 3)), lengths).failed
    own = family_probe(people, people + np.array([1.5, 0, 0]), [0])
    assert own.failed and own.value is not None and own.value > 0.5
    assert family_probe(people, people, []).why == "unknown family"
    assert family_probe(people[:5], people[:5], [0]).why == "too few"
    assert family_probe(people, np.ones((60, 3)), [0]).why == "no spread"


def test_a_text_of_nothing_that_is_rated_like_others_fails() -> None:
    scores = np.arange(100, dtype=float)
    assert nothing_probe("empty text", np.array([60.0]), scores).failed
    assert not nothing_probe("single point", np.array([0.0]), scores).failed
    assert nothing_probe("single point", np.array([]), scores).why == "too few"


def test_the_share_of_the_scale_counts_points_that_were_given() -> None:
    on = scores_of(np.array([[1.0, 2.0], [2.0, 2.0]]))
    assert scale_probe(on, Criterion("overall", 1, 5)).value == pytest.approx(0.4)
    assert scale_probe(scores_of(np.array([[0.3]])), Criterion("overall", 1, 5)).why == "not on the scale"


def test_a_bias_that_is_sure_and_next_to_nothing_is_passed() -> None:
    draw = rng()
    people = draw.normal(size=(200, 3))
    found = family_probe(people, people + np.array([0.05, 0, 0]), [0])
    assert found.ci is not None and found.ci[0] > 0 and found.failed is False


def test_texts_that_stood_at_one_place_alone_say_nothing_of_the_order() -> None:
    again = scores_of(np.tile([1.0, 2.0, 3.0], (20, 1)), positions=0, repeats=2)
    assert (order_probe(again).why, order_probe(again).n) == ("too few", 0)
