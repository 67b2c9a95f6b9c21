"""Who plays, what they are shown and what they choose."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from turing.models.pairs import Genre, PoemPair

ROUNDS_IN_GAME = 5
# An answer that came sooner cannot rest on having read both texts.
HASTY = timedelta(seconds=2)
# A boundary is looked for from the second sentence on: the first one is a human's.
FIRST_STEP = 2


class Side(models.TextChoices):
    """Where a text stands on the page; on a phone the left one is above."""

    LEFT = "left", _("on the left")
    RIGHT = "right", _("on the right")

    @property
    def other(self) -> Side:
        return Side.RIGHT if self is Side.LEFT else Side.LEFT


class Kind(models.TextChoices):
    """The kinds of game: what a round shows, and what it asks."""

    PAIRS = "pairs", _("two texts")
    TEXT = "text", _("one text")
    BOUNDARY = "boundary", _("where the machine begins")
    CHATS = "chats", _("two conversations")
    CHAT = "chat", _("one conversation")

    @property
    def genres(self) -> tuple[Genre, ...]:
        """What it is played with."""
        return (Genre.CHAT,) if self in (Kind.CHATS, Kind.CHAT) else (Genre.POEM, Genre.QA)

    @property
    def shows_one(self) -> bool:
        """Whether a round shows one text, by a human or by a machine, and asks which."""
        return self in (Kind.TEXT, Kind.CHAT)

    @property
    def shows_two(self) -> bool:
        """Whether a round shows two texts, and asks which is a human's."""
        return self in (Kind.PAIRS, Kind.CHATS)


class Flag(models.TextChoices):
    """Why a round is left out of the filtered statistics."""

    HASTY = "hasty", _("answered in under two seconds")
    MANY = "many", _("of very many games in a short time")


class Player(models.Model):
    """Somebody who plays: known by a cookie, of whose token only the SHA-256 is kept.

    An account may keep the record of several players (a phone and a laptop); for statistics each is a player.
    """

    token_hash = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="players"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(token_hash__regex="^[0-9a-f]{64}$"),  # noqa: S106 - a pattern
                name="player_token_is_sha256",
            )
        ]

    def __str__(self) -> str:
        return f"player {self.pk}"


class RoomQuerySet(models.QuerySet["Room"]):
    def closed(self) -> RoomQuerySet:
        """Those in which no game begins, by the database's clock; among simulated players nobody else plays."""
        return self.filter(Q(closes_at__lte=Now()) | Q(is_simulated=True))


class Room(models.Model):
    """A game for a class, a laboratory or a conference: whoever has its address plays from its own pool.

    Its rounds belong to its own results, and to those of the kind of game, too.
    """

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=8, choices=Kind)
    genre = models.CharField(max_length=8, choices=Genre)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="turing_rooms"
    )
    # Whether players may say who they are, for the others of the room.
    takes_names = models.BooleanField(default=False)
    # Whether its players are simulated: their rounds are in the results of the room alone.
    is_simulated = models.BooleanField(default=False, db_default=False)
    # No game begins after this; one that has begun may be played to its end.
    closes_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = RoomQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="room_kind_known"),
            models.CheckConstraint(condition=Q(genre__in=Genre.values), name="room_genre_known"),
            models.CheckConstraint(condition=~Q(name=""), name="room_is_named"),
            # Rounds of people there would count as simulated.
            models.CheckConstraint(
                condition=Q(is_simulated=False) | Q(closes_at__isnull=False), name="room_simulated_is_closed"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RoomPair(models.Model):
    """A pair of a room's pool, numbered from 0 without gaps, so that one is drawn by its number."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="pool", db_index=False)
    number = models.PositiveIntegerField()
    pair = models.ForeignKey(PoemPair, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "number"], name="room_pair_number_once"),
            models.UniqueConstraint(fields=["room", "pair"], name="room_pair_once"),
        ]

    def __str__(self) -> str:
        return f"pair {self.number} of room {self.room_id}"


class RoomName(models.Model):
    """What a player wants to be called in a room; nobody sees it elsewhere.

    `key` is what looks the same (`turing.rooms.names.key_of`): nobody has the name of somebody else.
    """

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="names", db_index=False)
    player = models.ForeignKey(Player, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=40)
    key = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "player"], name="room_name_once"),
            models.UniqueConstraint(fields=["room", "key"], name="room_name_of_one"),
            models.CheckConstraint(condition=~Q(name=""), name="room_name_given"),
        ]

    def __str__(self) -> str:
        return self.name


class Game(models.Model):
    """Five rounds of one player, all drawn when it begins.

    `origin` is a digest of the address that it was begun from, another one every month: it tells which games came from
    one address, and not from which.
    """

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    player = models.ForeignKey(Player, on_delete=models.PROTECT, related_name="games")
    room = models.ForeignKey(Room, on_delete=models.PROTECT, null=True, related_name="games")
    origin = models.CharField(max_length=16, blank=True, default="", editable=False)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return str(self.uuid)


# Of an answered round.
IS_RIGHT = Q(choice=F("human_side")) | Q(step=F("takeover"))


class RoundQuerySet(models.QuerySet["Round"]):
    def of_game(self, game: uuid.UUID, owned: Q) -> RoundQuerySet:
        """Rounds of a game; `owned` is the condition on `game__player` that it is the visitor's."""
        return self.filter(owned, game__uuid=game)

    def answered(self) -> RoundQuerySet:
        return self.filter(answered_at__isnull=False)

    def unflagged(self) -> RoundQuerySet:
        return self.filter(flag="")

    def right(self) -> RoundQuerySet:
        """Rounds in which the human text was taken for the human one, or the boundary found to the sentence."""
        return self.answered().filter(IS_RIGHT)


class Round(models.Model):
    """One pair as it is shown in a game, and the answer.

    - Pairs and two conversations: both lie there, and `choice` is the one taken for the human one, which is at
      `human_side`.
    - One text or conversation: the human one where `human_side` is the left, otherwise the machine's. `choice` is the
      left one for 'a human wrote it', which is the left answer on the page, and the right one for 'a machine'.
    - Boundary: the machine's text is shown up to sentence `step`, which is the answer once there is one; `takeover` is
      the first sentence of the machine.

    What is drawn when the game begins never changes, and an answer is given once. Both are held by a trigger. All times
    are by the database's clock. `known` and `confidence` are what the player said of their own accord with the answer:
    `known` is null before it, `confidence` also where nothing was said.
    """

    class Confidence(models.IntegerChoices):
        GUESS = 1, _("I am guessing")
        LIKELY = 2, _("fairly sure")
        SURE = 3, _("sure")

    game = models.ForeignKey(Game, on_delete=models.CASCADE, related_name="rounds", db_index=False)
    number = models.PositiveSmallIntegerField()
    # The same in all rounds of a game.
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.PAIRS)
    pair = models.ForeignKey(PoemPair, on_delete=models.PROTECT, related_name="rounds", db_index=False)
    human_side = models.CharField(max_length=5, choices=Side, null=True)  # noqa: DJ001 - a boundary has no side
    takeover = models.PositiveSmallIntegerField(null=True)
    step = models.PositiveSmallIntegerField(null=True)
    # The player had this pair before, in another game: drawn again only where no other was left.
    is_repeat = models.BooleanField(default=False)
    shown_at = models.DateTimeField(null=True)
    choice = models.CharField(max_length=5, choices=Side, null=True)  # noqa: DJ001 - "" would be a third side
    answered_at = models.DateTimeField(null=True)
    confidence = models.PositiveSmallIntegerField(choices=Confidence, null=True)
    known = models.BooleanField(null=True)
    flag = models.CharField(max_length=8, choices=Flag, blank=True, default="")
    # Whether the tallies hold this answer (turing/tallies.py). A mark on the row and not a highest id seen: rounds
    # are answered in any order, and a transaction that ends late would fall below such a mark and be lost.
    is_counted = models.BooleanField(default=False)

    objects = RoundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["game", "number"], name="round_number_once"),
            models.UniqueConstraint(fields=["game", "pair"], name="round_pair_once"),
            models.CheckConstraint(
                condition=Q(number__range=(1, ROUNDS_IN_GAME)), name="round_number_in_game"
            ),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="round_kind_known"),
            models.CheckConstraint(condition=Q(human_side__in=["left", "right"]), name="round_side_known"),
            models.CheckConstraint(condition=Q(choice__in=["left", "right"]), name="round_choice_known"),
            models.CheckConstraint(condition=Q(flag__in=["", "hasty", "many"]), name="round_flag_known"),
            models.CheckConstraint(condition=Q(confidence__range=(1, 3)), name="round_confidence_known"),
            models.CheckConstraint(
                condition=Q(choice__isnull=True, answered_at__isnull=True, known__isnull=True)
                | Q(choice__isnull=False, answered_at__isnull=False, known__isnull=False)
                | Q(kind="boundary", answered_at__isnull=False, known__isnull=False),
                name="round_choice_has_time",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind="boundary",
                    human_side__isnull=True,
                    choice__isnull=True,
                    takeover__gte=FIRST_STEP,
                    step__gte=FIRST_STEP,
                    takeover__isnull=False,
                    step__isnull=False,
                )
                | Q(~Q(kind="boundary"), human_side__isnull=False, takeover__isnull=True, step__isnull=True),
                name="round_is_of_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True)
                | Q(shown_at__isnull=False, answered_at__gte=F("shown_at")),
                name="round_shown_before_answered",
            ),
            models.CheckConstraint(
                condition=Q(confidence__isnull=True) | Q(answered_at__isnull=False),
                name="round_confidence_with_choice",
            ),
            models.CheckConstraint(
                condition=Q(is_counted=False) | Q(answered_at__isnull=False), name="round_counted_if_answered"
            ),
        ]
        indexes = [
            # How many of those who had a pair were right, without a look at the table.
            models.Index(
                fields=["pair", "kind"],
                include=["answered_at", "choice", "human_side", "step", "takeover"],
                name="round_of_pair",
            ),
            # What the tallies do not hold yet.
            models.Index(
                fields=["answered_at"],
                condition=Q(is_counted=False, answered_at__isnull=False),
                name="round_uncounted",
            ),
        ]

    def __str__(self) -> str:
        return f"round {self.number} of game {self.game_id}"

    def is_answered(self) -> bool:
        return self.answered_at is not None

    def is_right(self) -> bool:
        """Return whether the answer is the true one, to the sentence; an open round is not right."""
        if not self.is_answered():
            return False
        return self.step == self.takeover if self.kind == Kind.BOUNDARY else self.choice == self.human_side
