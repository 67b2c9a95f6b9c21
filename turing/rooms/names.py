"""What players may call themselves in a room (pure): a line that shows what it is, and that nobody else has."""

from __future__ import annotations

import unicodedata

from generation.texts.characters import control_characters, has_stacked_marks

LONGEST_NAME = 40


def plain_name(text: str) -> str:
    """Return a name as it is stored, or "" for one that is too long, hides characters or runs over other lines.

    >>> plain_name("  Lin   Yi "), plain_name("x" * 41), plain_name("a\u202eb"), plain_name("o" + 4 * "\u0301")
    ('Lin Yi', '', '', '')
    """
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    if len(name) > LONGEST_NAME or control_characters(name) or has_stacked_marks(name):
        return ""
    return name if key_of(name) else ""


def key_of(name: str) -> str:
    """Return what is alike of names that look alike: letters and digits in their plainest form.

    >>> key_of("Ｌin-Yi") == key_of("lín yi") == "linyi"
    True
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return "".join(one for one in plain if one.isalnum())
