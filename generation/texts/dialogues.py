"""Texts that are dialogues: a JSON list of turns, each with a role and what is said (pure)."""

from __future__ import annotations

import json

# Whose turns are given, and not what a method said.
GIVEN = frozenset({"user", "human", "system"})
MOST_RATED = 100


def turns_of(text: str) -> list[tuple[str, str]]:
    """Return the role and the words of each turn of a text; none where it is no dialogue.

    >>> turns_of('[{"role": "user", "content": "Hello"}, {"role": "assistant", "text": "Yes?"}]')
    [('user', 'Hello'), ('assistant', 'Yes?')]
    >>> turns_of("[1]"), turns_of("Hello")
    ([], [])
    """
    if not text.lstrip().startswith("["):
        return []
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    turns = []
    for one in found:
        role = one.get("role") if isinstance(one, dict) else None
        words = one.get("text", one.get("content")) if isinstance(one, dict) else None
        if not isinstance(role, str) or not isinstance(words, str):
            return []
        turns.append((role, words))
    return turns


def rated_turns(turns: list[tuple[str, str]]) -> list[int]:
    """Return the places of the turns that are rated: those that no user and no system said.

    >>> rated_turns([("user", "Hello"), ("assistant", "Yes?"), ("user", "Why?"), ("assistant", "Because.")])
    [1, 3]
    """
    return [place for place, (role, _text) in enumerate(turns) if role.lower() not in GIVEN][:MOST_RATED]
