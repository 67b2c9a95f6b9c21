"""Bars begin at zero, end where their values add up, and are on one scale."""

from __future__ import annotations

from generation.runs.score_bars import Bar, stacked


def test_negative_values_go_left_from_zero_end_to_end() -> None:
    first, second = stacked([[-3.0, -1.0], [-1.0, -1.0]])
    # Four units are the whole width, and zero is its right edge.
    assert first.bars == (Bar(25.0, 75.0, 0), Bar(0.0, 25.0, 1))
    assert second.bars == (Bar(75.0, 25.0, 0), Bar(50.0, 25.0, 1))
    assert first.axis == second.axis == 99.5


def test_positive_values_go_right() -> None:
    (row,) = stacked([[-1.0, 3.0]])
    assert row.bars == (Bar(0.0, 25.0, 0), Bar(25.0, 75.0, 1))
    assert row.axis == 25.0


def test_nothing_but_zeros_can_be_drawn() -> None:
    (row,) = stacked([[0.0, 0.0]])
    assert {bar.width for bar in row.bars} == {0.0}
    assert stacked([]) == []
