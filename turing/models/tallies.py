"""Sums over answered rounds, so that the results never read the rounds themselves.

`turing.results.counting` alone writes them; what is measured from them (`turing.results.measuring`) is a row of
`Results`.

Every sum is kept for each of the results that a round belongs to, in each scope. With n answers and s selections (the
machine's text taken for the human one) of a player, `player_nn`, `player_ns` and `player_ss` are the sums over players
of n², n s and s². With a rate r the squared residuals of clusters add up to sum(s - n r)² = ss - 2 r ns + r² nn, which
is all that a cluster-robust variance needs; likewise by pair, and by player and pair together (`both_...`).
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from turing.models.games import Kind, Player, Room
from turing.models.pairs import PoemPair


class Scope(models.TextChoices):
    """Which rounds are in a sum."""

    ALL = "all", _("all records")
    UNFLAGGED = "unflagged", _("without flagged records")


def scope_known(model: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(scope__in=["all", "unflagged"]), name=f"{model}_scope_known")


# The answers of a player by what was shown, what was said and how sure: `stats.game.detection.SHAPE`, flattened.
CELLS = 16
# The products of two of them, each once: 16 * 17 / 2.
PRODUCTS = 136


class ResultsQuerySet(models.QuerySet["Results"]):
    def of_site(self, kind: str) -> Results:
        """Return the results of all games of a kind; before its first answer they are not stored."""
        return self.defer("start").filter(kind=kind, room=None).first() or Results(kind=kind)

    def of_room(self, room: Room) -> Results:
        """Return the results of a room; before its first answer they are not stored."""
        return self.defer("start").filter(room=room).first() or Results(kind=room.kind, room=room)


class Results(models.Model):
    """The results of a kind of game, to which every round of that kind belongs, or of a room, to which its rounds do.

    `figures` is what was measured last, by scope: at `measured_at`, when the results had `measured` answered rounds.
    `start` is where the next fit begins; no page needs it.
    """

    kind = models.CharField(max_length=8, choices=Kind)
    room = models.OneToOneField(Room, on_delete=models.CASCADE, null=True, related_name="results")
    figures = models.JSONField(default=dict)
    start = models.JSONField(default=dict)
    measured = models.PositiveBigIntegerField(default=0)
    measured_at = models.DateTimeField(null=True)

    objects = ResultsQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind"], condition=Q(room__isnull=True), name="results_once"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="results_kind_known"),
        ]

    def __str__(self) -> str:
        return f"results of {self.kind}"


def belong_to(results: Results | None) -> Q:
    """Return the condition that a sum is of these results; of none given, of all games with pairs."""
    return Q(results=results.pk) if results else Q(results__kind=Kind.PAIRS, results__room=None)


class PairTally(models.Model):
    """All answers to one pair."""

    results = models.ForeignKey(Results, on_delete=models.CASCADE, related_name="+", db_index=False)
    pair = models.ForeignKey(PoemPair, on_delete=models.CASCADE, related_name="tallies", db_index=False)
    scope = models.CharField(max_length=9, choices=Scope)
    answered = models.PositiveIntegerField()
    selected = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["results", "scope", "pair"], name="pair_tally_once"),
            models.CheckConstraint(condition=Q(selected__lte=models.F("answered")), name="pair_tally_sum"),
            scope_known("pair_tally"),
        ]

    def __str__(self) -> str:
        return f"{self.selected} of {self.answered} for pair {self.pair_id}"


class PlayerTally(models.Model):
    """All answers of one player. `first_selected` is of their first completed game, null before; `cells` as `CELLS`.

    Those to pairs that the player had not met before are in `new_answered` and `new_selected`: of a pair that comes
    again the player was told the answer.
    """

    results = models.ForeignKey(Results, on_delete=models.CASCADE, related_name="+", db_index=False)
    player = models.ForeignKey(Player, on_delete=models.CASCADE, related_name="tallies", db_index=False)
    scope = models.CharField(max_length=9, choices=Scope)
    answered = models.PositiveIntegerField()
    selected = models.PositiveIntegerField()
    new_answered = models.PositiveIntegerField(db_default=0)
    new_selected = models.PositiveIntegerField(db_default=0)
    first_selected = models.PositiveSmallIntegerField(null=True)
    cells = ArrayField(models.PositiveIntegerField(), size=CELLS)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["results", "scope", "player"], name="player_tally_once"),
            models.CheckConstraint(condition=Q(selected__lte=models.F("answered")), name="player_tally_sum"),
            models.CheckConstraint(
                condition=Q(
                    new_selected__lte=models.F("new_answered"), new_answered__lte=models.F("answered")
                ),
                name="player_tally_new",
            ),
            scope_known("player_tally"),
        ]

    def __str__(self) -> str:
        return f"{self.selected} of {self.answered} by player {self.player_id}"


class CellTally(models.Model):
    """All answers by cell, and over players the sums of the products of their counts, of which errors are made.

    `products` holds those of cells i and j with i <= j, row by row.
    """

    results = models.ForeignKey(Results, on_delete=models.CASCADE, related_name="+", db_index=False)
    scope = models.CharField(max_length=9, choices=Scope)
    cells = ArrayField(models.PositiveBigIntegerField(), size=CELLS)
    products = ArrayField(models.PositiveBigIntegerField(), size=PRODUCTS)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["results", "scope"], name="cell_tally_once"),
            scope_known("cell_tally"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} answers of {self.results_id} by cell"


class BoundaryTally(models.Model):
    """All answers about a boundary by the true first sentence of the machine and the one that was said."""

    results = models.ForeignKey(Results, on_delete=models.CASCADE, related_name="+", db_index=False)
    scope = models.CharField(max_length=9, choices=Scope)
    takeover = models.PositiveSmallIntegerField()
    said = models.PositiveSmallIntegerField()
    answered = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["results", "scope", "takeover", "said"], name="boundary_tally_once"
            ),
            scope_known("boundary_tally"),
        ]

    def __str__(self) -> str:
        return f"{self.answered} said {self.said} for {self.takeover}"


class OriginTally(models.Model):
    """The first games of players that came from one address or were played in one room.

    `games` counts them, `selected` and `squares` sum their selections and the squares of these.
    """

    class Of(models.TextChoices):
        """What an origin is."""

        ADDRESS = "address", _("address")
        ROOM = "room", _("room")

    results = models.ForeignKey(Results, on_delete=models.CASCADE, related_name="+", db_index=False)
    scope = models.CharField(max_length=9, choices=Scope)
    of = models.CharField(max_length=7, choices=Of)
    origin = models.CharField(max_length=20)
    games = models.PositiveIntegerField()
    selected = models.PositiveIntegerField()
    squares = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["results", "scope", "of", "origin"], name="origin_tally_once"),
            models.CheckConstraint(condition=Q(of__in=["address", "room"]), name="origin_tally_of_known"),
            scope_known("origin_tally"),
        ]
        # The origins with the most games.
        indexes = [models.Index(fields=["results", "scope", "of", "-games"], name="origin_tally_largest")]

    def __str__(self) -> str:
        return f"{self.games} first games of {self.of} {self.origin}"


class RoundTally(models.Model):
    """All answers of a day (UTC) to rounds of one number; `chose_left` counts those for the left text."""

    results = models.ForeignKey(Results, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    number = models.PositiveSmallIntegerField()
    scope = models.CharField(max_length=9, choices=Scope)
    answered = models.PositiveIntegerField()
    selected = models.PositiveIntegerField()
    chose_left = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["results", "scope", "day", "number"], name="round_tally_once"),
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

    results = models.ForeignKey(Results, on_delete=models.CASCADE, related_name="+", db_index=False)
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
            models.UniqueConstraint(fields=["results", "scope", "day"], name="day_tally_once"),
            scope_known("day_tally"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} records of {self.day}"
