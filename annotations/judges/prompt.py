"""What a judge is asked: the evaluators' own instructions, criteria and page; and its answer read (pure).

Chiang and Lee (2023), Can large language models be an alternative to human evaluations?, ACL: the model gets exactly
what people get.
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Part of every judge's version: another wording is another judge.
PROMPT_VERSION = "1"
# Points of a scale that the schema names one by one.
MOST_NAMED = 101


@dataclass(frozen=True)
class AskedCriterion:
    """A criterion in the words that evaluators read."""

    key: str
    label: str
    question: str
    low: str
    high: str
    minimum: float
    maximum: float
    is_whole: bool = True

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of a score."""
        if self.is_whole and self.maximum - self.minimum < MOST_NAMED:
            # Engines that write by a grammar keep to numbers that are named, and pass over bounds.
            return {"type": "integer", "enum": list(range(int(self.minimum), int(self.maximum) + 1))}
        kind = "integer" if self.is_whole else "number"
        return {"type": kind, "minimum": self.minimum, "maximum": self.maximum}

    def line(self) -> str:
        ends = (
            f"{self.minimum:g} = {self.low}, {self.maximum:g} = {self.high}" if self.low or self.high else ""
        )
        scale = f"{self.minimum:g} to {self.maximum:g}" + (f" ({ends})" if ends else "")
        return f"- {self.key}: {self.label}. {self.question} {scale}".replace("  ", " ")


def letters(count: int) -> list[str]:
    """Return the letters that candidates are called by, as evaluators see them."""
    return list(string.ascii_uppercase[:count])


def messages(
    instructions: str, criteria: Sequence[AskedCriterion], prompt: str, texts: Sequence[str]
) -> list[dict[str, str]]:
    """Return the messages that ask for the scores of one page, its texts called A, B, C, ..."""
    task = "\n".join(
        [
            *([instructions.strip(), ""] if instructions.strip() else []),
            "Rate every text below on every criterion:",
            *(criterion.line() for criterion in criteria),
            "",
            "Answer with JSON alone: an object with the letter of each text, and for each an object with the score of"
            " each criterion by its key.",
        ]
    )
    marks = "###"
    # No text can begin another one: what marks them stands in none.
    while any(re.search(rf"^{marks} [A-Z]\s*$", one, re.MULTILINE) for one in (prompt, *texts)):
        marks += "#"
    page = [prompt.strip()]
    for letter, text in zip(letters(len(texts)), texts, strict=True):
        page += ["", f"{marks} {letter}", text]
    return [{"role": "system", "content": task}, {"role": "user", "content": "\n".join(page)}]


def schema(criteria: Sequence[AskedCriterion], texts: int) -> dict[str, Any]:
    """Return the JSON schema of the answer."""
    scores = {one.key: one.schema() for one in criteria}
    of_text = {
        "type": "object",
        "properties": scores,
        "required": list(scores),
        "additionalProperties": False,
    }
    names = letters(texts)
    return {
        "type": "object",
        "properties": dict.fromkeys(names, of_text),
        "required": names,
        "additionalProperties": False,
    }


def read_answer(
    answer: str, criteria: Sequence[AskedCriterion], texts: int
) -> list[Mapping[str, float]] | None:
    """Return the scores of each text in the order of the page, None where the answer is not what was asked for."""
    start, end = answer.find("{"), answer.rfind("}")
    try:
        said = json.loads(answer[start : end + 1], object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        return None
    found: list[Mapping[str, float]] = []
    for letter in letters(texts):
        own = said.get(letter) if isinstance(said, dict) else None
        if not isinstance(own, dict):
            return None
        scores = {}
        for one in criteria:
            score = own.get(one.key)
            if isinstance(score, bool) or not isinstance(score, int | float):
                return None
            if not one.minimum <= score <= one.maximum or (one.is_whole and score != int(score)):
                return None
            scores[one.key] = float(score)
        found.append(scores)
    return found


def _each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; of two scores for the same nobody knows which is meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object names the same twice")
    return found
