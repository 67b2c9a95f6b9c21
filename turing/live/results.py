"""The results of live conversations: how often machines are taken for the human, by model and persona.

Every verdict is one record; a chat that a report broke off has none, and how many these are is said. The interval is
clustered by interrogators and by human witnesses; the verdict in three takes of each interrogator the first chat alone,
so that one may look at any time. The workers measure at most once a minute, and pages read what was measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from stats.game.detection import FEWEST_PLAYERS, SHAPE, detection
from stats.game.fragility import Fragility, fragility, verdict_of_first_games
from stats.game.selection import DEFAULT_MARGIN, Verdict, selection_rate
from stats.mixed import Interval
from stats.reports.numbers import DASH, count, decimal
from stats.sequences import beta_mixture_sequence
from turing.models import Chat, LiveResults, Seat, Side
from turing.models import Verdict as StoredVerdict
from turing.results.wording import interval, percent, verdict_name

# Of so many verdicts, the latest, the results are made.
MOST = 200_000
EVERY = timedelta(minutes=1)
# So many of the addresses with the most interrogators are looked at: where none of them decides, none does.
ORIGINS = 10


@dataclass(frozen=True)
class Judged:
    """One verdict: who was asked by whom, and what was said."""

    persona: str
    model: str
    interrogator: int
    witness: int
    origin: str
    human_side: str
    choice: str
    confidence: int | None

    @property
    def taken(self) -> bool:
        """Whether the machine was taken for the human."""
        return self.choice != self.human_side


@dataclass(frozen=True)
class LiveGroup:
    """What the chats with one persona show, or all; nothing but counts below thirty interrogators."""

    persona: str
    model: str
    chats: int
    interrogators: int
    taken: int
    rate: float | None = None
    ci: Interval | None = None
    sequence: Interval | None = None
    verdict: Verdict | None = None
    d_prime: dict[str, Any] | None = None
    # Without how few first conversations the verdict would be another one, and whether one address holds it up.
    fragility: dict[str, Any] | None = None
    without_one: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        if not self.persona:
            return _("all")
        return f"{self.persona} ({self.model or _('the rules of this site')})"

    @property
    def cells(self) -> tuple[str, ...]:
        """What its row of the table says."""
        if self.rate is None:
            return (count(self.chats), count(self.interrogators), DASH, DASH, DASH, DASH)
        value = (self.d_prime or {}).get("value")
        return (
            count(self.chats),
            count(self.interrogators),
            percent(self.rate),
            interval(self.ci),
            verdict_name(self.verdict, DEFAULT_MARGIN) if self.verdict else DASH,
            DASH if value is None else decimal(value),
        )

    @property
    def fragile(self) -> tuple[str, ...]:
        """What it says of how little holds its verdict up."""
        if self.fragility is None or self.without_one is None:
            return ()
        said = [_("No number of conversations left out would change the verdict.")]
        if self.fragility["rounds"] is not None:
            said = [
                _(
                    "The verdict falls without %(few)s of %(all)s first conversations: it would be “%(becomes)s”."
                )
                % {
                    "few": count(self.fragility["rounds"]),
                    "all": count(self.interrogators),
                    "becomes": verdict_name(self.fragility["becomes"], DEFAULT_MARGIN),
                }
            ]
        largest = {"largest": count(self.without_one["largest"]), "all": count(self.interrogators)}
        if becomes := self.without_one["becomes"]:
            said.append(
                _("Without one address with %(largest)s of %(all)s interrogators it would be “%(becomes)s”.")
                % (largest | {"becomes": verdict_name(becomes, DEFAULT_MARGIN)})
            )
        elif self.without_one["largest"]:
            said.append(
                _(
                    "Without any single address it stays; the largest has %(largest)s of %(all)s interrogators."
                )
                % largest
            )
        return tuple(said)


def judged_chats() -> list[Judged]:
    """Return the verdicts in the order in which they were given, in two queries."""
    rows = (
        Chat.objects.filter(verdict__isnull=False)
        .order_by("-verdict__given_at", "-pk")
        .values_list(
            "pk",
            "persona__name",
            "persona__version",
            "persona__model",
            "human_side",
            "verdict__choice",
            "verdict__confidence",
        )[:MOST]
    )
    chats = list(rows)[::-1]
    seats = {
        (chat, role): (player, origin)
        for chat, role, player, origin in Seat.objects.filter(chat__verdict__isnull=False).values_list(
            "chat", "role", "player", "origin"
        )
    }
    return [
        Judged(
            f"{name} {version}",
            model,
            seats[pk, Seat.Role.INTERROGATOR][0],
            seats[pk, Seat.Role.WITNESS][0],
            seats[pk, Seat.Role.INTERROGATOR][1],
            human_side,
            choice,
            confidence,
        )
        for pk, name, version, model, human_side, choice, confidence in chats
    ]


def group_of(judged: Sequence[Judged], persona: str = "", model: str = "") -> LiveGroup:
    """Return what some verdicts show."""
    interrogators = len({one.interrogator for one in judged})
    taken = sum(one.taken for one in judged)
    if interrogators < FEWEST_PLAYERS:
        return LiveGroup(persona, model, len(judged), interrogators, taken)
    _, asked = np.unique([one.interrogator for one in judged], return_inverse=True)
    _, answered = np.unique([one.witness for one in judged], return_inverse=True)
    rate = selection_rate(np.array([one.taken for one in judged]), asked, answered)
    first = list({one.interrogator: one for one in reversed(judged)}.values())
    shares = taken_or_not(first)
    by_player = np.zeros((interrogators, *SHAPE))
    for one, player in zip(judged, asked, strict=True):
        by_player[
            player, int(one.human_side == Side.RIGHT), int(one.choice == Side.RIGHT), one.confidence or 0
        ] += 1
    flat = by_player.reshape(interrogators, -1)
    found = detection(by_player.sum(axis=0), flat.T @ flat, interrogators, forced_choice=True)
    holds: Fragility = fragility(shares, rounds=1)
    return LiveGroup(
        persona,
        model,
        len(judged),
        interrogators,
        taken,
        rate.rate,
        rate.clustered.ci if rate.clustered else None,
        beta_mixture_sequence(shares[1], sum(shares)).ci,
        verdict_of_first_games(shares, rounds=1),
        asdict(found.d_prime) if found else None,
        asdict(holds),
        without_one(first),
    )


def taken_or_not(judged: Iterable[Judged]) -> list[int]:
    """Return in how many the machine was not taken for the human, and in how many it was."""
    taken = [one.taken for one in judged]
    return [len(taken) - sum(taken), sum(taken)]


def without_one(first: Sequence[Judged]) -> dict[str, Any]:
    """Return how many interrogators the largest address has, and what the verdict becomes without one that decides."""
    before = verdict_of_first_games(taken_or_not(first), rounds=1)
    origins = Counter(one.origin for one in first if one.origin).most_common(ORIGINS)
    for origin, games in origins:
        rest = taken_or_not(one for one in first if one.origin != origin)
        if (becomes := verdict_of_first_games(rest, rounds=1)) != before:
            return {"largest": games, "becomes": becomes}
    return {"largest": origins[0][1] if origins else 0, "becomes": None}


def live_groups() -> tuple[LiveGroup, ...]:
    """Return what all chats show, and those with each persona by its model, the most played first."""
    judged = judged_chats()
    by_persona: dict[tuple[str, str], list[Judged]] = {}
    for one in judged:
        by_persona.setdefault((one.persona, one.model), []).append(one)
    groups = [group_of(of, *key) for key, of in by_persona.items()]
    return (group_of(judged), *sorted(groups, key=lambda group: (-group.chats, group.persona, group.model)))


def measure_live() -> bool:
    """Measure the verdicts anew if there are others, unless that was done within the last minute."""
    verdicts, broken_off = StoredVerdict.objects.count(), Chat.objects.broken_off().count()
    row, _is_new = LiveResults.objects.get_or_create(pk=1)
    if (row.verdicts, row.broken_off) == (verdicts, broken_off):
        return False
    due = Q(measured_at=None) | Q(measured_at__lt=Now() - EVERY)
    if not LiveResults.objects.filter(due, pk=1).update(measured_at=Now()):
        return False
    whole, *others = (asdict(group) for group in live_groups())
    figures = {
        "fewest_interrogators": FEWEST_PLAYERS,
        "broken_off": broken_off,
        "all": whole,
        "by_persona": others,
    }
    LiveResults.objects.filter(pk=1).update(figures=figures, verdicts=verdicts, broken_off=broken_off)
    return True


def measured_figures() -> dict[str, Any]:
    """Return what was measured last, as JSON holds it; before the first verdict there is nothing in it. One query."""
    row = LiveResults.objects.filter(pk=1).first()
    nothing = asdict(LiveGroup("", "", 0, 0, 0))
    found = row.figures if row and row.figures else {"broken_off": 0, "all": nothing, "by_persona": []}
    measured_at = row.measured_at.isoformat() if row and row.measured_at else None
    return {"fewest_interrogators": FEWEST_PLAYERS, "measured_at": measured_at} | found


def measured_groups(figures: dict[str, Any]) -> tuple[LiveGroup, ...]:
    """Return the groups of what was measured, that of all first."""
    return tuple(LiveGroup(**one) for one in (figures["all"], *figures["by_persona"]))
