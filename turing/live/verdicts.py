"""How a live conversation ends: the verdict, a report, what others may read of it, and that it is forgotten."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from generation.files.candidates import method_key
from generation.models import Candidate
from generation.prompts import PromptContent
from generation.refusals import Refused
from generation.runs.runs import ImportedText, record_import
from generation.texts.characters import control_characters
from turing.live.talk import locked, notify_listeners
from turing.models import Chat, ChatMessage, PoemPair, Round, Seat, Side, Turn, Verdict, Waiting
from turing.pairs.conversations import WITNESS, Message, transcript
from turing.pairs.pairing import pair_up

# Of a witness who said less there is nothing to be read.
FEWEST_ANSWERS = 2
AT_ONCE = 20
LONGEST_REASON = 1000
# Whoever waits that long without looking is forgotten.
WAITED = timedelta(hours=1)


def judge(seat: Seat, choice: Side, confidence: Round.Confidence | None = None, reason: str = "") -> Verdict:
    """Store whom an interrogator takes for the human, once the time is over; what was said first stays.

    Raises `Refused`.
    """
    reason = reason.strip()
    if len(reason) > LONGEST_REASON or control_characters(reason.replace("\r", "").replace("\n", "")):
        raise Refused(_("A reason has at most %(most)d characters.") % {"most": LONGEST_REASON})
    with transaction.atomic():
        chat = locked(seat.chat_id)
        if seat.role != Seat.Role.INTERROGATOR or chat.is_broken_off():
            raise Refused(_("There is nothing to decide here."))
        if Chat.objects.under_way().filter(pk=chat.pk).exists():
            raise Refused(_("The conversations are not over yet."))
        verdict, _is_new = Verdict.objects.get_or_create(
            chat=chat, defaults={"choice": choice, "confidence": confidence, "reason": reason}
        )
        notify_listeners(chat.pk)
    return verdict


def report(seat: Seat) -> None:
    """Have staff read a chat in which somebody was molested, and nobody else; one that is under way ends at once.

    Who reports after the end changes no figure, whatever the verdict is or will be.
    """
    with transaction.atomic():
        chat = locked(seat.chat_id)
        Chat.objects.filter(pk=chat.pk, reported_at=None).update(reported_at=Now())
        PoemPair.objects.filter(chat=chat).update(is_withdrawn=True)
        notify_listeners(chat.pk)


def publish_finished() -> int:
    """Put chats that were judged into play where both people agreed, and return how many."""
    wanted = (
        Chat.objects.filter(pair=None, forgotten_at=None, reported_at=None, verdict__isnull=False)
        .filter(is_too_short=False)
        .exclude(seats__may_be_read=False)
        .order_by("pk")
        .values_list("pk", flat=True)[:AT_ONCE]
    )
    return sum(publish(chat) for chat in list(wanted))


@transaction.atomic
def publish(pk: int) -> bool:
    """Put one chat into play as two conversations of one interrogator; return whether there was enough to read."""
    chat = Chat.objects.select_for_update().select_related("persona").get(pk=pk)
    if chat.pair_id is not None:
        return False
    said: dict[str, list[Message]] = {side: [] for side in Side}
    for one in ChatMessage.objects.filter(chat=chat).order_by("number"):
        said[one.side].append(Message(one.by, one.text))
    human, machine = said[chat.human_side], said[Side(chat.human_side).other]
    if min(sum(one.by == WITNESS for one in side) for side in (human, machine)) < FEWEST_ANSWERS:
        Chat.objects.filter(pk=pk).update(is_too_short=True)
        return False
    persona = chat.persona
    prompt = PromptContent(f"live conversation {chat.uuid}")
    facts = {"persona": persona.name, "version": persona.version, "model": persona.model}
    made = record_import(
        "text",
        [
            ImportedText(prompt, "human", transcript(human), notes={"witness": "human"}),
            ImportedText(prompt, method_of(persona.model), transcript(machine), {"facts": facts}),
        ],
        source={"live": str(chat.uuid)},
    )
    stored = Candidate.objects.select_related("prompt").in_bulk([one.pk for one in made])
    (pair,) = pair_up([stored[made[0].pk]], [stored[made[1].pk]], trios=[True]).pairs
    Chat.objects.filter(pk=pk).update(pair=pair)
    return True


def method_of(model: str) -> str:
    """Return the key of the method that is a served model, or the site's own rules."""
    return method_key(model) if model else "rules"


def forget_old() -> int:
    """Delete the messages of chats that are older than they are kept, and return of how many; 0 days is for ever."""
    Waiting.objects.filter(seen_at__lt=Now() - WAITED).delete()
    days = settings.CHAT_KEEP_DAYS
    if not days:
        return 0
    old = list(
        Chat.objects.filter(Q(ends_at__lt=Now() - timedelta(days=days)), forgotten_at=None).values_list(
            "pk", flat=True
        )[: AT_ONCE * 50]
    )
    if not old:
        return 0
    with transaction.atomic():
        ChatMessage.objects.filter(chat__in=old).delete()
        Turn.objects.filter(chat__in=old).update(text="")
        Verdict.objects.filter(chat__in=old).update(reason="")
        Chat.objects.filter(pk__in=old).update(forgotten_at=Now())
    return len(old)
