"""The plots of the results page: where a value is drawn, and that labels do not run into each other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast

import pytest

from stats.sequences import ConfidenceSequence
from turing.results.figures import Moment, Share
from turing.results.plots import (
    HEIGHT,
    LINE_APART,
    PADDING,
    Scale,
    bar,
    scale_around,
    scale_of,
    sequence_plot,
    thinned,
)


@dataclass(frozen=True)
class Drawn:
    """A moment whose confidence sequence is given."""

    day: date
    sequence: ConfidenceSequence


def moment(day: int, low: float, estimate: float, high: float) -> Moment:
    sequence = ConfidenceSequence(estimate, (low, high), 100, "asymptotic", 0.95)
    return cast(Moment, Drawn(date(2026, 3, 1) + timedelta(days=day), sequence))


@pytest.mark.parametrize(
    ("shares", "low", "high"),
    [([], 0.3, 0.7), ([0.45], 0.3, 0.7), ([0.7], 0.3, 0.7), ([0.71], 0.2, 0.8), ([0.0], 0.0, 1.0)],
)
def test_scale_lies_around_one_half_in_whole_tenths(shares: list[float], low: float, high: float) -> None:
    scale = scale_around(shares)
    assert (scale.low, scale.high) == pytest.approx((low, high))
    assert scale.ticks == pytest.approx([low + 0.1 * step for step in range(round((high - low) * 10) + 1)])


def test_bar_is_drawn_in_parts_of_its_cell() -> None:
    found = bar(Share(45, 100, (0.25, 0.65)), Scale(0.3, 0.7))
    # .25 lies below the scale, so the line runs to its end.
    assert (found.low, found.at, found.high) == ("0.00%", "37.50%", "87.50%")


def test_bar_without_an_interval_is_a_dot() -> None:
    found = bar(Share(1, 2, None), Scale(0.3, 0.7))
    assert (found.low, found.at, found.high) == (None, "50.00%", None)
    assert bar(Share(0, 0, None), Scale(0.3, 0.7)).at is None


def test_one_very_wide_interval_does_not_flatten_the_others() -> None:
    scale = scale_of([Share(1, 2, (-0.9, 1.9)), Share(45, 100, (0.4, 0.5))])
    assert (scale.low, scale.high) == pytest.approx((0.3, 0.7))


def test_nothing_is_drawn_before_the_first_game() -> None:
    assert sequence_plot([], Scale(0.3, 0.7), 0.05) is None


def test_a_value_holds_until_the_next_day_that_has_one() -> None:
    plot = sequence_plot(
        [moment(0, 0.3, 0.5, 0.7), moment(5, 0.4, 0.5, 0.6), moment(10, 0.4, 0.6, 0.7)], Scale(0.3, 0.7), 0.05
    )
    assert plot is not None
    xs = [float(x) for x in re.findall(r"([\d.]+) [\d.]+", plot.line)]
    assert xs == [0, 500, 500, 1000, 1000]
    ys = [float(y) for y in re.findall(r"[\d.]+ ([\d.]+)", plot.line)]
    assert ys == pytest.approx(
        [120, 120, 120, 120, HEIGHT - PADDING - 0.75 * (HEIGHT - 2 * PADDING)], abs=0.1
    )
    assert (plot.first, plot.last, plot.is_one_moment) == (date(2026, 3, 1), date(2026, 3, 11), False)


def test_first_day_alone_is_one_moment() -> None:
    plot = sequence_plot([moment(0, 0.3, 0.5, 0.7)], Scale(0.3, 0.7), 0.05)
    assert plot is not None and plot.is_one_moment


@pytest.mark.parametrize("ends", [(0.499, 0.5, 0.501), (0.3, 0.3, 0.3), (0.7, 0.7, 0.7), (0.1, 0.2, 0.25)])
def test_labels_stand_apart_and_inside(ends: tuple[float, float, float]) -> None:
    plot = sequence_plot([moment(0, *ends)], Scale(0.3, 0.7), 0.05)
    assert plot is not None
    high, middle, low = (float(label.y) for label in plot.labels)
    assert middle - high >= LINE_APART - 0.1 and low - middle >= LINE_APART - 0.1
    assert high >= PADDING - 0.1 and low <= HEIGHT - PADDING + 0.1


@pytest.mark.parametrize("days", [1, 119, 120, 121, 5000])
def test_thinned_keeps_the_last_moment(days: int) -> None:
    moments = [moment(day, 0.4, 0.5, 0.6) for day in range(days)]
    kept = thinned(moments)
    assert 1 <= len(kept) <= 120
    assert kept[-1] == moments[-1]
    assert len(kept) == days or len(kept) > 55
