"""What texts have beside their words: marks, widths, blanks and line ends, by which a method can be known."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# A share of one method's texts that is further than this from another's stands out.
STANDS_OUT = 0.1
INVISIBLE = re.compile("[\xad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
INVISIBLE_ALONE = re.compile(f"{INVISIBLE.pattern}+")
AROUND_CHANGE = 24

Test = Callable[[str], object]
TRAITS: tuple[tuple[Promise, Test], ...] = (
    (_("carriage returns"), re.compile("\r").search),
    (_("blank lines"), re.compile(r"\n[^\S\n]*\n").search),
    (
        _("blanks at the beginning or the end of a line"),
        re.compile(r"^[^\S\r\n]|[^\S\r\n]\r?$", re.MULTILINE).search,
    ),
    (_("several blanks in a row"), re.compile(r"(?<=\S)[^\S\n]{2,}(?=\S)").search),
    (_("tabs"), re.compile("\t").search),
    (_("no-break or ideographic spaces"), re.compile("[\xa0\u202f\u3000]").search),
    (_("invisible characters"), INVISIBLE.search),
    (_("half-width marks , ; : ? ! ( )"), re.compile("[,;:?!()]").search),
    (_("full-width marks ， ； ： ？ ！ （ ）"), re.compile("[，；：？！（）]").search),
    (_("full-width letters or digits"), re.compile("[０-９Ａ-Ｚａ-ｚ]").search),
    (_("straight quotes"), re.compile("[\"']").search),
    (_("curly quotes"), re.compile("[“”‘’]").search),
    (_("other quotes 「 『 « „"), re.compile("[「」『』«»„]").search),
    (_("dashes — or –"), re.compile("[–—―─]").search),
    (_("double hyphens --"), re.compile("--").search),
    (_("ellipses …"), re.compile("[…⋯]").search),
    (_("three dots ..."), re.compile(r"\.{3}").search),
    (_("Markdown: headings"), re.compile(r"^#{1,6} ", re.MULTILINE).search),
    (_("Markdown: lists"), re.compile(r"^\s*(?:[-*+]|\d+[.)]) ", re.MULTILINE).search),
    (_("Markdown: bold, code or tables"), re.compile(r"\*\*|`|^\|", re.MULTILINE).search),
    (_("emoji"), re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]").search),
    (_("characters that are not composed (NFC)"), lambda text: not unicodedata.is_normalized("NFC", text)),
)


@dataclass(frozen=True)
class Trait:
    """One trait, and the share of each method's texts that have it."""

    label: str
    shares: tuple[float, ...]


def uneven_traits(texts: Sequence[Sequence[str]]) -> tuple[Trait, ...]:
    """Return the traits that some methods' texts have more often than others', the most uneven first.

    `texts` holds the texts of each method; a method without any has no say.
    """
    rows = []
    for label, has in TRAITS:
        shares = tuple(sum(bool(has(text)) for text in own) / len(own) if own else 0.0 for own in texts)
        given = [share for share, own in zip(shares, texts, strict=True) if own]
        spread = max(given, default=0.0) - min(given, default=0.0)
        if spread > STANDS_OUT:
            rows.append((spread, Trait(str(label), shares)))
    return tuple(row for _spread, row in sorted(rows, key=lambda one: -one[0]))


def first_change(before: str, after: str) -> tuple[str, str]:
    """Return the surroundings of the first difference of two texts, with what one does not see made visible.

    >>> first_change("a \\tb", "a b")
    ('a ⇥b', 'a b')
    """
    pairs = enumerate(zip(before, after, strict=False))
    at = next((place for place, (one, other) in pairs if one != other), min(len(before), len(after)))
    start = max(at - AROUND_CHANGE, 0)
    stop = at + AROUND_CHANGE
    return visible(before[start:stop]), visible(after[start:stop])


def visible(text: str) -> str:
    """Return a text with signs for line ends, tabs, other spaces and what is invisible."""
    text = (
        text.replace("\r", "␍")
        .replace("\n", "⏎")
        .replace("\t", "⇥")
        .replace("\u3000", "□")
        .replace("\xa0", "⍽")
    )
    return INVISIBLE.sub(lambda match: f"‹U+{ord(match[0]):04X}›", text)
