"""What the verse model learns from: poems as texts to learn, in an endless stream.

It learns two kinds of text (`VERSE` of the templates): a poem after its form, title and author, and a title (or an
author) after a poem's short sentences, because inverse prompting asks one model for both directions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from generation.refusals import Refused
from generation.training.titles import MOST_POEMS_A_TITLE
from generation.training.vocabulary import BOS, EOS, FORM_TOKENS
from generation.verse.corpus import CI, OLD_STYLE, Poem


class Example(NamedTuple):
    """A text to learn; what comes before `target` is given, not learnt."""

    given: str
    target: str


# Share of the examples by kind at the start of the training, after two fifths of it, and at its end. Reading backwards
# is learnt late and slowly, so it gets the larger part then; the Tang comes last, because it is what the model is
# asked for.
MIXTURE = {
    "tang": (0.12, 0.13, 0.18),
    "song": (0.44, 0.15, 0.07),
    "old": (0.04, 0.03, 0.02),
    "ci": (0.06, 0.04, 0.03),
    "inverse tang": (0.10, 0.25, 0.39),
    "inverse song": (0.20, 0.34, 0.26),
    "inverse author": (0.04, 0.06, 0.05),
}
KNOTS = (0.0, 0.4, 1.0)


def forward_example(poem: Poem, *, with_author: bool) -> Example:
    """Return a poem after its form, tune, title and author."""
    author = poem.author if with_author else ""
    return forward_text(poem.form, f"{poem.tune}《{poem.title}》{author}", poem.text)


def forward_text(form: str, head: str, text: str) -> Example:
    """Return a text after its form and its head, which is to be learnt too."""
    return Example(f"{BOS}{FORM_TOKENS[form]}", f"{head}：{text}{EOS}")


def inverse_example(poem: Poem, first: int, last: int, asked: str = "title") -> Example:
    """Return the title (or the author) after the short sentences `first` to `last` (from 0, `last` excluded)."""
    pieces = poem.text.replace("。", "，").split("，")
    marks = "，。"
    text = "".join(pieces[place] + marks[place % 2] for place in range(first, last))
    answer = f"《{poem.title}》" if asked == "title" else f"：{poem.author}"
    return Example(f"{BOS}「{text}」", f"{answer}{EOS}")


def draw_inverse(poem: Poem, rng: np.random.Generator, asked: str) -> Example:
    """Return an inverse example of a couplet (70 %), one short sentence (20 %) or the whole poem (10 %)."""
    number = len(poem.sentences)
    kind = rng.random()
    if kind < 0.7:
        first = 2 * int(rng.integers(number // 2))
        return inverse_example(poem, first, first + 2, asked)
    if kind < 0.9:
        first = int(rng.integers(number))
        return inverse_example(poem, first, first + 1, asked)
    return inverse_example(poem, 0, number, asked)


class Examples:
    """An endless stream of examples in the shares of `MIXTURE`; each kind goes through its poems in shuffled rounds.

    `drawn` is the place in the stream, in poems by kind: who sets it goes on from there. `begins_at` is the place in
    the mixture (0 to 1) of the first example. Raise `Refused` where there is nothing to learn from.
    """

    def __init__(self, poems: list[Poem], seed: int, *, begins_at: float = 0.0) -> None:
        training = [poem for poem in poems if poem.part == "train"]
        named = Counter(poem.title for poem in training)
        regulated = [poem for poem in training if poem.form not in (OLD_STYLE, CI)]
        telling = [poem for poem in regulated if named[poem.title] <= MOST_POEMS_A_TITLE]
        self.seed, self.begins_at = seed, begins_at
        self.poems = {
            "tang": [poem for poem in regulated if poem.collection == "tang"],
            "song": [poem for poem in regulated if poem.collection == "song"],
            "old": [poem for poem in training if poem.form == OLD_STYLE],
            "ci": [poem for poem in training if poem.form == CI],
            "inverse tang": [poem for poem in telling if poem.collection == "tang"],
            "inverse song": [poem for poem in telling if poem.collection == "song"],
            "inverse author": [poem for poem in telling if poem.author],
        }
        self.kinds = [kind for kind in MIXTURE if self.poems[kind]]
        if not self.kinds:
            raise Refused("the corpus has no poem of the part train")
        self.drawn = dict.fromkeys(self.kinds, 0)

    def draw(self, number: int, progress: float) -> list[Example]:
        """Return the next examples for a share of the training (0 to 1) that is done."""
        rng = np.random.default_rng([self.seed, sum(self.drawn.values())])
        mixed = self.begins_at + (1 - self.begins_at) * progress
        shares = np.array([np.interp(mixed, KNOTS, MIXTURE[kind]) for kind in self.kinds])
        kinds = rng.choice(len(self.kinds), size=number, p=shares / shares.sum())
        examples = []
        for place, kind in enumerate(self.kinds):
            for poem in self.next_poems(kind, int((kinds == place).sum())):
                if kind.startswith("inverse"):
                    examples.append(
                        draw_inverse(poem, rng, "author" if kind == "inverse author" else "title")
                    )
                else:
                    examples.append(forward_example(poem, with_author=rng.random() < 0.5))
        return examples

    def next_poems(self, kind: str, number: int) -> Iterator[Poem]:
        """Yield the next poems of a kind, and move on in the stream."""
        poems = self.poems[kind]
        for place in range(self.drawn[kind], self.drawn[kind] + number):
            round_number, place_in_round = divmod(place, len(poems))
            if place == self.drawn[kind] or place_in_round == 0:
                order = np.random.default_rng([self.seed, self.kinds.index(kind), round_number]).permutation(
                    len(poems)
                )
            yield poems[order[place_in_round]]
        self.drawn[kind] += number
