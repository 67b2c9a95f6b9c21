"""Live conversations: one interrogator, one human and one machine witness, at the same time."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from turing.models.games import Player, Round, Side
from turing.models.pairs import PoemPair

LONGEST_MESSAGE = 300


class Persona(models.Model):
    """Whom a machine plays: instructions for a served model, or the rules that come with the site (no `model`).

    What has been played stays as it is: another wording is another version.
    """

    name = models.CharField(max_length=50)
    version = models.PositiveSmallIntegerField(default=1)
    # A name in LANGUAGE_MODEL_SERVERS.
    model = models.CharField(max_length=50, blank=True)
    instructions = models.TextField(blank=True)
    is_in_play = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "version", "model"], name="persona_version_once"),
            models.CheckConstraint(condition=~Q(name=""), name="persona_is_named"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class ChatQuerySet(models.QuerySet["Chat"]):
    def under_way(self) -> ChatQuerySet:
        """Those in which something may still be said, by the database's clock."""
        return self.filter(ends_at__gt=Now(), reported_at=None)

    def broken_off(self) -> ChatQuerySet:
        """Those that a report ended: there is no verdict, and there will be none."""
        return self.filter(reported_at__lt=F("ends_at"))


class Chat(models.Model):
    """Two conversations of one interrogator at once; the witness at `human_side` is a human."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    persona = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="chats")
    # Of the interface of both people.
    language = models.CharField(max_length=10)
    human_side = models.CharField(max_length=5, choices=Side)
    # Who is told to begin, on either side.
    left_begins = models.BooleanField(help_text="Whether the witness on the left begins.")
    right_begins = models.BooleanField(help_text="Whether the witness on the right begins.")
    created_at = models.DateTimeField(db_default=Now())
    ends_at = models.DateTimeField()
    # A report ends a chat that is under way. Afterwards it changes no figure: whoever lost could undo that.
    reported_at = models.DateTimeField(null=True)
    # When its messages were deleted.
    forgotten_at = models.DateTimeField(null=True)
    # What is read by others, where both agreed; its text is a copy.
    is_too_short = models.BooleanField(default=False, editable=False)
    pair = models.OneToOneField(PoemPair, on_delete=models.SET_NULL, null=True, related_name="chat")

    objects = ChatQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(human_side__in=["left", "right"]), name="chat_side_known"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("created_at")), name="chat_ends_later"),
        ]
        indexes = [
            models.Index(fields=["ends_at"], condition=Q(forgotten_at=None), name="chat_to_be_forgotten")
        ]

    def __str__(self) -> str:
        return str(self.uuid)

    def is_broken_off(self) -> bool:
        return self.reported_at is not None and self.reported_at < self.ends_at

    def witness_begins(self, side: str) -> bool:
        return self.left_begins if side == Side.LEFT else self.right_begins


class Seat(models.Model):
    """A person's part in a chat."""

    class Role(models.TextChoices):
        """Who asks, and who answers."""

        INTERROGATOR = "interrogator", _("Interrogator")
        WITNESS = "witness", _("Witness")

    chat = models.ForeignKey(Chat, on_delete=models.CASCADE, related_name="seats", db_index=False)
    player = models.ForeignKey(Player, on_delete=models.PROTECT, related_name="seats")
    role = models.CharField(max_length=12, choices=Role)
    # Whether others may read the conversation later.
    may_be_read = models.BooleanField()
    # By which people of one address are known as such (`turing.game.play.origin_of`).
    origin = models.CharField(max_length=16, blank=True, default="", editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chat", "role"], name="seat_role_once"),
            models.UniqueConstraint(fields=["chat", "player"], name="seat_player_once"),
            models.CheckConstraint(condition=Q(role__in=["interrogator", "witness"]), name="seat_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.role} of chat {self.chat_id}"


class Meeting(models.Model):
    """Two players who have met, and never meet again; the one with the lower key first."""

    first = models.ForeignKey(Player, on_delete=models.CASCADE, related_name="+", db_index=False)
    second = models.ForeignKey(Player, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="meeting_once"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="meeting_in_order"),
        ]

    def __str__(self) -> str:
        return f"players {self.first_id} and {self.second_id}"


class ChatMessage(models.Model):
    """What was said on one side of a chat; numbered from 1 in the order in which it appears there.

    `client_id` is made by whoever sends it, so that a message that is sent again is known.
    """

    chat = models.ForeignKey(Chat, on_delete=models.CASCADE, related_name="messages", db_index=False)
    side = models.CharField(max_length=5, choices=Side)
    number = models.PositiveSmallIntegerField()
    by = models.CharField(max_length=12, choices=Seat.Role)
    client_id = models.UUIDField()
    text = models.CharField(max_length=LONGEST_MESSAGE)
    sent_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chat", "side", "number"], name="message_number_once"),
            models.UniqueConstraint(fields=["chat", "side", "by", "client_id"], name="message_sent_once"),
            models.CheckConstraint(condition=~Q(text="") & Q(number__gte=1), name="message_says_something"),
            models.CheckConstraint(condition=Q(side__in=["left", "right"]), name="message_side_known"),
            models.CheckConstraint(condition=Q(by__in=["interrogator", "witness"]), name="message_by_known"),
        ]

    def __str__(self) -> str:
        return f"message {self.number} {self.side} of chat {self.chat_id}"


class TurnQuerySet(models.QuerySet["Turn"]):
    def waiting(self) -> TurnQuerySet:
        """Those of machines for which nobody is writing an answer."""
        return self.filter(
            Q(leased_until=None) | Q(leased_until__lt=Now()),
            ~Q(side=F("chat__human_side")),
            answered_at=None,
            due_at=None,
            attempts__lt=MOST_ATTEMPTS,
            chat__ends_at__gt=Now(),
            chat__reported_at=None,
        )


MOST_ATTEMPTS = 5


class Turn(models.Model):
    """That a witness has something to answer; at most one of a side is open.

    A worker writes a machine's answer under a lease (`text`), and it is said at `due_at`. How long people took for an
    answer of which length is kept here, from which the delays of machines are drawn.
    """

    chat = models.ForeignKey(Chat, on_delete=models.CASCADE, related_name="turns", db_index=False)
    side = models.CharField(max_length=5, choices=Side)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    length = models.PositiveSmallIntegerField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    text = models.CharField(max_length=LONGEST_MESSAGE, blank=True)
    # The last message that the answer knows.
    knows = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)

    objects = TurnQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chat", "side"], condition=Q(answered_at__isnull=True), name="turn_open_once"
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True) | Q(length__isnull=False), name="turn_answer_is_long"
            ),
        ]
        indexes = [
            models.Index(
                fields=["-answered_at"], condition=Q(answered_at__isnull=False), name="turn_answered"
            ),
            models.Index(fields=["chat", "side"], name="turn_of_chat"),
        ]

    def __str__(self) -> str:
        return f"turn {self.side} of chat {self.chat_id}"


class Verdict(models.Model):
    """Whom the interrogator took for the human, how sure and why."""

    chat = models.OneToOneField(Chat, on_delete=models.CASCADE, primary_key=True, related_name="verdict")
    choice = models.CharField(max_length=5, choices=Side)
    confidence = models.PositiveSmallIntegerField(choices=Round.Confidence, null=True)
    reason = models.CharField(max_length=1000, blank=True)
    given_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(choice__in=["left", "right"]), name="verdict_side_known"),
            models.CheckConstraint(condition=Q(confidence__range=(1, 3)), name="verdict_confidence_known"),
        ]

    def __str__(self) -> str:
        return f"{self.choice} in chat {self.chat_id}"


class Waiting(models.Model):
    """A player who waits for another one; whoever was not seen for some seconds has gone."""

    player = models.OneToOneField(Player, on_delete=models.CASCADE, primary_key=True, related_name="+")
    language = models.CharField(max_length=10)
    # By which games from one address are known (`turing.game.play.origin_of`).
    origin = models.CharField(max_length=16)
    may_be_read = models.BooleanField()
    since = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"player {self.player_id}"


class LiveResults(models.Model):
    """What the verdicts show, as it was measured last; one row, of `verdicts` of them."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    figures = models.JSONField(default=dict)
    verdicts = models.PositiveIntegerField(default=0)
    broken_off = models.PositiveIntegerField(default=0)
    measured_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="live_results_once")]

    def __str__(self) -> str:
        return f"results of {self.verdicts} verdicts"
