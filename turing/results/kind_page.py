"""What the page of results shows of the kinds of game beside pairs of texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _

from stats.game.boundary import Boundary
from stats.game.detection import SHAPE
from stats.reports.numbers import DASH, count, decimal, signed
from turing.models import CellTally, Kind, Results, Scope
from turing.results.boundaries import boundary_of
from turing.results.figures import LiveResults
from turing.results.page import FigureRow, title_of
from turing.results.wording import interval, percent, verdict_words


@dataclass(frozen=True)
class PlaceRow:
    """Boundaries before one sentence: how many rounds, and how near the players came."""

    true: int
    total: str
    exact: str
    distance: str
    points: str


@dataclass(frozen=True)
class PlaceTable:
    scope: str
    rows: tuple[PlaceRow, ...]


@dataclass(frozen=True)
class KindView:
    """The figures of the kind in each scope, and of a boundary by its true place."""

    figures: tuple[FigureRow, ...]
    places: tuple[PlaceTable, ...]


def kind_view(of: Results, live: LiveResults) -> KindView:
    """Return what is shown of a kind beside pairs of texts. Two queries at most."""
    rates = [one.rate for one in live.scopes.values()]
    rows = [
        FigureRow(_("Records"), tuple(count(rate.total) for rate in rates)),
        FigureRow(_("Players"), tuple(count(rate.players) for rate in rates)),
        FigureRow(_("Texts or conversations played"), tuple(count(rate.pairs) for rate in rates)),
        FigureRow(
            _("Share to the sentence") if of.kind == Kind.BOUNDARY else _("Share of right answers"),
            tuple(percent(None if rate.rate is None else 1 - rate.rate) for rate in rates),
            is_main=True,
        ),
        FigureRow(
            _("95 % interval, clustered by player and text"),
            tuple(_turned(rate.clustered.ci if rate.clustered else None) for rate in rates),
        ),
    ]
    rows.append(
        FigureRow(
            _("Verdict against guessing"),
            tuple(verdict_words(one, live.margin) for one in live.scopes.values()),
        )
    )
    if of.kind != Kind.BOUNDARY:
        return KindView((*rows, *(_sides(of) if Kind(of.kind).shows_one else ())), ())
    found = [boundary_of(of, scope) for scope in Scope]
    rows += [
        FigureRow(
            _("Mean distance in sentences, positive where too late"),
            tuple(signed(one.distance) if one else DASH for one in found),
        ),
        FigureRow(
            _("Mean points of 5 a round"), tuple(decimal(one.points) if one else DASH for one in found)
        ),
    ]
    return KindView(
        tuple(rows),
        tuple(
            PlaceTable(title_of(scope), _places(one)) for scope, one in zip(Scope, found, strict=True) if one
        ),
    )


def _sides(of: Results) -> Sequence[FigureRow]:
    """Return how often a machine's text was taken for a human's and a human's for a machine's."""
    cells = dict(CellTally.objects.filter(results=of.pk).values_list("scope", "cells"))
    own = [np.array(cells.get(scope.value, [0] * 16)).reshape(SHAPE).sum(axis=2) for scope in Scope]

    def share(stimulus: int, said: int) -> tuple[str, ...]:
        return tuple(
            percent(one[stimulus, said] / one[stimulus].sum() if one[stimulus].any() else None) for one in own
        )

    return [
        FigureRow(_("Machine’s texts taken for human"), share(1, 0)),
        FigureRow(_("Human texts taken for a machine’s"), share(0, 1)),
    ]


def _turned(ci: tuple[float, float] | None) -> str:
    return interval(None if ci is None else (1 - ci[1], 1 - ci[0]))


def _places(found: Boundary) -> tuple[PlaceRow, ...]:
    return tuple(
        PlaceRow(
            row.true,
            count(row.total),
            percent(row.exact / row.total),
            signed(row.distance),
            decimal(row.points),
        )
        for row in found.by_true
    )
