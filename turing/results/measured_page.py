"""What the page of results shows of what was measured: how well players tell, how sure they are, how hard pairs are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from generation.texts.normalising import is_chinese
from stats.game.detection import FEWEST_PLAYERS
from stats.reports.numbers import DASH, SPACE, count, decimal, p_number, signed
from turing.models import Kind, Player, Results, Round, Scope
from turing.results.figures import LiveResults
from turing.results.page import FigureRow, title_of
from turing.results.small_plots import (
    CalibrationMark,
    RocPlot,
    ScalePlot,
    calibration_plot,
    roc_plot,
    scale_plot,
)
from turing.results.wording import interval, percent, verdict_name

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class BoardRow:
    """A player of the board: nobody is named, and visitors find themselves."""

    place: int
    name: str
    is_visitor: bool
    answered: str
    skill: str
    ci: str


@dataclass(frozen=True)
class DifficultyRow:
    """A pair, or a method, with its difficulty; `language` is that of a pair's title, as HTML names it."""

    name: str
    method: str
    answered: str
    difficulty: str
    ci: str
    language: str = ""


@dataclass(frozen=True)
class PairList:
    """Hard or easy pairs, of one method or of all."""

    title: str
    rows: tuple[DifficultyRow, ...]


@dataclass(frozen=True)
class MeasuredScope:
    """One scope: its three plots with their text alternatives, its board and its lists."""

    key: str
    title: str
    is_enough: bool
    fragile: tuple[str, ...]
    roc: RocPlot | None
    roc_words: str
    calibration: tuple[CalibrationMark, ...]
    calibration_words: str
    scale: ScalePlot | None
    scale_words: str
    board: tuple[BoardRow, ...]
    methods: tuple[DifficultyRow, ...]
    pairs: tuple[PairList, ...]


@dataclass(frozen=True)
class MeasuredView:
    """All that was measured, None of it before thirty players."""

    as_of: datetime | None
    fewest: int
    rows: tuple[FigureRow, ...]
    scopes: tuple[MeasuredScope, ...]

    @property
    def is_enough(self) -> bool:
        return any(scope.is_enough for scope in self.scopes)


def measured_view(of: Results, live: LiveResults, *, player: Player | None, with_pairs: bool) -> MeasuredView:
    """Return what the page shows; `player` is the visitor, single pairs are shown only if they may be seen."""
    figures: list[Figures] = [of.figures.get(scope.value, {}) for scope in Scope]
    return MeasuredView(
        as_of=of.measured_at,
        fewest=FEWEST_PLAYERS,
        rows=_rows(figures, Kind(of.kind)),
        scopes=tuple(
            _scope(scope, one, live, player, with_pairs=with_pairs)
            for scope, one in zip(Scope, figures, strict=True)
        ),
    )


def _scope(
    scope: Scope, figures: Figures, live: LiveResults, player: Player | None, *, with_pairs: bool
) -> MeasuredScope:
    found, difficulty = figures.get("detection") or {}, figures.get("difficulty") or {}
    area = found.get("area") or {}
    return MeasuredScope(
        key=scope.value,
        title=title_of(scope),
        is_enough=bool(found) or "skill" in figures,
        fragile=(
            *_fragile(figures.get("fragility"), live.scopes[scope].rate.total, live.margin),
            *_without_one(figures.get("without_one") or {}, live.margin),
        ),
        roc=roc_plot(found.get("roc", ())),
        roc_words=_("Area under the ROC %(area)s (%(interval)s); guessing has one half.")
        % {"area": decimal(area.get("value")), "interval": _ends(area.get("ci"))},
        calibration=calibration_plot(found.get("calibration", ())),
        calibration_words=" · ".join(
            _("%(confidence)s: %(share)s right (%(interval)s)")
            % {
                "confidence": Round.Confidence(row["confidence"]).label,
                "share": percent(row["share"]["value"]),
                "interval": interval(row["share"]["ci"]),
            }
            for row in found.get("calibration", ())
        ),
        scale=scale_plot(figures["scale"]) if "scale" in figures else None,
        scale_words=_(
            "Skills of %(players)s players (above) spread by %(skills)s logits,"
            " difficulties of %(pairs)s pairs (below) by %(difficulties)s."
        )
        % {
            "players": count(figures["skill"]["players"]),
            "skills": decimal(figures["skill"]["spread"]),
            "pairs": count(difficulty["pairs"]),
            "difficulties": decimal(difficulty["spread"]),
        }
        if "skill" in figures
        else "",
        board=tuple(
            _board_row(place, row, player)
            for place, row in enumerate(figures.get("skill", {}).get("board", ()), start=1)
        ),
        methods=tuple(
            DifficultyRow(
                row["method"], row["method"], count(row["pairs"]), signed(row["difficulty"]), _ends(row["ci"])
            )
            for row in difficulty.get("by_method", ())
        ),
        pairs=_pair_lists(difficulty) if with_pairs and difficulty else (),
    )


def _fragile(fragility: Figures | None, rounds: int, margin: float) -> tuple[str, ...]:
    """Return how few rounds hold the verdict up."""
    if not fragility:
        return ()
    if fragility["rounds"] is None:
        return (_("No number of rounds left out would change the verdict."),)
    words = _("The verdict falls without %(few)s of %(rounds)s rounds: it would be “%(becomes)s”.") % {
        "few": count(fragility["rounds"]),
        "rounds": count(rounds),
        "becomes": verdict_name(fragility["becomes"], margin),
    }
    return (words,)


def _without_one(without_one: Figures, margin: float) -> tuple[str, ...]:
    """Return whether one address or one room holds the verdict up, where there are any."""
    words = {
        "address": (
            _("Without any single address it stays; the largest has %(largest)s of %(games)s first games."),
            _("Without one address with %(largest)s of %(games)s first games it would be “%(becomes)s”."),
        ),
        "room": (
            _("Without any single room it stays; the largest has %(largest)s of %(games)s first games."),
            _("Without one room with %(largest)s of %(games)s first games it would be “%(becomes)s”."),
        ),
    }
    said = []
    for of, found in without_one.items():
        stays, falls = words[of]
        if found["decisive"]:
            first = found["decisive"][0]
            values = {"largest": count(first["games"]), "becomes": verdict_name(first["becomes"], margin)}
            said.append(falls % (values | {"games": count(found["games"])}))
        elif found["largest"]:
            said.append(stays % {"largest": count(found["largest"]), "games": count(found["games"])})
    return tuple(said)


def _board_row(place: int, row: Figures, player: Player | None) -> BoardRow:
    is_visitor = player is not None and row["player"] == player.pk
    return BoardRow(
        place,
        _("you") if is_visitor else _("a player"),
        is_visitor,
        count(row["answered"]),
        signed(row["skill"]),
        _ends(row["ci"]),
    )


def _pair_lists(difficulty: Figures) -> tuple[PairList, ...]:
    """Return the hard and the easy pairs of all, and of each method where there are several."""
    lists = [
        PairList(_("Hard pairs"), _pairs(difficulty["hardest"])),
        PairList(_("Easy pairs"), _pairs(difficulty["easiest"])),
    ]
    methods = difficulty["by_method"]
    for one in methods if len(methods) > 1 else ():
        words = {"method": one["method"]}
        lists.append(PairList(_("Hard pairs of %(method)s") % words, _pairs(one.get("hardest", ()))))
        lists.append(PairList(_("Easy pairs of %(method)s") % words, _pairs(one.get("easiest", ()))))
    return tuple(one for one in lists if one.rows)


def _pairs(rows: Sequence[Figures]) -> tuple[DifficultyRow, ...]:
    return tuple(
        DifficultyRow(
            " · ".join(filter(None, [row.get("title") or str(row["number"]), row.get("poet")])),
            row["method"],
            count(row["answered"]),
            signed(row["difficulty"]),
            _ends(row["ci"]),
            "zh-Hans" if is_chinese(row.get("title", "")) else "en",
        )
        for row in rows
    )


def _rows(scopes: Sequence[Figures], kind: Kind) -> tuple[FigureRow, ...]:
    """Return the figures, one a row, in each scope; a boundary has no detection."""
    found: list[Figures] = [one.get("detection") or {} for one in scopes]
    learning: list[Figures] = [one.get("skill", {}).get("learning") or {} for one in scopes]

    def row(name: str, key: str, *, is_share: bool = False, is_main: bool = False) -> FigureRow:
        return FigureRow(name, tuple(_cell(one.get(key), is_share=is_share) for one in found), is_main)

    learnt = FigureRow(
        _("Learning with each round, skill and difficulty taken out"),
        tuple(
            f"{_points(one.get('estimate'))} ({_points_ends(one.get('ci'))}), p {p_number(one.get('p'))}"
            if one
            else DASH
            for one in learning
        ),
    )
    surface = FigureRow(
        _("For comparison: the best classifier that sees the texts’ surface only"),
        tuple(_surface(one.get("superficial")) for one in scopes),
    )
    if kind == Kind.BOUNDARY:
        guessing = FigureRow(
            _("For comparison: guessing"), tuple(percent(one.get("guessing")) for one in scopes)
        )
        return (guessing, surface, learnt)
    lean = (
        _("c: above zero, players lean to the right side")
        if kind.shows_two
        else _("c: above zero, players lean to ‘a machine’")
    )
    return (
        FigureRow(_("Players"), tuple(count(one["players"]) if one else DASH for one in found)),
        row(_("Right answers"), "right", is_share=True),
        row(_("d′: how well players tell"), "d_prime", is_main=True),
        surface,
        row(lean, "bias"),
        row(_("Area under the ROC"), "area"),
        row(_("dₐ of the ROC, √2 z(area)"), "d_a"),
        row(_("Over-confidence"), "overconfidence", is_share=True),
        learnt,
    )


def _surface(found: Figures | None) -> str:
    """Return how often the best classifier is right, and by what; what was measured before there were three is form."""
    if not found:
        return DASH
    by = {
        "form": _("by form"),
        "rarity": _("by rare characters"),
        "characters": _("by characters and neighbours"),
    }
    return f"{percent(found['share'])} ({interval(found['ci'])}), {by[found.get('by', 'form')]}"


def _cell(estimate: Figures | None, *, is_share: bool) -> str:
    """Return a figure with its interval, or in a word why it is left out."""
    if estimate is None:
        return DASH
    if estimate["value"] is None:
        return {
            "one_side": _("left out: only one side was shown"),
            "one_confidence": _("left out: only one confidence was used"),
            "no_confidence": _("left out: nobody said how sure they were"),
        }[estimate["note"]]
    if is_share:
        return f"{percent(estimate['value'])} ({interval(estimate['ci'], is_cut=False)})"
    return f"{decimal(estimate['value'])} ({_ends(estimate['ci'])})"


def _ends(ci: Sequence[float] | None) -> str:
    if ci is None:
        return DASH
    words = _("%(low)s to %(high)s") % {"low": decimal(ci[0]), "high": decimal(ci[1])}
    return words.replace(" ", SPACE)


def _points(change: float | None) -> str:
    return DASH if change is None else f"{signed(100 * change)}{SPACE}%"


def _points_ends(ci: Sequence[float] | None) -> str:
    if ci is None:
        return DASH
    words = _("%(low)s to %(high)s") % {"low": signed(100 * ci[0]), "high": f"{signed(100 * ci[1])}{SPACE}%"}
    return words.replace(" ", SPACE)
