"""Titles to compare methods on: those of Tang poems that no model has seen, and of things no Tang poet has seen."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from generation.evidence.copies import Corpus
from generation.evidence.diversity import characters
from generation.verse.corpus import REGULATED, Poem

# Shorter ones say little, longer ones are mostly names and offices.
SHORTEST, LONGEST = 3, 10
# A title that many poems have says nothing about any of them; one with a number at its end belongs to a series.
MOST_POEMS = 2
OF_A_SERIES = re.compile("[一二三四五六七八九十]$|乐章")
# So many characters in common with a poem of the training part: the same poem under another title.
ANOTHER_VERSION = 10


def held_out_poems(poems: Sequence[Poem], training: Corpus, number: int, seed: int) -> list[Poem]:
    """Return `number` held-out Tang poems in regulated verse, drawn at random, each with a telling title of its own.

    A poem that the training part has in another version is none of them. There may be fewer than `number`.
    """
    named = Counter(poem.title for poem in poems)
    one_a_title = {
        poem.title: poem
        for poem in poems
        if poem.part == "held_out"
        and poem.collection == "tang"
        and poem.form in REGULATED.values()
        and SHORTEST <= len(poem.title) <= LONGEST
        and named[poem.title] <= MOST_POEMS
        and not OF_A_SERIES.search(poem.title)
    }
    telling = list(one_a_title.values())
    runs = training.longest_runs([poem.text for poem in telling])
    unseen = [poem for poem, run in zip(telling, runs, strict=True) if run < ANOTHER_VERSION]
    order = np.random.default_rng(seed).permutation(len(unseen))[:number]
    return [unseen[place] for place in order]


def load_titles(path: Path) -> list[str]:
    """Read a list of titles, a JSON array of strings."""
    titles: list[str] = json.loads(path.read_text(encoding="utf-8"))
    return titles


def titles_in_corpus(titles: Iterable[str], poems: Iterable[Poem]) -> list[str]:
    """Return the titles that are in the corpus: as a title, in one, or in a text whatever marks are between."""
    everything = "\n".join(f"{poem.title}\n{characters(poem.text)}" for poem in poems)
    return [title for title in titles if title in everything]
