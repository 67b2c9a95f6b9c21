"""The results of the game, from the tallies only: what they cost does not grow with the rounds.

- `live_results`: the rate, its confidence sequence over time and the verdict;
- `breakdown`: by form, poet and round, and how often the left text is taken;
- `extreme_pairs`: the hardest and the easiest pairs (for staff: they are a hint at what is still to be played).
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, ExpressionWrapper, FloatField, Sum
from django.db.models.functions import Cast

from generation.texts.normalising import is_chinese
from stats.game.selection import (
    CHANCE,
    DEFAULT_MARGIN,
    SelectionRate,
    Verdict,
    exact_binomial_p,
    verdict,
    wilson_interval,
)
from stats.game.tallied import ClusterSums, selection_rate_of_sums, share_interval, share_sequence_of_sums
from stats.mixed import Interval
from stats.sequences import ConfidenceSequence, beta_mixture_log_e, beta_mixture_sequence
from turing.models import (
    ROUNDS_IN_GAME,
    DayTally,
    Form,
    PairTally,
    PoemPair,
    Results,
    RoundTally,
    Scope,
    Side,
    belong_to,
)

# Fewer say more of their pairs than of the poet, and would be a hint at one of them.
FEWEST_PAIRS_OF_POET = 3
POETS_SHOWN = 20
PAIRS_SHOWN = 10
# As many answers at the overall rate are added to a pair's own, so that two lucky ones do not make it the hardest.
PRIOR_ANSWERS = 10

# By key and scope: how many pairs, and the sums of n, s, n², n s and s² over them.
PairSums = list[int]
GroupSums = dict[str, dict[Scope, PairSums]]
PAIRS, ANSWERED = 0, 1
# A pair, its selections and its answers.
Tally = tuple[int, int, int]

PLAIN_SUMS = (
    "answered", "selected", "players", "pairs", "player_nn", "player_ns", "player_ss", "pair_nn", "pair_ns",
    "pair_ss", "both_nn", "both_ns", "both_ss",
)  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """The end of a day (UTC): how many players had completed a game, and the sums of their selections in it."""

    day: date
    players: int
    selected: int
    squares: int

    @property
    def sequence(self) -> ConfidenceSequence:
        """Return the confidence sequence at this moment; worked out when asked, for most moments are never drawn."""
        return share_sequence_of_sums(self.players, self.selected, self.squares, rounds=ROUNDS_IN_GAME)


@dataclass(frozen=True)
class ScopeResults:
    """What the records of one scope show.

    `record_sequence` and `log_e` (against one half) take every record for a unit, as if all were independent.
    """

    rate: SelectionRate
    sequence: ConfidenceSequence
    verdict: Verdict
    moments: tuple[Moment, ...]
    record_sequence: ConfidenceSequence
    log_e: float


@dataclass(frozen=True)
class LiveResults:
    """Both scopes, and how many records are in the one and not in the other."""

    margin: float
    scopes: dict[Scope, ScopeResults]

    @property
    def flagged(self) -> int:
        """Return how many records are left out of the filtered figures."""
        return self.scopes[Scope.ALL].rate.total - self.scopes[Scope.UNFLAGGED].rate.total


@dataclass(frozen=True)
class Share:
    """So many of `total` records, with an interval where there is one; `p` is against one half."""

    selected: int
    total: int
    ci: Interval | None
    p: float | None = None

    @property
    def rate(self) -> float | None:
        return self.selected / self.total if self.total else None


@dataclass(frozen=True)
class Group:
    """Some of the records, by a key; `pairs` is how many pairs they are of, 0 where that was not counted."""

    key: str
    shares: dict[Scope, Share]
    pairs: int = 0


@dataclass(frozen=True)
class Breakdown:
    """The selection rate of parts of the records; `left` is the share in which the left text was taken."""

    by_form: tuple[Group, ...]
    by_poet: tuple[Group, ...]
    by_round: tuple[Group, ...]
    left: Group


@dataclass(frozen=True)
class PairShare:
    """How often the machine's text of one pair was taken for the human one."""

    number: int
    genre: str
    title: str
    poet: str
    selected: int
    total: int

    @property
    def rate(self) -> float:
        return self.selected / self.total

    @property
    def language(self) -> str:
        """Return the language of the title and the poet, as HTML names it."""
        return "zh-Hans" if is_chinese(self.title) else "en"


@dataclass(frozen=True)
class ExtremePairs:
    """The pairs whose machine text is taken for the human one most and least often."""

    hardest: tuple[PairShare, ...]
    easiest: tuple[PairShare, ...]


def live_results(of: Results | None = None, margin: float = DEFAULT_MARGIN) -> LiveResults:
    """Return the results in both scopes; equivalent is what lies within `margin` of one half. Two queries.

    `of` says which results, here and below: without it those of all games with pairs.
    """
    rows: Any = DayTally.objects.filter(belong_to(of)).values("scope").annotate(**_sums_of(PLAIN_SUMS))
    sums = {row["scope"]: row for row in rows}
    moments, chance = _moments(of), wrong_by_chance(of)
    return LiveResults(
        margin,
        {scope: _scope_results(sums.get(scope, {}), moments[scope], margin, chance) for scope in Scope},
    )


def wrong_by_chance(of: Results | None) -> float:
    """Return how often a guess is wrong: in half of the rounds; of a boundary as its texts have it."""
    measured: float = of.figures.get(Scope.ALL, {}).get("guessing", CHANCE) if of else CHANCE
    return 1 - measured


def _sums_of(names: Sequence[str]) -> dict[str, Sum]:
    return {f"sum_{name}": Sum(name) for name in names}


def _scope_results(
    row: Mapping[str, Any], moments: Sequence[Moment], margin: float, chance: float
) -> ScopeResults:
    sums = {name: int(row.get(f"sum_{name}") or 0) for name in PLAIN_SUMS}
    selected, total = sums["selected"], sums["answered"]

    def clusters(kind: str, count: int) -> ClusterSums:
        return ClusterSums(count, sums[f"{kind}_nn"], sums[f"{kind}_ns"], sums[f"{kind}_ss"])

    rate = selection_rate_of_sums(
        selected,
        total,
        players=clusters("player", sums["players"]),
        pairs=clusters("pair", sums["pairs"]),
        # How often a player had the same pair again is not counted. Taking every record for the only one of its
        # player and pair makes the error larger, by one part in `total` at most.
        both=clusters("both", total),
    )
    sequence = (moments[-1] if moments else Moment(date.min, 0, 0, 0)).sequence
    return ScopeResults(
        rate=rate,
        sequence=sequence,
        verdict=verdict(sequence.ci, margin, chance),
        moments=tuple(moments),
        record_sequence=beta_mixture_sequence(selected, total),
        log_e=beta_mixture_log_e(selected, total, CHANCE),
    )


def _moments(of: Results | None) -> dict[Scope, list[Moment]]:
    """Return the end of each day by which a player had completed a game."""
    days = (
        DayTally.objects.filter(belong_to(of))
        .order_by("day")
        .values_list("scope", "day", "first_games", "first_selected", "first_selected_squares")
    )
    moments: dict[Scope, list[Moment]] = {scope: [] for scope in Scope}
    for name, day, games, selected, squares in days:
        so_far = moments[Scope(name)]
        if so_far:
            last = so_far[-1]
            games, selected, squares = last.players + games, last.selected + selected, last.squares + squares
        if games:
            so_far.append(Moment(day, games, selected, squares))
    return moments


def breakdown(of: Results | None = None) -> Breakdown:
    """Return the selection rate of parts of the records. Two queries.

    The intervals by form and poet are robust to pairs, not to players; those by round and side are of independent
    records: of a part no more is kept.
    """
    forms, poets = _sums_by_text(of)
    by_round, left = _by_round(of)
    order = [form.value for form in Form]
    enough = [key for key, sums in poets.items() if key and sums[Scope.ALL][PAIRS] >= FEWEST_PAIRS_OF_POET]
    most = sorted(enough, key=lambda key: (-poets[key][Scope.ALL][ANSWERED], key))[:POETS_SHOWN]
    return Breakdown(
        by_form=tuple(_group(key, forms[key]) for key in [*order, ""] if key in forms),
        by_poet=tuple(_group(key, poets[key]) for key in most),
        by_round=by_round,
        left=left,
    )


def _sums_by_text(of: Results | None) -> tuple[GroupSums, GroupSums]:
    """Return the sums over pairs by form and by poet of the human text; a question has neither. One query."""
    # As floats, which hold whole numbers up to 9e15: the product of two integers might not fit into one.
    n, s = (Cast(name, FloatField()) for name in ("answered", "selected"))
    rows = (
        PairTally.objects.filter(belong_to(of))
        .values_list("scope", "pair__human__source_text__form", "pair__human__source_text__author")
        .annotate(
            pairs=Count("pk"),
            n=Sum("answered"),
            s=Sum("selected"),
            nn=Sum(n * n),
            ns=Sum(n * s),
            ss=Sum(s * s),
        )
    )
    forms: GroupSums = defaultdict(_nothing)
    poets: GroupSums = defaultdict(_nothing)
    for scope, form, poet, *values in rows:
        for sums in (forms[form or ""][scope], poets[poet or ""][scope]):
            sums[:] = map(operator.add, sums, values)
    return forms, poets


def _nothing() -> dict[Scope, PairSums]:
    return {scope: [0] * 6 for scope in Scope}


def _group(key: str, sums: Mapping[Scope, PairSums]) -> Group:
    shares = {scope: _share_of_pairs(*map(int, of_scope)) for scope, of_scope in sums.items()}
    return Group(key, shares, sums[Scope.ALL][PAIRS])


def _share_of_pairs(pairs: int, n: int, s: int, nn: int, ns: int, ss: int) -> Share:
    return Share(s, n, share_interval(s, n, ClusterSums(pairs, nn, ns, ss)))


def _by_round(of: Results | None) -> tuple[tuple[Group, ...], Group]:
    """Return the shares by number of the round, and that in which the left text was taken. One query."""
    rows = list(
        RoundTally.objects.filter(belong_to(of))
        .values_list("scope", "number")
        .annotate(n=Sum("answered"), s=Sum("selected"), left=Sum("chose_left"))
        .order_by("number")
    )
    groups = []
    for number in sorted({row[1] for row in rows}):
        counts = {Scope(scope): (s, n) for scope, of, n, s, _left in rows if of == number}
        groups.append(
            Group(str(number), {scope: _independent_share(*counts.get(scope, (0, 0))) for scope in Scope})
        )
    left = {
        scope: _independent_share(
            sum(row[4] for row in rows if row[0] == scope), sum(row[2] for row in rows if row[0] == scope)
        )
        for scope in Scope
    }
    return tuple(groups), Group(Side.LEFT, left)


def _independent_share(selected: int, total: int) -> Share:
    if not total:
        return Share(0, 0, None)
    return Share(selected, total, wilson_interval(selected, total), exact_binomial_p(selected, total))


def extreme_pairs(live: LiveResults, of: Results | None = None) -> dict[Scope, ExtremePairs]:
    """Return the hardest and the easiest pairs of each scope, by their rate drawn towards the overall one.

    Two queries a scope and one for the titles. A pair of a few answers is drawn far, one of hundreds hardly. No pair
    is in both lists.
    """
    tallies = {
        scope: _extreme_tallies(of, scope, results.rate.rate) for scope, results in live.scopes.items()
    }
    # Sorted without the titles, which only those at the ends need.
    found = {pair for ends in tallies.values() for end in ends for pair, _selected, _answered in end}
    titles = {
        pair: (number, genre, title, poet or "")
        for pair, number, genre, title, poet in PoemPair.objects.filter(pk__in=found).values_list(
            "pk", "number", "genre", "human__prompt__text", "human__source_text__author"
        )
    }

    def shares(end: Sequence[Tally]) -> tuple[PairShare, ...]:
        return tuple(PairShare(*titles[pair], selected, answered) for pair, selected, answered in end)

    return {scope: ExtremePairs(shares(hard), shares(easy)) for scope, (hard, easy) in tallies.items()}


def _extreme_tallies(
    of: Results | None, scope: Scope, overall: float | None
) -> tuple[list[Tally], list[Tally]]:
    prior = PRIOR_ANSWERS * (CHANCE if overall is None else overall)
    drawn = ExpressionWrapper(
        (Cast("selected", FloatField()) + prior) / (Cast("answered", FloatField()) + PRIOR_ANSWERS),
        output_field=FloatField(),
    )
    tallies = PairTally.objects.filter(belong_to(of), scope=scope).annotate(drawn=drawn)
    columns = tallies.values_list("pair_id", "selected", "answered")
    hardest = list(columns.order_by("-drawn", "-pair_id")[:PAIRS_SHOWN])
    easiest = list(columns.order_by("drawn", "pair_id")[:PAIRS_SHOWN])
    return hardest, [tally for tally in easiest if tally not in hardest]
