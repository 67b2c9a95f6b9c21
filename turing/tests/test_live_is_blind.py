"""Nothing that an interrogator is sent tells which witness is the machine, where both say the same sort of things.

The classifier is that of the other kinds of game: it learns from some chats, by everything about them but the words,
and by how long the witnesses took; and it is asked about others.
"""

from __future__ import annotations

import math
import uuid
from datetime import timedelta
from random import Random
from typing import Any

import pytest
import scipy.stats
from django.contrib.auth.models import AnonymousUser
from django.core.signing import get_cookie_signer
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone

from turing.game.players import COOKIE, SALT, hash_of
from turing.live import views
from turing.live.delays import delay_for
from turing.models import Chat, ChatMessage, Persona, Player, Seat, Side, Turn
from turing.tests.test_serving_is_blind import LEAKS, PLANTED, SERVED, TOKEN, Served, accuracy, edited

SAYINGS = ["not sure", "I live near the sea", "why do you ask?", "haha", "it is late here, to be honest"]
# As many as the classifier tells apart: it is asked about chats of others than it learns from.
GROUPS = 120


def taken_by_people(length: int, rng: Random) -> float:
    """Return how long somebody takes for an answer: longer for a longer one, some much longer."""
    return (1 + 0.1 * length) * math.exp(rng.gauss(0, 0.5))


def stored_chats(rng: Random) -> list[tuple[Chat, float]]:
    """Store chats with an answer on each side, and return them with the ratio of the delays, left to right."""
    now = timezone.now()
    persona = Persona.objects.create(name="rules")
    begun, over = now - timedelta(minutes=1), now + timedelta(hours=2)
    chats = Chat.objects.bulk_create(
        Chat(
            persona=persona, language="en", human_side=rng.choice(Side.values), left_begins=False,
            right_begins=False, created_at=begun, ends_at=over,
        )
        for _ in range(SERVED)
    )  # fmt: skip
    player = Player.objects.create(token_hash=hash_of(TOKEN))
    Seat.objects.bulk_create(
        Seat(chat=chat, player=player, role=Seat.Role.INTERROGATOR, may_be_read=False) for chat in chats
    )
    # What is known of people, from which delays are drawn.
    for place, chat in enumerate(chats[:400]):
        length = len(SAYINGS[place % len(SAYINGS)])
        took = timedelta(seconds=taken_by_people(length, rng))
        Turn.objects.create(
            chat=chat, side=chat.human_side, asked_at=begun, answered_at=begun + took, length=length
        )
    said, found = [], []
    for chat in chats:
        delays = {}
        for side in Side:
            text = rng.choice(SAYINGS)
            is_human = side == chat.human_side
            delays[side] = taken_by_people(len(text), rng) if is_human else delay_for(len(text), "en", rng)
            asked = ("interrogator", "Where are you?", begun)
            answered = ("witness", text, begun + timedelta(seconds=delays[side]))
            said += [
                ChatMessage(
                    chat=chat, side=side, number=number, by=by, text=words, sent_at=at, client_id=uuid.uuid4()
                )
                for number, (by, words, at) in enumerate((asked, answered), start=1)
            ]
        found.append((chat, delays[Side.LEFT] / delays[Side.RIGHT]))
    ChatMessage.objects.bulk_create(said, batch_size=2000)
    with connection.cursor() as cursor:
        # Autovacuum sees nothing of an open transaction, and plans for empty tables take minutes.
        cursor.execute("ANALYZE")
    return found


@pytest.mark.django_db
def test_served_chats_by_the_thousand_do_not_tell_the_machine(settings: Any) -> None:
    settings.TURING_LIVE = True
    rng = Random(17)
    factory = RequestFactory()
    factory.cookies[COOKIE] = get_cookie_signer(salt=COOKIE + SALT).sign(TOKEN)
    served = []
    for place, (chat, ratio) in enumerate(stored_chats(rng)):
        answers = []
        for view, path in ((views.live_chat, ""), (views.live_messages, "messages/")):
            request = factory.get(f"/turing/live/{chat.uuid}/{path}")
            request.user = AnonymousUser()
            answers.append(view(request, chat.uuid))
        page, sent = (answer.content.decode() for answer in answers)
        headers = [header for answer in answers for header in answer.headers.items()]
        is_left = chat.human_side == Side.LEFT
        one = Served(page.replace("</html>", sent), headers, ratio, chat.uuid, 1, place % GROUPS, is_left)
        # What is said is what people go by; only its length stays.
        for words in SAYINGS:
            one = edited(one, html=one.html.replace(words, "x" * len(words)))
        served.append(one)
    right, asked = accuracy(served)
    assert scipy.stats.binomtest(right, asked, 0.5, alternative="greater").pvalue > 0.001, (
        f"{right} of {asked}"
    )
    for leak in LEAKS:
        if leak.__name__ == "leak_an_order":
            continue  # It exchanges attributes of the pages of the other kinds.
        planted = [edited(one, html=one.html.replace('"name-left"', '"text-1"')) for one in served[:PLANTED]]
        right, asked = accuracy(planted, leak)
        assert scipy.stats.binomtest(right, asked, 0.5, alternative="greater").pvalue < 1e-6, leak.__name__
