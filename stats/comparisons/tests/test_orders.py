"""Orders of texts and choices of the best and the worst."""

from __future__ import annotations

import choix
import numpy as np
import pytest

from stats.comparisons.orders import best_worst, orders_of, plackett_luce, split_half
from stats.comparisons.tests.test_davidson import table
from stats.scores import Ints


@pytest.fixture
def orders() -> Ints:
    """Orders of three or four of four methods by known strengths."""
    rng = np.random.default_rng(3)
    strengths = np.array([0.0, 0.5, 1.0, 1.5])
    found = np.full((200, 4), -1, dtype=np.int64)
    for row in range(len(found)):
        shown = rng.permutation(4)[: 3 + row % 2]
        # The largest of Gumbel variables about the strengths is Luce's choice.
        found[row, : len(shown)] = shown[np.argsort(-(strengths[shown] + rng.gumbel(size=len(shown))))]
    return found


def test_successive_choices_have_the_strengths_that_choix_finds(orders: Ints) -> None:
    clusters = np.arange(len(orders))
    fit = plackett_luce(orders, clusters % 20, clusters // 20, 4)
    assert fit is not None
    ranked = [tuple(int(method) for method in order if method >= 0) for order in orders]
    assert fit.strengths == pytest.approx(choix.opt_rankings(4, ranked), abs=1e-5)
    assert fit.errors is not None
    assert (fit.errors > 0).all()
    # Four standard errors; the seed is fixed.
    assert np.abs(fit.strengths - (np.arange(4) * 0.5 - 0.75)).max() < 4 * fit.errors.max()


def test_a_method_that_is_always_last_has_no_strength() -> None:
    always = np.array([[1, 2, 0], [2, 1, 0]])
    assert plackett_luce(always, np.arange(2), np.arange(2), 3) is None


def test_pages_with_equal_scores_are_no_orders() -> None:
    nan = np.nan
    scores = np.array([[[1, 0, 0.5], [0.5, 0.5, 1]], [[nan, 1, 0], [nan, nan, 1]]])
    found, evaluator, prompt = orders_of(table(scores), "overall")
    assert found.tolist() == [[0, 2, 1], [1, 2, -1]]
    assert (evaluator.tolist(), prompt.tolist()) == ([0, 1], [0, 0])


def test_best_and_worst_are_counted_over_what_was_shown() -> None:
    scores = np.array([[[1, 0, 0.5], [0.5, 0, 1]], [[1, 0.5, 0], [np.nan, 1, 0]]])
    found = best_worst(table(scores), "overall")
    assert [(one.shown, one.best, one.worst, one.score) for one in found] == [
        (3, 2, 0, 2 / 3),
        (4, 1, 2, -0.25),
        (4, 1, 2, -0.25),
    ]


def test_evaluators_who_agree_are_reliable_and_those_who_draw_lots_are_not() -> None:
    rng = np.random.default_rng(5)
    truth = rng.random((1, 30, 3))
    alike = np.where(np.argsort(np.argsort(truth, axis=2), axis=2) == 2, 1.0, 0.5) * np.ones((8, 1, 1))
    assert split_half(table(alike), "overall", np.random.default_rng(1)) == pytest.approx(1)
    lots = rng.random((8, 30, 3))
    drawn = np.where(lots == lots.max(axis=2, keepdims=True), 1.0, 0.5)
    reliability = split_half(table(drawn), "overall", np.random.default_rng(1))
    assert reliability is not None
    assert abs(reliability) < 0.25
    assert split_half(table(alike[:1]), "overall", np.random.default_rng(1)) is None
