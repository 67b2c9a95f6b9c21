"""The machine's answers: a worker takes an open turn under a lease, and hands in what is said later.

A worker that is killed loses its lease, and another one takes the turn; of two only the one that holds it hands in.
"""

from __future__ import annotations

import logging
import random
import re
import secrets
import uuid
from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from generation.engines.asking import EngineFailed, ask
from generation.engines.dialects import answer_of
from generation.orders import OrderRefused
from generation.runs.notifications import idle_slots
from turing.live.delays import delay_for
from turing.live.rules import answer_by_rules
from turing.live.talk import QUEUE, have_said, notify_listeners, notify_workers
from turing.models import LONGEST_MESSAGE, ChatMessage, Persona, Turn
from turing.pairs.conversations import INTERROGATOR, WITNESS, Message

# Longer than a model may take.
LEASE = timedelta(seconds=45)
MODEL_SECONDS = 30.0
MOST_TOKENS = 200
MARKDOWN = re.compile(r"[*_`#>]+(?=\S)|(?<=\S)[*_`]+|^\s*[-*]\s+", re.MULTILINE)
RULES_OF_TALK = (
    "You are chatting with a stranger on a website. Answer in {language}, in one short line of at most {most}"
    " characters, as people write in a chat: no lists, no Markdown, no name before what you say."
)
LANGUAGES = {"zh": "Chinese", "en": "English"}

logger = logging.getLogger(__name__)


def answer_next() -> bool:
    """Write the next answer that waits, and return whether there was one."""
    turn = claim()
    if turn is None:
        return False
    try:
        text, knows = written(turn)
    except (EngineFailed, OrderRefused) as error:
        logger.warning("A turn of a live conversation could not be answered: %s", error)
        Turn.objects.filter(pk=turn.pk, lease=turn.lease).update(lease=None, leased_until=None)
        return True
    hand_in(turn, text, knows)
    return True


@transaction.atomic
def claim() -> Turn | None:
    """Take the turn that waits longest, or return None where there is none."""
    turn = (
        Turn.objects.waiting()
        .select_related("chat__persona")
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("asked_at")
        .first()
    )
    if turn is None:
        return None
    turn.lease = uuid.uuid4()
    Turn.objects.filter(pk=turn.pk).update(
        lease=turn.lease, leased_until=Now() + LEASE, attempts=F("attempts") + 1
    )
    return turn


def hand_in(turn: Turn, text: str, knows: int, rng: random.Random | None = None) -> bool:
    """Store what a machine says and when, unless the turn has gone to somebody else; return whether it was stored."""
    delay = timedelta(seconds=delay_for(len(text), turn.chat.language, rng or secrets.SystemRandom()))
    due_at = max(timezone.now(), turn.asked_at + delay)
    stored = Turn.objects.filter(pk=turn.pk, lease=turn.lease, due_at=None, answered_at=None).update(
        text=text, knows=knows, due_at=due_at, lease=None, leased_until=None
    )
    if stored:
        have_said(turn.chat_id, due_at)
        # Those who listen look when it is late.
        notify_listeners(turn.chat_id)
    return stored == 1


def written(turn: Turn) -> tuple[str, int]:
    """Return what a machine says, and up to which message it knows."""
    said = list(ChatMessage.objects.filter(chat=turn.chat_id, side=turn.side).order_by("number"))
    messages = [Message(one.by, one.text) for one in said]
    persona, language = turn.chat.persona, turn.chat.language
    text = (
        written_by_model(persona, messages, language)
        if persona.model
        else answer_by_rules(messages, language, secrets.SystemRandom())
    )
    return text, said[-1].number if said else 0


def written_by_model(persona: Persona, said: list[Message], language: str) -> str:
    """Return what a served model answers as a persona; raise `EngineFailed` or `OrderRefused`."""
    server = settings.LANGUAGE_MODEL_SERVERS.get(persona.model)
    if server is None:
        raise OrderRefused(f"model: {persona.model} is no server of this site any more")
    rules = RULES_OF_TALK.format(language=LANGUAGES[language[:2]], most=LONGEST_MESSAGE)
    messages = [{"role": "system", "content": f"{rules}\n\n{persona.instructions}".strip()}]
    if not said:
        messages.append({"role": "user", "content": "(You begin.)"})
    roles = {one: "user" if one == INTERROGATOR else "assistant" for one in (INTERROGATOR, WITNESS)}
    messages += [{"role": roles[one.by], "content": one.text} for one in said]
    body = {"model": server.model, "messages": messages, "max_tokens": MOST_TOKENS}
    answer = ask(replace(server, seconds=min(server.seconds, MODEL_SECONDS)), "/v1/chat/completions", body)
    with answer_of(server):
        text = as_said(str(answer["choices"][0]["message"]["content"]))
    if not text:
        raise EngineFailed(f"{server.name} said nothing")
    return text


def as_said(text: str) -> str:
    """Return a model's text as people's messages are: one line, no marks of Markdown, not longer than theirs.

    >>> as_said("**Well**, I'm\\n- fine")
    "Well, I'm fine"
    """
    words = " ".join(MARKDOWN.sub("", text).split())
    words = "".join(one for one in words if one.isprintable())
    return words[:LONGEST_MESSAGE].strip()


def poll() -> None:
    """Notify workers where turns wait: the message for one may be lost."""
    if Turn.objects.waiting().exists() and idle_slots(QUEUE):
        notify_workers()
