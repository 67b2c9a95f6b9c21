"""Characters that verse doubles: 萧萧, 年年, 处处, but not 画画 (pure).

Which they are is found in the corpus, by `derive_reduplications`, and kept in data/reduplications.txt: a character that
stands twice in a row often enough, in number and for how often it stands at all. 山山 is read now and then, but a 山
next to a 山 is mostly a slip.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path

from generation.verse.corpus import Poem
from generation.verse.songci import PAUSE

REDUPLICATIONS = Path(__file__).parent / "data" / "reduplications.txt"

FEWEST_DOUBLES = 20
# Of all places where a character stands, those where it is the first of a double.
LEAST_SHARE = 0.005


def derive_reduplications(poems: Iterable[Poem]) -> str:
    """Return the characters that the training part doubles often enough, the commonest double first."""
    doubles: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for poem in poems:
        if poem.part == "train":
            for sentence in (sentence.replace(PAUSE, "") for sentence in poem.sentences):
                places.update(sentence)
                doubles.update(first for first, second in pairwise(sentence) if first == second)
    return "".join(
        character
        for character, number in sorted(doubles.items(), key=lambda entry: (-entry[1], entry[0]))
        if number >= FEWEST_DOUBLES and number >= LEAST_SHARE * places[character]
    )


@cache
def reduplicated() -> frozenset[str]:
    """Return the characters that may stand twice in a row."""
    return frozenset(REDUPLICATIONS.read_text(encoding="utf-8").strip())
