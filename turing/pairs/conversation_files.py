"""Reading and storing finished conversations that somebody has, from a file or as the API is sent them.

A file is any that `generation.files.tables` reads. A row is a conversation, with its `messages` in JSON: a list of
{"by": "interrogator" or "witness", "text": ...}; or a row is one message, with `by` and `text`, in the order in which
they were said. Other fields, of which the second sort of file may give each once or in every row:

- `conversation`: what it is called, once in a file
- `witness`: `human` or `machine`
- `model` and `persona`: of a machine, what answered; `model` must be there
- `trio`: the same for the two conversations that one interrogator had with a human and a machine
- `interrogator`, `source`, `licence`: kept with it, and shown to no player

When something was said is neither read nor kept.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from generation.files.candidates import method_key
from generation.files.problems import Place, Problems, shown
from generation.files.tables import TableRow, read_table
from generation.models import Candidate
from generation.prompts import PromptContent
from generation.runs.runs import ImportedText, StoredCandidate, record_import
from generation.texts.characters import CONTROL
from generation.texts.normalising import is_blank, is_chinese
from turing.models import Genre, PoemPair
from turing.pairs.conversations import INTERROGATOR, WITNESS, Message, transcript
from turing.pairs.pairing import Paired, pair_up

HUMAN, MACHINE = "human", "machine"
FACTS = ("conversation", "witness", "model", "persona", "interrogator", "trio", "source", "licence")
LONGEST_FACT = 300
LONGEST_MODEL = 100
MOST_MESSAGES = 400
LONGEST = 20_000


@dataclass(frozen=True)
class Conversation:
    """One conversation of a file, checked; `facts` are those of its fields that were given."""

    place: Place
    facts: dict[str, str]
    text: str

    @property
    def is_human(self) -> bool:
        return self.facts["witness"] == HUMAN

    @property
    def digest(self) -> str:
        """By what it is known again."""
        said = json.dumps([self.facts["witness"], self.text], ensure_ascii=False)
        return hashlib.sha256(said.encode()).hexdigest()


@dataclass
class Draft:
    """A conversation while its rows are read."""

    place: Place
    facts: dict[str, str]
    messages: list[Message] = field(default_factory=list)


def import_conversations(path: Path, name: str = "", encoding: str = "") -> Paired:
    """Put the conversations of a file into play that are not there yet; raise `FileRefused`."""
    table = read_table(path, name, encoding=encoding)
    found = checked_conversations(table, table.problems)
    return store_conversations(
        found, {"import": table.problems.file, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    )


def checked_conversations(rows: Iterable[TableRow], problems: Problems) -> list[Conversation]:
    """Return the conversations of rows; raise `FileRefused` with everything that is wrong with them."""
    drafts: dict[str, Draft] = {}
    for place, fields in rows:
        facts = dict(_facts(place, fields, problems))
        name = facts.get("conversation", "")
        if not name:
            problems.add(place, "conversation", _("is missing"))
            continue
        has_all = "messages" in fields
        draft = drafts.get(name)
        if draft is None:
            draft = drafts[name] = Draft(place, facts)
        elif has_all:
            problems.add(
                place,
                "conversation",
                _("is that of an earlier conversation, too: %(name)s"),
                name=shown(name),
            )
            continue
        _join_facts(draft, facts, place, problems)
        given = fields["messages"] if has_all else [{"by": fields.get("by"), "text": fields.get("text")}]
        draft.messages += _messages(place, "messages" if has_all else "text", given, problems)
    found = [one for draft in drafts.values() if (one := _whole(draft, problems))]
    if not drafts:
        problems.add(0, "", _("holds no conversations"))
    _check_trios(found, problems)
    _check_doubles(found, problems)
    problems.refuse_if_any()
    return found


def _facts(place: Place, fields: dict[str, Any], problems: Problems) -> Iterator[tuple[str, str]]:
    for name in FACTS:
        value = fields.get(name)
        if value is None or (isinstance(value, str) and is_blank(value)):
            continue
        text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
        longest = LONGEST_MODEL if name == "model" else LONGEST_FACT
        if not text or len(text) > longest or CONTROL.search(text) or not text.isprintable():
            problems.add(
                place, name, _("must be text of one line and at most %(most)d characters"), most=longest
            )
        elif name == "witness" and text not in (HUMAN, MACHINE):
            problems.add(place, name, _("must be human or machine; it is %(value)s"), value=shown(text))
        else:
            yield name, text


def _join_facts(draft: Draft, facts: dict[str, str], place: Place, problems: Problems) -> None:
    """Add what a further row of a conversation says of it."""
    for name, value in facts.items():
        if draft.facts.setdefault(name, value) != value:
            problems.add(place, name, _("differs from that of an earlier message of this conversation"))


def _messages(place: Place, column: str, given: Any, problems: Problems) -> list[Message]:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            given = None
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        problems.add(place, column, _('must be a list of {"by": ..., "text": ...}'))
        return []
    messages = []
    for number, one in enumerate(given, start=1):
        by, text = one.get("by"), one.get("text")
        where = f"{column} {number}" if column == "messages" else column
        if by not in (INTERROGATOR, WITNESS):
            problems.add(
                place, "by" if column == "text" else where, _("is said by neither interrogator nor witness")
            )
        elif not isinstance(text, str) or is_blank(text) or CONTROL.search(text):
            problems.add(place, where, _("is empty, or no text that can be stored"))
        else:
            messages.append(Message(by, "\n".join(text.strip().splitlines())))
    return messages


def _whole(draft: Draft, problems: Problems) -> Conversation | None:
    """Return a conversation all of whose rows are read, None where something is wrong with it."""
    before = len(problems)
    if "witness" not in draft.facts:
        problems.add(draft.place, "witness", _("is missing"))
    if draft.facts.get("witness") == MACHINE and "model" not in draft.facts:
        problems.add(draft.place, "model", _("is missing: what answered?"))
    if {one.by for one in draft.messages} != {INTERROGATOR, WITNESS}:
        problems.add(draft.place, "messages", _("must be by both the interrogator and the witness"))
    text = transcript(draft.messages)
    if len(draft.messages) > MOST_MESSAGES or len(text) > LONGEST:
        problems.add(
            draft.place, "messages", _("are more than %(messages)d, or longer than %(characters)s characters"),
            messages=MOST_MESSAGES, characters=f"{LONGEST:,}",
        )  # fmt: skip
    return Conversation(draft.place, draft.facts, text) if len(problems) == before else None


def _check_trios(found: list[Conversation], problems: Problems) -> None:
    trios = defaultdict(list)
    for one in found:
        if "trio" in one.facts:
            trios[one.facts["trio"]].append(one)
    for trio in trios.values():
        if sorted(one.facts["witness"] for one in trio) != [HUMAN, MACHINE]:
            problems.add(
                trio[0].place, "trio", _("must be of one conversation with a human and one with a machine")
            )


def _check_doubles(found: list[Conversation], problems: Problems) -> None:
    seen: set[str] = set()
    for one in found:
        if one.digest in seen:
            problems.add(one.place, "messages", _("are those of an earlier conversation, word for word"))
        seen.add(one.digest)


@transaction.atomic
def store_conversations(found: list[Conversation], source: dict[str, str]) -> Paired:
    """Store conversations that are not there yet in twos, and put them into play.

    Those of a trio belong together. Of the others one with a human and one with a machine are put together in the order
    in which they come, so that either is as likely to be shown; what is left over is not stored, and said.
    """
    known = {
        digest
        for digests in PoemPair.objects.filter(genre=Genre.CHAT).values_list(
            "human__notes__digest", "machine__notes__digest"
        )
        for digest in digests
    }
    couples, left = coupled([one for one in found if one.digest not in known])
    texts = [
        ImportedText(
            PromptContent(f"conversation {human.digest[:12]} {machine.digest[:12]}"),
            HUMAN if one.is_human else method_key(one.facts["model"]),
            one.text,
            None if one.is_human else {"facts": one.facts},
            notes={**one.facts, "digest": one.digest},
        )
        for human, machine in couples
        for one in (human, machine)
    ]
    labels = {method_key(one.facts["model"]): one.facts["model"] for _human, one in couples}
    made: list[StoredCandidate] = record_import("text", texts, source=source, labels=labels) if texts else []
    stored = Candidate.objects.select_related("prompt").in_bulk([one.pk for one in made])
    both = [stored[one.pk] for one in made]
    paired = pair_up(both[::2], both[1::2], trios=["trio" in human.facts for human, _machine in couples])
    paired.refused += left
    return paired


def coupled(found: list[Conversation]) -> tuple[list[tuple[Conversation, Conversation]], list[str]]:
    """Return conversations in twos, a human's first, and a sentence for each that none is left for."""
    waiting: dict[object, dict[bool, list[Conversation]]] = {}
    for one in found:
        group = ("trio", one.facts["trio"]) if "trio" in one.facts else ("language", is_chinese(one.text))
        waiting.setdefault(group, {True: [], False: []})[one.is_human].append(one)
    couples, left = [], []
    for of_group in waiting.values():
        for human, machine in zip_longest(of_group[True], of_group[False]):
            if human and machine:
                couples.append((human, machine))
                continue
            words = (
                _(
                    "%(place)s: there is no conversation with a machine left to stand beside it; it is not stored"
                )
                if human
                else _(
                    "%(place)s: there is no conversation with a human left to stand beside it; it is not stored"
                )
            )
            left.append(words % {"place": (human or machine).place})
    return couples, left
