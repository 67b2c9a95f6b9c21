"""The results of live conversations: how often machines are taken for the human, by model and persona.

Every verdict of a chat that nobody reported is one record. Its interval is clustered by interrogators and by human
witnesses; the verdict in three takes of each interrogator the first chat alone, so that one may look at any time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from stats.game.detection import FEWEST_PLAYERS, SHAPE, detection
from stats.game.selection import DEFAULT_MARGIN, Verdict, selection_rate, verdict
from stats.mixed import Interval
from stats.reports.numbers import DASH, count, decimal
from stats.sequences import beta_mixture_sequence
from turing.models import Chat, Seat, Side
from turing.results.wording import interval, percent, verdict_name

# Of so many verdicts, the latest, the results are made.
MOST = 200_000


@dataclass(frozen=True)
class Judged:
    """One verdict: who was asked by whom, and what was said."""

    persona: str
    model: str
    interrogator: int
    witness: int
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


def judged_chats() -> list[Judged]:
    """Return the verdicts in the order in which they were given, in two queries."""
    rows = (
        Chat.objects.filter(verdict__isnull=False, reported_at=None)
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
        (chat, role): player
        for chat, role, player in Seat.objects.filter(chat__verdict__isnull=False).values_list(
            "chat", "role", "player"
        )
    }
    return [
        Judged(
            f"{name} {version}",
            model,
            seats[pk, Seat.Role.INTERROGATOR],
            seats[pk, Seat.Role.WITNESS],
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
    first = {one.interrogator: one.taken for one in reversed(judged)}
    sequence = beta_mixture_sequence(sum(first.values()), len(first))
    by_player = np.zeros((interrogators, *SHAPE))
    for one, player in zip(judged, asked, strict=True):
        by_player[
            player, int(one.human_side == Side.RIGHT), int(one.choice == Side.RIGHT), one.confidence or 0
        ] += 1
    flat = by_player.reshape(interrogators, -1)
    found = detection(by_player.sum(axis=0), flat.T @ flat, interrogators, forced_choice=True)
    return LiveGroup(
        persona,
        model,
        len(judged),
        interrogators,
        taken,
        rate.rate,
        rate.clustered.ci if rate.clustered else None,
        sequence.ci,
        verdict(sequence.ci),
        asdict(found.d_prime) if found else None,
    )


def live_groups() -> tuple[LiveGroup, ...]:
    """Return what all chats show, and those with each persona by its model, the most played first."""
    judged = judged_chats()
    by_persona: dict[tuple[str, str], list[Judged]] = {}
    for one in judged:
        by_persona.setdefault((one.persona, one.model), []).append(one)
    groups = [group_of(of, *key) for key, of in by_persona.items()]
    return (group_of(judged), *sorted(groups, key=lambda group: (-group.chats, group.persona, group.model)))


def live_dict(groups: Sequence[LiveGroup]) -> dict[str, Any]:
    """Return the results as JSON holds them."""
    whole, *others = (asdict(group) for group in groups)
    return {"fewest_interrogators": FEWEST_PLAYERS, "all": whole, "by_persona": others}
