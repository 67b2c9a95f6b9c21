"""The geometry of the plots of the results page.

Lengths across are percentages and text is never scaled, so that a plot reads on a phone as it does in print.
Colours and strokes are the style sheet's: no plot has a style of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from stats.game.selection import CHANCE
from stats.mixed import Interval
from turing.results.figures import Moment, Share
from turing.results.wording import percent

# As many moments as a plot shows: more would stand closer than a pixel on a phone.
MOMENTS_DRAWN = 120
HEIGHT, ACROSS, PADDING = 240, 1000, 12
# Lines of 13px text that stand closer than this run into each other.
LINE_APART = 17.0


@dataclass(frozen=True)
class Scale:
    """The part of 0 to 1 that is drawn, in whole tenths."""

    low: float
    high: float

    @property
    def ticks(self) -> tuple[float, ...]:
        first, last = round(self.low * 10), round(self.high * 10)
        return tuple(tenth / 10 for tenth in range(first, last + 1))

    def at(self, share: float) -> float:
        """Return how far along the scale a share lies, from 0 to 1; what lies beyond is at its end."""
        return min(max((share - self.low) / (self.high - self.low), 0.0), 1.0)


def scale_around(shares: Iterable[float], *, least: float = 0.2) -> Scale:
    """Return the scale around one half, at least `least` to either side, on which all these shares lie."""
    reach = max((abs(share - CHANCE) for share in shares), default=0.0)
    # Rounded up to a tenth, and not because a share of .7 is .19999 from one half.
    tenths = max(math.ceil(min(reach, 0.5) * 10 - 1e-9), round(least * 10))
    return Scale(CHANCE - tenths / 10, CHANCE + tenths / 10)


@dataclass(frozen=True)
class Bar:
    """A share and its interval as a dot and a line across a cell of a table; None where there is none."""

    at: str | None
    low: str | None
    high: str | None


def bar(share: Share, scale: Scale) -> Bar:
    """Return where a share is drawn."""
    if share.rate is None:
        return Bar(None, None, None)
    low, high = (None, None) if share.ci is None else (_across(scale.at(end)) for end in share.ci)
    return Bar(_across(scale.at(share.rate)), low, high)


def _across(part: float) -> str:
    return f"{100 * part:.2f}%"


def scale_of(shares: Sequence[Share]) -> Scale:
    """Return the scale for bars that stand below each other. A very wide interval runs off it."""
    rates = [share.rate for share in shares if share.rate is not None]
    near = [end for share in shares if share.ci is not None for end in share.ci if abs(end - CHANCE) <= 0.3]
    return scale_around([*rates, *near])


@dataclass(frozen=True)
class Tick:
    """A value on the axis and its height in the drawing."""

    share: float
    y: str

    @property
    def words(self) -> str:
        return percent(self.share)


@dataclass(frozen=True)
class SequencePlot:
    """A confidence sequence over time: the band, the line of the estimates, and the last values named at its end.

    `band` and `line` are paths on a drawing `across` wide and `height` high.
    """

    band: str
    line: str
    ticks: tuple[Tick, ...]
    chance_y: str
    margin: tuple[str, str]
    ends: tuple[Tick, Tick, Tick]
    labels: tuple[Tick, Tick, Tick]
    first: date
    last: date
    is_one_moment: bool
    height: int = HEIGHT
    across: int = ACROSS


def sequence_plot(moments: Sequence[Moment], scale: Scale, margin: float) -> SequencePlot | None:
    """Draw a confidence sequence, None before there is anything to draw."""
    drawn = thinned(moments)
    if not drawn:
        return None
    first, last = drawn[0].day, drawn[-1].day
    span = max((last - first).days, 1)
    xs = [ACROSS * (moment.day - first).days / span for moment in drawn]
    sequences = [moment.sequence for moment in drawn]
    highs = _steps(xs, [_y(sequence.ci[1], scale) for sequence in sequences])
    lows = _steps(xs, [_y(sequence.ci[0], scale) for sequence in sequences])
    middles = _steps(xs, [_y(sequence.estimate or 0.0, scale) for sequence in sequences])
    now = sequences[-1]
    values = (now.ci[1], now.estimate or 0.0, now.ci[0])
    ends = tuple(Tick(value, f"{_y(value, scale):.1f}") for value in values)
    return SequencePlot(
        band=f"M{_points(highs)}L{_points(lows[::-1])}Z",
        line=f"M{_points(middles)}",
        ticks=tuple(Tick(share, f"{_y(share, scale):.1f}") for share in scale.ticks),
        chance_y=f"{_y(CHANCE, scale):.1f}",
        margin=(f"{_y(CHANCE + margin, scale):.1f}", f"{_y(CHANCE - margin, scale):.1f}"),
        ends=(ends[0], ends[1], ends[2]),
        labels=_apart(values, scale),
        first=first,
        last=last,
        is_one_moment=len(drawn) == 1,
    )


def thinned(moments: Sequence[Moment], most: int = MOMENTS_DRAWN) -> Sequence[Moment]:
    """Return at most so many moments, the last one always among them."""
    every = -(-len(moments) // most) if moments else 1
    return moments[(len(moments) - 1) % every :: every]


def sequence_scale(ends: Iterable[Interval]) -> Scale:
    """Return the scale on which the latest intervals lie; earlier, wider ones run off it."""
    return scale_around(end for interval in ends for end in interval)


def _y(share: float, scale: Scale) -> float:
    return PADDING + (HEIGHT - 2 * PADDING) * (1 - scale.at(share))


def _steps(xs: Sequence[float], ys: Sequence[float]) -> list[tuple[float, float]]:
    """Return the corners of steps: a value holds until the next one."""
    corners = [(xs[0], ys[0])]
    for x, y, before in zip(xs[1:], ys[1:], ys, strict=False):
        corners += [(x, before), (x, y)]
    return corners


def _points(corners: Iterable[tuple[float, float]]) -> str:
    return "L".join(f"{x:.1f} {y:.1f}" for x, y in corners)


def _apart(values: tuple[float, float, float], scale: Scale) -> tuple[Tick, Tick, Tick]:
    """Return the heights of the labels of the upper end, the estimate and the lower end, none upon another."""
    middle = min(max(_y(values[1], scale), PADDING + LINE_APART), HEIGHT - PADDING - LINE_APART)
    high = min(_y(values[0], scale), middle - LINE_APART)
    low = max(_y(values[2], scale), middle + LINE_APART)
    return Tick(values[0], f"{high:.1f}"), Tick(values[1], f"{middle:.1f}"), Tick(values[2], f"{low:.1f}")
