"""The characters that turn the direction of writing round: seen where people read, and closed where a text ends.

Embeddings, overrides and isolates of the Unicode Bidirectional Algorithm (UAX #9) last to the end of their paragraph
unless they are closed: one left open in a cell turns the cells after it round. The marks that only say in which
direction a letter beside them is written (U+200E, U+200F, U+061C) turn nothing round.
"""

from __future__ import annotations

import re

DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")
EMBEDDINGS, POP_EMBEDDING = "\u202a\u202b\u202d\u202e", "\u202c"
ISOLATES, POP_ISOLATE = "\u2066\u2067\u2068", "\u2069"
# What ends a paragraph, and with it all that is open.
PARAGRAPH_ENDS = re.compile("[\n\r\x1c-\x1e\x85\u2029]")


def closed(text: str) -> str:
    """Return a text after which writing goes on in the direction that it had before.

    >>> closed("a\\u202eb").encode("unicode_escape").decode(), closed("a\\u202e\\nb") == "a\\u202e\\nb"
    ('a\\\\u202eb\\\\u202c', True)
    """
    if not DIRECTIONS.search(text):
        return text
    left: list[str] = []
    for character in PARAGRAPH_ENDS.split(text)[-1]:
        if character in EMBEDDINGS:
            left.append(POP_EMBEDDING)
        elif character in ISOLATES:
            left.append(POP_ISOLATE)
        elif character == POP_EMBEDDING and left[-1:] == [POP_EMBEDDING]:
            left.pop()
        elif character == POP_ISOLATE and POP_ISOLATE in left:
            # It closes the embeddings within as well.
            while left.pop() != POP_ISOLATE:
                pass
    return text + "".join(reversed(left))


def escaped(literal: str) -> str:
    """Return a JSON text with these characters written as escapes, which stand for the same.

    >>> escaped('"a\\u2067b"')
    '"a\\\\u2067b"'
    """
    return DIRECTIONS.sub(lambda match: f"\\u{ord(match[0]):04x}", literal)
