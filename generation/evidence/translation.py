"""A judge of relevance that shares neither model nor data with what it judges: poems translated into their titles.

IBM model 1 over characters (Brown et al. 1993, The mathematics of statistical machine translation, Computational
Linguistics 19, 263-311): every character of a title comes from a character of its poem, or from none (NULL), and
p(title character | poem) is the mean of t(title character | poem character) over the poem. It is trained on the
`judge` part of the corpus, Song poems that no language model here is trained on.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from generation.evidence.diversity import characters
from generation.verse.corpus import Poem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Rounds and prior were chosen on poems of the judge's own part; more rounds fit it better and rank unseen poems worse.
ROUNDS = 3
PRIOR = 30.0
RAREST = 2
BACKGROUND_SHARE = 0.05
NULL = 0


@dataclass(frozen=True)
class TranslationModel:
    """What characters of poems are translated into.

    `table` (1 + poem characters, title characters) holds t; row 0 is NULL. The mappings give a character's row and
    column; a character that is not in them says nothing.
    """

    rows: Mapping[str, int]
    columns: Mapping[str, int]
    table: Floats

    def log_likelihoods(self, poems: Sequence[str], titles: Sequence[str]) -> Floats:
        """Return log p(title | poem) over the title's known characters, in nats, (poems, titles)."""
        shares = np.zeros((len(poems), len(self.table)))  # of each character, in a poem with its NULL
        for place, poem in enumerate(poems):
            known = [NULL, *(self.rows[character] for character in poem if character in self.rows)]
            np.add.at(shares[place], known, 1 / len(known))
        of_characters = np.log(shares @ self.table)  # (poems, title characters)
        likelihoods = np.zeros((len(poems), len(titles)))
        for place, title in enumerate(titles):
            known = [self.columns[character] for character in title if character in self.columns]
            likelihoods[:, place] = of_characters[:, known].sum(1)
        return likelihoods

    def without_copies(self) -> TranslationModel:
        """Return the model in which no character stands for itself: what is left is what goes with what."""
        table = self.table.copy()
        both = self.rows.keys() & self.columns.keys()
        table[
            [self.rows[character] for character in both], [self.columns[character] for character in both]
        ] = 0.0
        return replace(self, table=table)


def train(
    titles: Sequence[str],
    poems: Sequence[str],
    *,
    rounds: int = ROUNDS,
    prior: float = PRIOR,
    rarest: int = RAREST,
) -> TranslationModel:
    """Fit the model to titles and their poems by expectation maximisation, from a uniform table.

    `prior` title characters, spread as in all titles, are added to what each poem character was seen to become, so
    that a rare one says little. Characters that stand fewer than `rarest` times are left out.
    """
    rows = {character: place for place, character in enumerate(common(poems, rarest), start=NULL + 1)}
    columns = {character: place for place, character in enumerate(common(titles, rarest))}
    shape = (len(rows) + 1, len(columns))
    cell, word = alignments(titles, poems, rows, columns)
    first_of_word = np.unique(word, return_index=True)[1]
    frequency = np.bincount(cell[first_of_word] % shape[1], minlength=shape[1]) / len(first_of_word)
    table = np.full(shape, 1 / shape[1])
    for _ in range(rounds):
        weight = table.ravel()[cell]
        share = weight / np.bincount(word, weight)[word]
        seen = np.bincount(cell, share, shape[0] * shape[1]).reshape(shape) + prior * frequency
        table = seen / seen.sum(1, keepdims=True)
    return TranslationModel(rows, columns, table)


def common(texts: Iterable[str], rarest: int) -> list[str]:
    counts = Counter(character for text in texts for character in text)
    return [character for character, count in counts.items() if count >= rarest]


def alignments(
    titles: Sequence[str], poems: Sequence[str], rows: Mapping[str, int], columns: Mapping[str, int]
) -> tuple[Ints, Ints]:
    """Return for each pair of a title's and its poem's character its cell of the table and the title's character.

    The latter are numbered through over all titles.
    """
    cells, words, number = [], [], 0
    for title, poem in zip(titles, poems, strict=True):
        row = np.array([NULL, *(rows[character] for character in poem if character in rows)])
        column = np.array([columns[character] for character in title if character in columns], dtype=np.int64)
        cells.append((row[None, :] * len(columns) + column[:, None]).ravel())
        words.append(np.repeat(np.arange(number, number + len(column)), len(row)))
        number += len(column)
    return np.concatenate(cells), np.concatenate(words)


@dataclass(frozen=True)
class Judge:
    """Says how well titles go with poems, each title measured against a background of poems about other things."""

    model: TranslationModel
    background: Sequence[str]

    def scores(self, poems: Sequence[str], titles: Sequence[str]) -> Floats:
        """Return how much likelier than over the background each title is, in standard deviations, (poems, titles).

        A title that is likely whatever the poem says nothing, and a long one varies more than a short one: hence the
        background's mean and deviation of each title. One without a known character scores 0.
        """
        over_background = self.model.log_likelihoods([characters(poem) for poem in self.background], titles)
        deviation = over_background.std(0)
        gain = self.model.log_likelihoods(
            [characters(poem) for poem in poems], titles
        ) - over_background.mean(0)
        scores: Floats = gain / np.where(deviation > 0, deviation, 1.0)
        return scores

    def without_copies(self) -> Judge:
        """Return the judge that sees no title character where it stands in the poem."""
        return replace(self, model=self.model.without_copies())


def train_judge(poems: Iterable[Poem]) -> Judge:
    """Train a judge on the `judge` part of a corpus, but for a share of its titles, the background."""
    own = [poem for poem in poems if poem.part == "judge"]
    background = [poem for poem in own if is_background(poem.title)]
    learnt = [poem for poem in own if not is_background(poem.title)]
    model = train([poem.title for poem in learnt], [characters(poem.text) for poem in learnt])
    return Judge(model, [poem.text for poem in background])


def is_background(title: str) -> bool:
    # Not the bytes by which the parts of the corpus were drawn: in this part those are all alike.
    place = int.from_bytes(hashlib.sha256(title.encode()).digest()[8:16]) / 2**64
    return place < BACKGROUND_SHARE


def ranks(scores: Floats, true: Sequence[int] | Ints) -> Floats:
    """Return the place of the `true` (poems,) column in each row of `scores` (poems, titles); 1 is the highest.

    Titles of equal score share the mean of their places.
    """
    own = np.take_along_axis(scores, np.asarray(true)[:, None], axis=1)  # (poems, 1)
    higher = (scores > own).sum(1)
    equal = (scores == own).sum(1) - 1
    places: Floats = 1 + higher + equal / 2
    return places
