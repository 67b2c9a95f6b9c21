"""What the page of the game's results shows: the figures of `turing.results.figures` as words, tables and plots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from stats.game.selection import SelectionRate
from stats.reports.numbers import DASH, count, e_number, p_number
from turing.models import Scope
from turing.results.figures import (
    FEWEST_PAIRS_OF_POET,
    POETS_SHOWN,
    Breakdown,
    ExtremePairs,
    Group,
    LiveResults,
    PairShare,
    ScopeResults,
    Share,
)
from turing.results.plots import Bar, Scale, SequencePlot, bar, scale_of, sequence_plot, sequence_scale
from turing.results.wording import form_label, interval, percent, verdict_sentence, verdict_words


@dataclass(frozen=True)
class ScopeView:
    """One scope's verdict and plot."""

    key: str
    title: str
    verdict: str
    sentence: str
    players: str
    units: int
    plot: SequencePlot | None
    # What the plot shows, for those who do not see it.
    alternative: str


@dataclass(frozen=True)
class FigureRow:
    """One figure, in each scope; the main one stands out."""

    name: str
    cells: tuple[str, ...]
    is_main: bool = False


@dataclass(frozen=True)
class LiveView:
    """The part of the page that is brought up to date while it is looked at.

    `state` changes with every record that is counted.
    """

    state: str
    as_of: datetime
    scopes: tuple[ScopeView, ...]
    figures: tuple[FigureRow, ...]
    independent: tuple[FigureRow, ...]
    flagged: str
    has_records: bool


@dataclass(frozen=True)
class ShareRow:
    """One group of records in one scope."""

    name: str
    total: str
    rate: str
    ci: str
    bar: Bar
    p: str


@dataclass(frozen=True)
class ShareTable:
    """A table of shares in one scope, all on one scale."""

    scope: str
    rows: tuple[ShareRow, ...]


@dataclass(frozen=True)
class ShareSection:
    """A part of the page: the same table in each scope. `is_text` is whether its names are texts of the game."""

    key: str
    title: str
    notes: tuple[str, ...]
    names: str
    low: str
    high: str
    tables: tuple[ShareTable, ...]
    is_text: bool = False
    has_p: bool = False


@dataclass(frozen=True)
class PairTable:
    """The hardest or the easiest pairs in one scope."""

    scope: str
    rows: tuple[tuple[PairShare, str], ...]


@dataclass(frozen=True)
class PairSection:
    key: str
    title: str
    tables: tuple[PairTable, ...]


def live_view(live: LiveResults) -> LiveView:
    """Return the figures, the verdicts and the plots."""
    scopes = live.scopes
    scale = sequence_scale([one.sequence.ci for one in scopes.values() if one.sequence.units])
    return LiveView(
        state="-".join(
            f"{one.rate.total}.{one.rate.selected}.{one.sequence.units}" for one in scopes.values()
        ),
        as_of=timezone.now(),
        scopes=tuple(_scope_view(scope, one, live, scale) for scope, one in scopes.items()),
        figures=_figures(list(scopes.values())),
        independent=_independent(list(scopes.values())),
        flagged=count(live.flagged),
        has_records=scopes[Scope.ALL].rate.total > 0,
    )


def _scope_view(scope: Scope, results: ScopeResults, live: LiveResults, scale: Scale) -> ScopeView:
    sequence = results.sequence
    return ScopeView(
        key=scope.value,
        title=title_of(scope),
        verdict=verdict_words(results, live.margin),
        sentence=verdict_sentence(results, live),
        players=count(sequence.units),
        units=sequence.units,
        plot=sequence_plot(results.moments, scale, live.margin),
        alternative=_("Confidence sequence over time, now %(estimate)s (%(interval)s)")
        % {"estimate": percent(sequence.estimate), "interval": interval(sequence.ci)},
    )


def title_of(scope: Scope) -> str:
    """Return a scope as a title."""
    return str(capfirst(scope.label))


def _figures(scopes: Sequence[ScopeResults]) -> tuple[FigureRow, ...]:
    rates, sequences = [one.rate for one in scopes], [one.sequence for one in scopes]
    return (
        _row(_("Records"), rates, lambda rate: count(rate.total)),
        _row(_("Players"), rates, lambda rate: count(rate.players)),
        _row(_("Pairs played"), rates, lambda rate: count(rate.pairs)),
        _row(_("Machine’s text selected"), rates, lambda rate: count(rate.selected)),
        _row(_("Human text selected"), rates, lambda rate: count(rate.total - rate.selected)),
        _row(_("Selection rate of the machine"), rates, lambda rate: percent(rate.rate), is_main=True),
        _row(_("Selection rate of the human"), rates, _human_rate),
        _row(_("95 % interval, clustered by player and pair"), rates, _clustered),
        FigureRow(_("Players with a completed game"), tuple(count(one.units) for one in sequences)),
        FigureRow(_("Rate of these first games"), tuple(percent(one.estimate) for one in sequences)),
        FigureRow(
            _("95 % confidence sequence of this rate"),
            tuple(interval(one.ci if one.units else None) for one in sequences),
        ),
    )


def _row(
    name: str, rates: Sequence[SelectionRate], words: Callable[[SelectionRate], str], *, is_main: bool = False
) -> FigureRow:
    return FigureRow(name, tuple(words(rate) for rate in rates), is_main)


def _human_rate(rate: SelectionRate) -> str:
    return percent(None if rate.rate is None else 1 - rate.rate)


def _clustered(rate: SelectionRate) -> str:
    return interval(rate.clustered.ci if rate.clustered else None)


def _independent(scopes: Sequence[ScopeResults]) -> tuple[FigureRow, ...]:
    """Return what would hold if all records were independent, which those of one player or pair are not."""
    rates = [one.rate for one in scopes]
    return (
        _row(_("Wilson’s 95 % interval"), rates, lambda rate: interval(rate.wilson)),
        _row(_("Exact binomial p-value against one half"), rates, lambda rate: p_number(rate.exact_p)),
        FigureRow(_("e-value against one half"), tuple(e_number(one.log_e) for one in scopes)),
        FigureRow(
            _("95 % confidence sequence of the records"),
            tuple(interval(one.record_sequence.ci if one.rate.total else None) for one in scopes),
        ),
        _row(
            _("d′ of the players"),
            rates,
            lambda rate: DASH if rate.d_prime is None else f"{rate.d_prime:.3f}".replace("-", "−"),
        ),
    )


def share_sections(parts: Breakdown) -> tuple[ShareSection, ...]:
    """Return the breakdowns that there are records for."""
    of_pairs = _("The intervals are robust to pairs; that players differ is not in them.")
    independent = _("The intervals are Wilson’s, as if all records were independent.")
    sections = (
        _section(
            "form",
            _("By form"),
            (of_pairs,),
            _("Form"),
            [(form_label(one.key), one) for one in parts.by_form],
        ),
        _section(
            "poet",
            _("By poet"),
            (
                _(
                    "Poets of the human text with at least %(fewest)d pairs, the %(most)d with the most records."
                )
                % {"fewest": FEWEST_PAIRS_OF_POET, "most": POETS_SHOWN},
                of_pairs,
            ),
            _("Poet"),
            [(one.key, one) for one in parts.by_poet],
            is_text=True,
        ),
        _section(
            "round",
            _("By round of the game"),
            (independent,),
            _("Round"),
            [(one.key, one) for one in parts.by_round],
        ),
        _section(
            "side",
            _("By side"),
            (
                _("How often the text on the left was taken for the human one, wherever that was."),
                independent,
            ),
            _("Side taken"),
            [(_("left"), parts.left)],
            has_p=True,
        ),
    )
    return tuple(section for section in sections if section.tables[0].rows)


def _section(
    key: str,
    title: str,
    notes: tuple[str, ...],
    names: str,
    groups: Sequence[tuple[str, Group]],
    *,
    is_text: bool = False,
    has_p: bool = False,
) -> ShareSection:
    scale = scale_of([share for _name, group in groups for share in group.shares.values()])
    tables = tuple(
        ShareTable(
            title_of(scope),
            tuple(
                _share_row(name, group.shares[scope], scale)
                for name, group in groups
                if group.shares[scope].total
            ),
        )
        for scope in Scope
    )
    low, high = f"{100 * scale.low:.0f}", f"{100 * scale.high:.0f}"
    return ShareSection(key, title, notes, names, low, high, tables, is_text, has_p)


def _share_row(name: str, share: Share, scale: Scale) -> ShareRow:
    return ShareRow(
        name,
        count(share.total),
        percent(share.rate),
        interval(share.ci),
        bar(share, scale),
        p_number(share.p),
    )


def pair_sections(extremes: dict[Scope, ExtremePairs]) -> tuple[PairSection, ...]:
    """Return the tables of the hardest and of the easiest pairs."""

    def tables(pairs: Callable[[ExtremePairs], Sequence[PairShare]]) -> tuple[PairTable, ...]:
        return tuple(
            PairTable(title_of(scope), tuple((pair, percent(pair.rate)) for pair in pairs(one)))
            for scope, one in extremes.items()
        )

    return (
        PairSection("hardest", _("Hardest pairs"), tables(lambda one: one.hardest)),
        PairSection("easiest", _("Easiest pairs"), tables(lambda one: one.easiest)),
    )
