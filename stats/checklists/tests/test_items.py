"""Items of checklists: which split evaluators, and what comes of the consensus."""

from __future__ import annotations

import numpy as np
import pytest

from stats.checklists.items import ItemAnswers, checklist_facts, weighted_shares

ITEMS: list[tuple[str, str | None, str]] = [
    ("study-1", None, "It is true."),
    ("prompt-1", "1/1", "It names ice."),
    ("prompt-1", "1/2", "It names snow."),
]


def answers_of(rows: list[tuple[int, int, int, int]]) -> ItemAnswers:
    """Return answers by evaluator, item, text and answer; texts 0 and 1 are of two methods."""
    evaluator, item, text, answer = np.array(rows, dtype=np.int64).T
    return ItemAnswers(
        evaluator, item, text, answer, weight=np.array([1.0, 3.0, 1.0]), method=np.array([0, 1, 0, 1])
    )


ROWS = [
    # All three agree on the first item but for one text, of which one of them thinks otherwise.
    *((evaluator, 0, text, 1) for evaluator in range(3) for text in (0, 1, 2)),
    (0, 0, 3, 2), (1, 0, 3, 2), (2, 0, 3, 1),
    # On the second they are of three minds, and of one.
    (0, 1, 0, 1), (1, 1, 0, 2), (2, 1, 0, 3),
    (0, 1, 1, 3), (1, 1, 1, 3), (2, 1, 1, 3),
]  # fmt: skip


def test_items_come_by_how_they_split_evaluators() -> None:
    found = checklist_facts(answers_of(ROWS), ITEMS, ("one", "two"))
    assert [(one.key, one.page) for one in found.items] == [
        ("prompt-1", "1/1"), ("study-1", None), ("prompt-1", "1/2"),
    ]  # fmt: skip
    split, alike, unasked = found.items
    # Three of the six pairs of the second item differ, two of the twelve of the first.
    assert [split.disagreement, alike.disagreement] == pytest.approx([3 / 6, 2 / 12])
    assert [alike.answers, alike.yes, alike.does_not_apply] == pytest.approx([12, 10 / 12, 0])
    assert [split.yes, split.does_not_apply] == pytest.approx([1 / 2, 4 / 6])
    # By hand: 1 - (2 x 2 / 2) / (2 x 10 x 2 / 11) for the first.
    assert alike.alpha == pytest.approx(1 - 2 / (40 / 11))
    assert (unasked.answers, unasked.yes, unasked.disagreement, unasked.alpha) == (0, None, None, None)


def test_the_consensus_gives_each_method_its_mean_share() -> None:
    found = checklist_facts(answers_of(ROWS), ITEMS, ("one", "two")).consensus
    assert found is not None
    assert found.units == 6
    assert found.yes + found.no + found.does_not_apply == pytest.approx(1)
    # Of the second method's texts one holds all that applies, of the other nothing.
    assert found.shares["two"] == pytest.approx(50)


def test_two_evaluators_have_no_consensus() -> None:
    two = [row for row in ROWS if row[0] < 2]
    assert checklist_facts(answers_of(two), ITEMS, ("one", "two")).consensus is None


def test_a_text_to_which_nothing_applies_has_no_score() -> None:
    shares = weighted_shares(np.array([3.0, 0.0, 0.0]), np.array([4.0, 2.0, 0.0]))
    assert shares[:2].tolist() == [75, 0]
    assert np.isnan(shares[2])
