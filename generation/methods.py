"""The methods that write texts here, one record each: a new method is a new record (pure, knows no torch).

All are the one search of `generation.decoding` with other arguments: the weights of the score, and how to search.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


def gettext_noop(words: str) -> str:
    """Mark words for translation; Django's own would make the language models depend on it."""
    return words


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn; top_k 0 and top_p 1 leave all tokens in. Temperature 0 takes the likeliest token."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        if self.temperature < 0 or self.top_k < 0 or not 0 < self.top_p <= 1:
            raise ValueError(
                "temperature and top_k must not be negative, top_p must be above 0 and at most 1"
            )


@dataclass(frozen=True)
class SearchConfig:
    """n, m and the most short sentences (the paper's Table 8); of prose the most tokens of one, and the fewest.

    Texts that ended are compared with those that go on, and to equation 3 nothing is worth as much as the first short
    sentence, which mostly repeats the question: a model that likes to end would be left with little else.
    """

    beams: int
    samples: int
    most_sentences: int
    sampling: Sampling = Sampling()
    most_tokens: int = 40
    fewest_sentences: int = 0
    # How many may survive of the children of one beam, and of those with one first short sentence; 0: any number.
    most_children: int = 0
    most_of_an_opening: int = 0


# Table 8 of the paper: beams, samples a beam, short sentences. How to sample it does not say: for verse .8 gave better
# scores than 1 at the same cost. Free verse has at least four short sentences, because a mean favours short texts.
VERSE_SAMPLING = Sampling(temperature=0.8)
PRESETS = {
    "qa": SearchConfig(5, 5, 30, Sampling(temperature=0.9, top_p=0.95), fewest_sentences=8),
    # Answers of one paragraph, as long as people write them.
    "qa_paragraph": SearchConfig(5, 5, 8, Sampling(temperature=0.9, top_p=0.95), fewest_sentences=6),
    "poem": SearchConfig(10, 7, 8, VERSE_SAMPLING, fewest_sentences=4),
    "poem_evaluation": SearchConfig(10, 12, 8, VERSE_SAMPLING, fewest_sentences=4),
    # As the authors' published code searches, which differs from the paper (docs/models.md).
    "authors": SearchConfig(
        10, 7, 8, VERSE_SAMPLING, fewest_sentences=4, most_children=2, most_of_an_opening=5
    ),
}


@dataclass(frozen=True)
class Weights:
    """l1, l2, l and l3 of the equations; a term with weight 0 is not computed.

    Where `forward_floor` is given the forward term is a hinge: only what the mean log probability of a token is below
    it counts. `copies` is the penalty of a text with one character of its title, which grows with their number to the
    power `copies_power`. `nearness` is the weight of the cosine between the embeddings of text and title. None of these
    is in the paper; all need an inverse term beside them.
    """

    inverse: float
    forward: float
    length_power: float
    format: float
    forward_floor: float | None = None
    copies: float = 0.0
    copies_power: float = 1.0
    nearness: float = 0.0

    def as_preset(self, preset: str) -> Weights:
        """Return the weights as a preset of the search changes them."""
        return replace(self, **AUTHORS_SCORE) if preset == "authors" and self.inverse else self


# Of the authors' published code.
AUTHORS_SCORE: dict[str, float] = {"forward_floor": -6.5, "copies": 2.5, "copies_power": 2.5}


FORWARD = Weights(inverse=0, forward=1, length_power=0, format=0)
# The settings of section 5.1: lengths are normalised, l2 is .75 for poems and 1.5 for answers.
SEARCH_BASELINE = Weights(inverse=0, forward=0.75, length_power=1, format=1)
# The same for answers: a sum of log probabilities alone would favour the shortest.
PROSE_BASELINE = Weights(inverse=0, forward=1.5, length_power=1, format=0)
EQUATION_3 = Weights(inverse=1, forward=1.5, length_power=1, format=0)
EQUATION_4 = Weights(inverse=1, forward=0.75, length_power=1, format=1)
# A text is to be near its title in meaning without repeating its characters, and keep to its form. The weights were
# chosen on the thirty titles of fixtures/titles/tuning.json, which no study here has.
GUIDED_VERSE = replace(EQUATION_4, format=5, nearness=20, copies=0.7, copies_power=2)
GUIDED_PROSE = replace(EQUATION_3, nearness=20)


@dataclass(frozen=True)
class Method:
    """A method: the weights of its score for verse and for prose, None where it samples and scores nothing.

    `name` and `how` are what visitors read of it; without them they are not offered it.
    """

    key: str
    label: str
    verse: Weights | None
    prose: Weights | None
    self_trained: bool = False
    name: str = ""
    how: str = ""


METHODS = {
    method.key: method
    for method in (
        Method(
            key="inverse_prompting",
            label=gettext_noop("Inverse prompting"),
            verse=EQUATION_4,
            prose=EQUATION_3,
            name=gettext_noop("Inverse prompting"),
            how=gettext_noop("tries many short sentences and keeps those that lead back to what was asked"),
        ),
        Method(
            key="inverse_prompting_st",
            label=gettext_noop("Inverse prompting + self-training"),
            verse=EQUATION_4,
            prose=EQUATION_3,
            self_trained=True,
            name=gettext_noop("Inverse prompting with self-training"),
            how=gettext_noop("the same, by a model that has also learnt from its own best poems"),
        ),
        Method(
            key="guided_search",
            label=gettext_noop("Search guided by embeddings"),
            verse=GUIDED_VERSE,
            prose=GUIDED_PROSE,
            name=gettext_noop("Search guided by embeddings"),
            how=gettext_noop(
                "asks in both directions as inverse prompting does, and keeps what is near in meaning to what was asked"
            ),
        ),
        Method(
            key="search_baseline",
            label=gettext_noop("Search baseline"),
            verse=SEARCH_BASELINE,
            prose=PROSE_BASELINE,
            name=gettext_noop("Search baseline"),
            how=gettext_noop("tries as many and keeps those that read most smoothly"),
        ),
        Method(
            key="prompting_baseline",
            label=gettext_noop("Prompting baseline"),
            verse=None,
            prose=None,
            name=gettext_noop("Prompting baseline"),
            how=gettext_noop("writes straight on and looks back at nothing"),
        ),
        # The prompting baseline under the name that other papers give it.
        Method(key="sampling", label=gettext_noop("Sampling"), verse=None, prose=None),
    )
}
# Methods whose texts come from elsewhere, as reports call them.
OTHERS = {"human": gettext_noop("Human"), "cpm": "CPM", "jiuge": gettext_noop("Jiuge")}
LABELS = {**OTHERS, **{method.key: method.label for method in METHODS.values()}}
