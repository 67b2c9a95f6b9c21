"""Where a short sentence of prose ends."""

from __future__ import annotations

import re

from generation.decoding.requests import MARKS

# What may come after the mark of a short sentence that it belongs to.
CLOSERS = " \"')]*_”’）》」』】"
# One letter is an initial, or the end of e.g. and the like.
ABBREVIATION = re.compile(r"\b([A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|vs)\.$")


def ends_sentence(text: str) -> bool:
    """Return whether a text is a whole short sentence: it says something, and ends with a mark or a line end.

    A mark may be followed by quotes and brackets that close. It ends nothing after a digit, where a number may go on,
    and a point nothing after an abbreviation.
    """
    if not any(character.isalnum() for character in text):
        return False
    bare = text.rstrip(CLOSERS)
    if bare[-1:] in tuple(".,:") and (bare[-2:-1].isdigit() or ABBREVIATION.search(bare)):
        return False
    return text.rstrip(" ").endswith("\n") or bare[-1:] in tuple(MARKS)
