"""Titles to write poems for: which can be drawn, and in which form each is written (pure)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence

from generation.refusals import Refused
from generation.verse.corpus import Poem

# A title that so many poems have says nothing about any of them.
MOST_POEMS_A_TITLE = 40
REGULATED_FORMS = ("jueju5", "jueju7", "lushi5", "lushi7")


def telling_titles(poems: Iterable[Poem]) -> list[str]:
    """Return the titles of the training part that say something, each once, in their order."""
    named = Counter(poem.title for poem in poems if poem.part == "train" and not poem.tune)
    return [title for title, number in named.items() if number <= MOST_POEMS_A_TITLE]


def sample_titles(known: Sequence[str], number: int, seed: int, cycle: int) -> list[str]:
    """Draw a cycle's titles, none twice; raise `Refused` where there are too few."""
    # Loaded where it is used: what computes takes longer to load than all the rest of a web process.
    import numpy as np

    if len(known) < number:
        raise Refused(f"the corpus has {len(known)} titles to write poems for, not {number}")
    rng = np.random.default_rng([seed, cycle])
    return [known[place] for place in rng.choice(len(known), size=number, replace=False)]


def drawn_form(title: str, seed: int) -> str:
    """Return the regulated form that a title's poem is written in; it is a matter of title and seed alone."""
    return random.Random(f"{seed} {title}").choice(REGULATED_FORMS)  # noqa: S311 - no secret
