"""Forms of Chinese verse and how far a poem is from its form: l_format of the paper, section 4.2 (pure).

What counts as a violation:

- length: each character that a short sentence has too many or too few. The pause mark of a ci is no character.
- tones: each place that has the wrong tone. Characters of both tones, and those without one in the table, fit anywhere.
- rhyme: each rhyming place that is outside of the rhyme most of them share. A character that is not in the table rhymes
  with nothing; so does one of the wrong tone, which is not counted again under tones.
- repetition: each character of a short sentence that an earlier one has; in a ci each that two earlier ones have, and
  each pair of neighbours that an earlier one has. A whole short sentence that comes again counts its characters once
  more. Within a short sentence a character may come twice (难别亦难), and counts from the third time; next to itself it
  counts unless verse doubles it (萧萧). Given first characters and the refrains of a tune (知否，知否) are free.

The rules of regulated verse are those of the textbooks: the second, fourth and sixth characters alternate, the two
sentences of a couplet are opposed and couplets adhere (粘对); the first, third and fifth are free but for 孤平 and
三平尾; 平平仄平仄 may stand for 平平平仄仄; one level Pingshui rhyme on the even short sentences, with which the first
rhymes, or a neighbour of it, if it ends level.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import pairwise, repeat
from typing import NamedTuple

from generation.orders import OrderRefused
from generation.texts.characters import simplified
from generation.verse.corpus import CI, HAN, REGULATED
from generation.verse.reduplications import reduplicated
from generation.verse.rhymes import (
    CI_LEVEL,
    LEVEL_RHYMES,
    ci_classes_of,
    neighbours_of,
    rhymes_of,
    tone_of,
    unmatched,
)
from generation.verse.songci import PAUSE, find_tune, similar_tunes

CHINESE = re.compile(f"[{HAN}]*")

# The last five characters of the kinds of line by the tones of their second and last character; 中 is free, a bar
# is between alternatives.
LINES = {
    ("仄", "仄"): "中仄中平仄",
    ("仄", "平"): "中仄仄平平",
    ("平", "仄"): "中平中仄仄|中平仄平仄",
    ("平", "平"): "平平中仄平|中平平仄平",
}
OPPOSITE = {"平": "仄", "仄": "平"}

# How a place rhymes. Places of one letter rhyme by the classes of the ci, a capital on a level tone, a small one on an
# oblique tone.
NOWHERE, PINGSHUI, PINGSHUI_IF_LEVEL = "-", "韵", "?"


@dataclass(frozen=True, slots=True)
class FormatPenalty:
    """Numbers of violations of a poem's form."""

    length: int = 0
    tones: int = 0
    rhyme: int = 0
    repetition: int = 0

    @property
    def total(self) -> float:
        """All violations, each worth one: l_format."""
        return float(self.length + self.tones + self.rhyme + self.repetition)


@dataclass(frozen=True)
class PoemForm:
    """How a poem is to be: lengths of its short sentences, their marks, tones and rhymes.

    `heads` are given first characters of the short sentences, none or fewer than there are sentences. `tones` holds
    patterns of the whole poem, of which the one that fits best counts. `rhymes` says for each place how it rhymes,
    `refrains` which places may repeat the end of the short sentence before, `pauses` after how many characters the
    pause mark usually stands in a short sentence (0: none); lengths do not count it.
    """

    key: str
    name: str
    lengths: tuple[int, ...]
    marks: tuple[str, ...]
    tune: str = ""
    heads: str = ""
    tones: tuple[tuple[str, ...], ...] = ()
    rhymes: str = ""
    refrains: tuple[int, ...] = ()
    pauses: tuple[int, ...] = ()

    def penalty(self, sentences: Sequence[str]) -> FormatPenalty:
        """Count the violations of a poem or of the beginning of one; `sentences` are without the marks that end them.

        No count is ever lower for a poem than for its beginning.
        """
        sentences = [sentence.replace(PAUSE, "") for sentence in sentences]
        return FormatPenalty(
            length=self.wrong_length(sentences),
            tones=min([sum(map(wrong_tones, pattern, sentences)) for pattern in self.tones], default=0),
            rhyme=self.wrong_rhymes(sentences),
            repetition=self.repetitions(sentences),
        )

    def with_pauses(self, sentences: Sequence[str]) -> str:
        """Return the text of short sentences, with their marks, and the pause mark where the tune usually has it.

        A short sentence of another length than the tune's stays as it is.
        """
        pauses = (*self.pauses, *repeat(0, len(sentences)))
        lengths = (*self.lengths, *repeat(0, len(sentences)))
        return "".join(
            sentence[:pause] + PAUSE + sentence[pause:]
            if pause and len(sentence) == length + 1 and PAUSE not in sentence
            else sentence
            for sentence, pause, length in zip(sentences, pauses, lengths, strict=False)
        )

    def wrong_length(self, sentences: Sequence[str]) -> int:
        lengths = tuple(map(len, sentences))
        if lengths == self.lengths[: len(lengths)]:
            return 0
        wanted = (*self.lengths, *repeat(0, len(lengths)))
        return sum(abs(length - right) for length, right in zip(lengths, wanted, strict=False))

    def wrong_rhymes(self, sentences: Sequence[str]) -> int:
        groups: dict[str, list[int]] = {}
        for place, sentence in zip(self.rhymes, sentences, strict=False):
            if place != NOWHERE and (rhymes := rhymes_at(place, sentence[-1:])) is not None:
                group = PINGSHUI if place == PINGSHUI_IF_LEVEL else place.upper()
                groups.setdefault(group, []).append(rhymes)
        return sum(unmatched(rhymes) for rhymes in groups.values())

    def repetitions(self, sentences: Sequence[str]) -> int:
        text = "".join(sentences)
        # Most hypotheses in a search have no character twice: they need no more than this.
        if len(set(text)) == len(text):
            return 0
        count = 0
        # Characters, and in a ci pairs of them, that one earlier short sentence has; characters that two have.
        once: set[str] = set()
        twice: set[str] = set()
        whole: set[str] = set()
        is_ci = self.key == "ci"
        for place, sentence in enumerate(sentences):
            if place in self.refrains and sentences[place - 1].endswith(sentence):
                continue
            given = place < len(self.heads) and sentence.startswith(self.heads[place])
            facts = facts_of(sentence[1:] if given else sentence)
            if is_ci:
                count += len(facts.characters & twice) + len(facts.pairs & once)
                twice |= facts.characters & once
                once |= facts.pairs
            else:
                count += len(facts.characters & once)
            count += facts.within + (len(sentence) if sentence in whole else 0)
            once |= facts.characters
            if given:
                once.add(sentence[0])
            whole.add(sentence)
        return count


class SentenceFacts(NamedTuple):
    """What a short sentence adds to the counts: tones as bits by place, its characters, repetitions of its own."""

    level: int
    oblique: int
    characters: frozenset[str]
    pairs: frozenset[str]
    within: int


@lru_cache(maxsize=1 << 16)
def facts_of(sentence: str) -> SentenceFacts:
    tones = [tone_of(character) for character in sentence]
    characters = frozenset(sentence)
    return SentenceFacts(
        level=sum(1 << place for place, tone in enumerate(tones) if tone == "平"),
        oblique=sum(1 << place for place, tone in enumerate(tones) if tone == "仄"),
        characters=characters,
        pairs=frozenset(first + second for first, second in pairwise(sentence)),
        within=sum(max(0, sentence.count(character) - 2) for character in characters)
        + len({first for first, second in pairwise(sentence) if first == second} - reduplicated()),
    )


@lru_cache(maxsize=1 << 17)
def wrong_tones(line: str, sentence: str) -> int:
    """Return how many characters of a short sentence have the wrong tone for a line of a pattern."""
    facts = facts_of(sentence)
    return min(
        (facts.oblique & level | facts.level & oblique).bit_count() for level, oblique in required_tones(line)
    )


@cache
def required_tones(line: str) -> tuple[tuple[int, int], ...]:
    """Return for each alternative of a line the places that must be level and those that must be oblique, as bits."""
    return tuple(
        (
            sum(1 << place for place, tone in enumerate(alternative) if tone == "平"),
            sum(1 << place for place, tone in enumerate(alternative) if tone == "仄"),
        )
        for alternative in line.split("|")
    )


@lru_cache(maxsize=1 << 15)
def rhymes_at(place: str, character: str) -> int | None:
    """Return the rhymes of a character that count at a place; None where it need not rhyme there."""
    if place == PINGSHUI:
        return rhymes_of(character) & LEVEL_RHYMES
    if place == PINGSHUI_IF_LEVEL:
        return neighbours_of(character) if tone_of(character) == "平" else None
    # The classes of both tones have one order, so a level and an oblique place can share a class (西江月).
    classes = ci_classes_of(character)
    return classes & ((1 << CI_LEVEL) - 1) if place.isupper() else classes >> CI_LEVEL


def regulated(key: str, characters: int, sentences: int) -> PoemForm:
    """Return a form of regulated verse: `sentences` short sentences of `characters` characters."""
    return PoemForm(
        key=key,
        name=REGULATED[characters, sentences],
        lengths=(characters,) * sentences,
        marks=("，", "。") * (sentences // 2),
        tones=tuple(
            tuple(regulated_line(place, second, characters) for place in range(sentences))
            for second in "平仄"
        ),
        rhymes=(PINGSHUI_IF_LEVEL + PINGSHUI + (NOWHERE + PINGSHUI) * sentences)[:sentences],
    )


def regulated_line(place: int, first: str, characters: int) -> str:
    """Return the pattern of one short sentence, `first` being the second tone of the five-character first one."""
    second = first if place % 4 in (0, 3) else OPPOSITE[first]
    if place == 0:
        lines = f"{LINES[second, '仄']}|{LINES[second, '平']}".split("|")
    elif place % 2:
        # The tone of the last character is a matter of the rhyme.
        lines = [line[:-1] + "中" for line in LINES[second, "平"].split("|")]
    else:
        lines = LINES[second, "仄"].split("|")
    start = "中" + OPPOSITE[second] if characters == 7 else ""
    return "|".join(start + line for line in lines)


REGULATED_FORMS = {
    form.key: form
    for form in (
        regulated("jueju5", 5, 4),
        regulated("jueju7", 7, 4),
        regulated("lushi5", 5, 8),
        regulated("lushi7", 7, 8),
    )
}
KEYS = (*REGULATED_FORMS, "ci")


def find_form(key: str, *, tune: str = "", heads: str = "") -> PoemForm:
    """Return a form by its key, a ci by its tune, an acrostic by its first characters; raise `OrderRefused`.

    Traditional characters and other names of a tune will do.
    """
    if key not in KEYS:
        raise OrderRefused(f"form: there is no form '{key}'; there are {', '.join(KEYS)}.")
    if tune and key != "ci":
        raise OrderRefused(f"tune: only a ci has a tune, not {key}.")
    form = ci(tune) if key == "ci" else REGULATED_FORMS[key]
    heads = simplified(heads.strip())
    if not CHINESE.fullmatch(heads):
        raise OrderRefused("heads: the first characters given must all be Chinese characters.")
    if len(heads) > len(form.lengths):
        raise OrderRefused(
            f"heads: {len(heads)} first characters are given, and the poem has {len(form.lengths)} short sentences."
        )
    return replace(form, heads=heads) if heads else form


def ci(name: str) -> PoemForm:
    """Return the form of a tune; raise `OrderRefused` with the names that are like it."""
    tune = find_tune(name)
    if tune is None:
        similar = "、".join(similar_tunes(name))
        hint = f"; did you mean {similar}?" if similar else "."
        raise OrderRefused(f"tune: there is no tune '{name}'{hint}")
    return PoemForm(
        key="ci",
        name=CI,
        lengths=tune.lengths,
        marks=tune.marks,
        tune=tune.name,
        tones=(tune.tones,),
        rhymes=tune.rhymes,
        refrains=tune.refrains,
        pauses=tune.pauses,
    )
