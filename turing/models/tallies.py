"""Sums over answered rounds, so that the results never read the rounds themselves.

`turing.results.counting` alone writes them.

Every sum is kept in each scope. With n answers and s selections (the machine's text taken for the human one) of a
player, `player_nn`, `player_ns` and `player_ss` are the sums over players of n², n s and s². With a rate r the squared
residuals of clusters add up to sum(s - n r)² = ss - 2 r ns + r² nn, which is all that a cluster-robust variance needs;
likewise by pair, and by player and pair together (`both_...`).
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from turing.models.games import Player
from turing.models.pairs import PoemPair


class Scope(models.TextChoices):
    """Which rounds are in a sum."""

    ALL = "all", _("all records")
    UNFLAGGED = "unflagged", _("without flagged records")


def scope_known(model: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(scope__in=["all", "unflagged"]), name=f"{model}_scope_known")


class PairTally(models.Model):
    """All answers to one pair."""

    pair = models.ForeignKey(PoemPair, on_delete=models.CASCADE, related_name="tallies", db_index=False)
    scope = models.CharField(max_length=9, choices=Scope)
    answered = models.PositiveIntegerField()
    selected = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pair", "scope"], name="pair_tally_once"),
            models.CheckConstraint(condition=Q(selected__lte=models.F("answered")), name="pair_tally_sum"),
            scope_known("pair_tally"),
        ]

    def __str__(self) -> str:
        return f"{self.selected} of {self.answered} for pair {self.pair_id}"


class PlayerTally(models.Model):
    """All answers of one player. `first_selected` is of their first completed game, null before."""

    player = models.ForeignKey(Player, on_delete=models.CASCADE, related_name="tallies", db_index=False)
    scope = models.CharField(max_length=9, choices=Scope)
    answered = models.PositiveIntegerField()
    selected = models.PositiveIntegerField()
    first_selected = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["player", "scope"], name="player_tally_once"),
            models.CheckConstraint(condition=Q(selected__lte=models.F("answered")), name="player_tally_sum"),
            scope_known("player_tally"),
        ]

    def __str__(self) -> str:
        return f"{self.selected} of {self.answered} by player {self.player_id}"


class RoundTally(models.Model):
    """All answers of a day (UTC) to rounds of one number; `chose_left` counts those for the left text."""

    day = models.DateField()
    number = models.PositiveSmallIntegerField()
    scope = models.CharField(max_length=9, choices=Scope)
    answered = models.PositiveIntegerField()
    selected = models.PositiveIntegerField()
    chose_left = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope", "day", "number"], name="round_tally_once"),
            models.CheckConstraint(
                condition=Q(selected__lte=models.F("answered"), chose_left__lte=models.F("answered")),
                name="round_tally_sum",
            ),
            scope_known("round_tally"),
        ]

    def __str__(self) -> str:
        return f"{self.selected} of {self.answered} in rounds {self.number} on {self.day}"


class DayTally(models.Model):
    """What a day (UTC) has added to every sum; summed up to a day they are the state at its end.

    `players` and `pairs` are those with their first answer, `first_games` the players who completed their first
    game; `first_selected` and `first_selected_squares` sum its selections (0 to 5) and their squares.
    """

    day = models.DateField()
    scope = models.CharField(max_length=9, choices=Scope)
    answered = models.PositiveIntegerField(default=0)
    selected = models.PositiveIntegerField(default=0)
    players = models.PositiveIntegerField(default=0)
    pairs = models.PositiveIntegerField(default=0)
    player_nn = models.BigIntegerField(default=0)
    player_ns = models.BigIntegerField(default=0)
    player_ss = models.BigIntegerField(default=0)
    pair_nn = models.BigIntegerField(default=0)
    pair_ns = models.BigIntegerField(default=0)
    pair_ss = models.BigIntegerField(default=0)
    both_nn = models.BigIntegerField(default=0)
    both_ns = models.BigIntegerField(default=0)
    both_ss = models.BigIntegerField(default=0)
    first_games = models.PositiveIntegerField(default=0)
    first_selected = models.PositiveIntegerField(default=0)
    first_selected_squares = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope", "day"], name="day_tally_once"),
            scope_known("day_tally"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} records of {self.day}"
