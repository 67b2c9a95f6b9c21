"""What evaluators wrote about the texts of one page, with what their corrections changed."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from difflib import SequenceMatcher

from annotations.models import Page, Study, WrittenAnswer
from annotations.results.written.rows import latest_written

# A word with the blanks behind it, or a character of a script that has no blanks between words.
PIECES = re.compile(
    r"[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]|\s+|[^\W_]+|.", re.DOTALL
)


@dataclass(frozen=True)
class Change:
    """A stretch of a text: kept, taken out or put in."""

    kind: str
    text: str


@dataclass(frozen=True)
class Reason:
    evaluator: str
    text: str


@dataclass(frozen=True)
class Correction:
    evaluator: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class WrittenOnPage:
    """Reasons about the page, and by the primary key of a candidate its reasons and corrections."""

    of_page: list[Reason]
    reasons: dict[int, list[Reason]]
    corrections: dict[int, list[Correction]]


def written_on_page(study: Study, page: Page) -> WrittenOnPage:
    """Return what was written on a page of a study, by evaluators in order, with one query."""
    found = WrittenOnPage([], defaultdict(list), defaultdict(list))
    rows = (
        latest_written(study)
        .filter(page=page, enrolment__withdrawn_at=None)
        .order_by("enrolment__number")
        .values_list("enrolment__pseudonym", "candidate_id", "kind", "text", "candidate__text")
    )
    for pseudonym, candidate, kind, text, original in rows:
        if candidate is None:
            found.of_page.append(Reason(pseudonym, text))
        elif kind == WrittenAnswer.Kind.REASON:
            found.reasons[candidate].append(Reason(pseudonym, text))
        else:
            # Evaluators correct the text as they see it.
            changes = text_changes(study.shown(original), text)
            found.corrections[candidate].append(Correction(pseudonym, changes))
    return found


def text_changes(before: str, after: str) -> tuple[Change, ...]:
    """Return a text as stretches that were kept, taken out and put in.

    >>> [(one.kind, one.text) for one in text_changes("a red fox", "a grey fox")]
    [('kept', 'a '), ('taken', 'red'), ('put', 'grey'), ('kept', ' fox')]
    """
    old, new = PIECES.findall(before), PIECES.findall(after)
    changes: list[Change] = []
    for tag, start, stop, other_start, other_stop in SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if tag == "equal":
            changes.append(Change("kept", "".join(old[start:stop])))
            continue
        if stop > start:
            changes.append(Change("taken", "".join(old[start:stop])))
        if other_stop > other_start:
            changes.append(Change("put", "".join(new[other_start:other_stop])))
    return tuple(changes)
