"""The plots of a report, drawn by matplotlib as SVG that reads in print and in grey."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import pylopdf_fonts_zh_cn

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

INK, MUTED, LINE, CINNABAR = "#1f2328", "#5c6370", "#e3ddd0", "#a8322a"
WIDTH = 7.2  # inches: the text width of an A4 page
# matplotlib's settings are global to the process, and pages are drawn by several threads.
DRAWING = Lock()


@contextmanager
def drawing(width: float, height: float) -> Iterator[Canvas]:
    """Give an empty figure, in inches, under our settings; matplotlib is loaded only now, since it takes a second."""
    import matplotlib as mpl
    from matplotlib.figure import Figure as Canvas

    with DRAWING, mpl.rc_context(settings()):
        yield Canvas(figsize=(width, height))


@cache
def settings() -> dict[Any, Any]:
    """Return the settings every plot is drawn with; letters become outlines, so no reader needs the font."""
    from matplotlib.font_manager import fontManager

    font = Path(pylopdf_fonts_zh_cn.__file__).parent / "NotoSansSC-Regular.otf"
    fontManager.addfont(str(font))
    return {
        "font.family": ["Noto Sans SC"],
        "font.size": 9,
        "svg.fonttype": "path",
        "svg.hashsalt": "evalsite",
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.unicode_minus": False,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "figure.constrained_layout.use": True,
    }


def svg(canvas: Canvas) -> str:
    """Return the drawing without a date, so that the same numbers give the same file."""
    output = io.StringIO()
    canvas.savefig(output, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = output.getvalue()
    return text[text.index("<svg") :]


@dataclass(frozen=True)
class ForestRow:
    """An estimate with its interval, and the words that stand to the right of it."""

    label: str
    estimate: float
    ci: tuple[float, float] | None
    words: str


def forest_plot(rows: Sequence[ForestRow], *, axis_label: str) -> str:
    """Draw differences with their confidence intervals around a line at zero, each labelled directly."""
    with drawing(WIDTH, 0.9 + 0.36 * len(rows)) as canvas:
        axes = canvas.subplots()
        axes.axvline(0, color=MUTED, linewidth=0.8)
        # All marks of a kind at once: a hundred pairs would else take a second a figure.
        ends = [(*row.ci, place) for place, row in enumerate(reversed(rows)) if row.ci is not None]
        for side in (0, 1):
            axes.plot([end[side] for end in ends], [end[2] for end in ends], "|", color=INK, markersize=7)
        axes.hlines(
            [end[2] for end in ends], [end[0] for end in ends], [end[1] for end in ends], INK, linewidth=1.4
        )
        axes.plot([row.estimate for row in reversed(rows)], range(len(rows)), "s", color=INK, markersize=5)
        for place, row in enumerate(reversed(rows)):
            axes.annotate(
                row.words,
                (1.01, place),
                xycoords=("axes fraction", "data"),
                verticalalignment="center",
            )
        axes.set_yticks(range(len(rows)), [row.label for row in reversed(rows)])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(axis_label)
        return svg(canvas)


# Bars that are drawn with a line around each; more would be all lines.
MOST_OUTLINED = 25


@dataclass(frozen=True)
class Distribution:
    """How often each point of a scale was given to each method, shape (methods, points), and the methods' means."""

    title: str
    points: Sequence[int]
    shares: Sequence[Sequence[float]]
    means: Sequence[float | None]


def distribution_plot(distributions: Sequence[Distribution], methods: Sequence[str]) -> str:
    """Draw a small histogram for each method (row) and criterion (column), the mean marked by a line."""
    with drawing(WIDTH, 0.6 + 0.95 * len(methods)) as canvas:
        grid = canvas.subplots(len(methods), len(distributions), squeeze=False, sharey=True)
        for column, distribution in enumerate(distributions):
            points = np.asarray(distribution.points)
            width = 0.85 * (points[1] - points[0])
            outline = 0.6 if len(points) <= MOST_OUTLINED else 0.0
            for row, (shares, mean) in enumerate(zip(distribution.shares, distribution.means, strict=True)):
                axes = grid[row, column]
                axes.bar(points, shares, color="#b9b4a8", edgecolor=INK, linewidth=outline, width=width)
                if mean is not None:
                    axes.axvline(mean, color=CINNABAR, linewidth=1.4)
                axes.set_xticks(points if len(points) <= 5 else points[:: max(3, len(points) // 4)])
                axes.set_yticks([])
                axes.spines["left"].set_visible(False)
                axes.tick_params(length=2, labelsize=7)
                if row == 0:
                    axes.set_title(distribution.title, fontsize=9)
                if row < len(methods) - 1:
                    axes.set_xticklabels([])
                if column == 0:
                    axes.set_ylabel(
                        methods[row], rotation=0, horizontalalignment="right", verticalalignment="center"
                    )
        return svg(canvas)


@dataclass(frozen=True)
class Curve:
    """A line over a common axis, labelled at its end."""

    label: str
    values: Sequence[float]


LINE_STYLES = ("-", "--", "-.", ":")


def curve_plot(
    x: Sequence[float], curves: Sequence[Curve], *, x_label: str, y_label: str, target: float | None = None
) -> str:
    """Draw curves that are told apart by their dashes, each labelled at its end, with a line at a target."""
    with drawing(WIDTH, 2.8) as canvas:
        axes = canvas.subplots()
        if target is not None:
            axes.axhline(target, color=LINE, linewidth=1)
        for number, curve in enumerate(curves):
            axes.plot(x, curve.values, color=INK, linestyle=LINE_STYLES[number % 4], linewidth=1.3)
            axes.annotate(
                curve.label,
                (x[-1], curve.values[-1]),
                xytext=(5, 0),
                textcoords="offset points",
                verticalalignment="center",
            )
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        return svg(canvas)
