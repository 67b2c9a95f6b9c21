"""What a prompt is made of: its text, named parts, turns of a dialogue, an id of its owner's and tags (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# Name and text of a part, role and text of a turn, name and value of a tag.
Pair = tuple[str, str]
Pairs = tuple[Pair, ...]


@dataclass(frozen=True, slots=True, order=True)
class PromptContent:
    """A prompt as its owner wrote it; parts and turns in their order, tags by their names."""

    text: str
    description: str = ""
    external_id: str = ""
    parts: Pairs = ()
    turns: Pairs = ()
    tags: Pairs = ()

    @property
    def known_by(self) -> object:
        """What tells the prompt from the others of its file: its id, or else everything that it says."""
        if self.external_id:
            return self.external_id
        return (self.text, self.description, self.parts and tuple(sorted(self.parts)), self.turns)

    @property
    def heading(self) -> str:
        """What a list calls the prompt: its text, or that of its last turn or its first part."""
        others = [text for _, text in (*self.turns[-1:], *self.parts)]
        return self.text or next(iter(others), "")

    def whole_text(self) -> str:
        """Return everything that the prompt says as one text, as a language model can be given it.

        >>> PromptContent("Summarise.", parts=(("source", "It rained."),)).whole_text()
        'source:\\nIt rained.\\n\\nSummarise.'
        """
        named = [f"{name}:\n{text}" for name, text in (*self.parts, *self.turns)]
        asked = [text for text in (self.text, self.description) if text]
        return "\n\n".join([*named, "\n".join(asked)] if asked else named)


def listed(pairs: Pairs, name: str) -> list[dict[str, str]]:
    """Return parts or turns as they are stored and exported, `name` being what the first of each pair is called.

    >>> listed((("user", "Hello"),), "role")
    [{'role': 'user', 'text': 'Hello'}]
    """
    return [{name: first, "text": text} for first, text in pairs]


def paired(rows: list[dict[str, Any]], name: str) -> Pairs:
    """Return stored parts or turns as pairs."""
    return tuple((row[name], row["text"]) for row in rows)
