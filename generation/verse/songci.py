"""The tunes of the ci: how many short sentences, how long, which rhyme, which tones (pure).

What a tune is like is not written down here but found in the corpus, by `derive_tunes`, and kept in data/tunes.json:

- The shape of a tune is the commonest sequence of lengths of its poems. Lengths are in Chinese characters: the pause
  mark 、 inside of a short sentence counts for nothing, and where it usually stands is kept on the side.
- Places rhyme with each other if their last characters are in one rhyme class of the ci in a clear majority of the
  poems of that shape. A capital stands for a level tone, a small letter for an oblique one; one letter in both is one
  class in two tones (西江月).
- A place has a tone if nine in ten of the poems have it there.
- A place is a refrain if it repeats the end of the short sentence before it in half of the poems (如梦令, 忆秦娥).

Only the `train` part of the corpus is looked at, and tunes with at least 15 poems of their shape are kept.
"""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import combinations, permutations
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from generation.texts.characters import simplified
from generation.verse.corpus import Poem, collection_files, is_tune
from generation.verse.rhymes import CI_LEVEL, ci_classes_of, tone_of

TUNES = Path(__file__).parent / "data" / "tunes.json"
PAUSE = "、"

FEWEST_POEMS = 15
RHYME_SHARE = 0.65
TONE_SHARE = 0.9
REFRAIN_SHARE = 0.5
LEVEL_BITS = (1 << CI_LEVEL) - 1


@dataclass(frozen=True)
class Tune:
    """A tune's shape, one entry a short sentence; `poems` of the corpus have it."""

    name: str
    poems: int
    lengths: tuple[int, ...]
    marks: tuple[str, ...]
    rhymes: str
    tones: tuple[str, ...]
    refrains: tuple[int, ...] = ()
    pauses: tuple[int, ...] = ()


@dataclass(frozen=True)
class TuneBook:
    """All tunes by name, and other names with the tune they stand for."""

    tunes: Mapping[str, Tune]
    aliases: Mapping[str, str]


@cache
def tune_book() -> TuneBook:
    """Return the tunes that come with the project."""
    return read_tunes(TUNES)


def find_tune(name: str) -> Tune | None:
    """Return a tune by one of its names, in whatever characters; None where there is no such tune."""
    book = tune_book()
    name = simplified(name.strip())
    return book.tunes.get(book.aliases.get(name, name))


def similar_tunes(name: str) -> list[str]:
    """Return up to three names of tunes that are like a name."""
    book = tune_book()
    return difflib.get_close_matches(simplified(name.strip()), [*book.tunes, *book.aliases], n=3, cutoff=0.3)


def derive_tunes(poems: Iterable[Poem], double_names: Iterable[str] = ()) -> TuneBook:
    """Find the shapes of the tunes in the ci of a corpus.

    `double_names` are the names of tunes as the collection has them, as often as it has them; one like 望江南・忆江南
    makes each name an alias of the other. A name with poems of its own in another shape is no alias.
    """
    texts: defaultdict[str, list[str]] = defaultdict(list)
    for poem in poems:
        if poem.tune and poem.part == "train":
            texts[poem.tune].append(poem.text)
    shapes = {name: commonest_shape(of_tune) for name, of_tune in texts.items()}
    found = [derive_tune(name, shape) for name, shape in shapes.items() if len(shape) >= FEWEST_POEMS]
    tunes = {tune.name: tune for tune in sorted(found, key=lambda tune: (-tune.poems, tune.name))}
    own_lengths = {name: lengths_of(shape[0]) for name, shape in shapes.items()}
    return TuneBook(tunes, derive_aliases(tunes, own_lengths, double_names))


def commonest_shape(texts: Iterable[str]) -> list[list[str]]:
    """Return the texts of the commonest sequence of lengths, each as its short sentences with their marks."""
    shapes: defaultdict[tuple[int, ...], list[list[str]]] = defaultdict(list)
    for text in texts:
        sentences = re.findall("[^，。？！；]+[，。？！；]", text)
        shapes[lengths_of(sentences)].append(sentences)
    return max(shapes.values(), key=len)


def lengths_of(sentences: Sequence[str]) -> tuple[int, ...]:
    return tuple(len(sentence.replace(PAUSE, "")) - 1 for sentence in sentences)


def derive_tune(name: str, poems: list[list[str]]) -> Tune:
    """Return what the poems of a tune, all of one shape, have in common."""
    places = [list(place) for place in zip(*poems, strict=True)]
    bare = [[sentence[:-1].replace(PAUSE, "") for sentence in place] for place in places]
    rhymes = common_rhymes([[sentence[-1] for sentence in place] for place in bare])
    refrains = [
        place
        for place in range(1, len(bare))
        if share(before.endswith(here) for before, here in zip(bare[place - 1], bare[place], strict=True))
        >= REFRAIN_SHARE
    ]
    return Tune(
        name=name,
        poems=len(poems),
        lengths=lengths_of(poems[0]),
        marks=tuple(common_mark(place) for place in places),
        rhymes=rhymes,
        tones=tuple(common_tones(place, rhyme != "-") for place, rhyme in zip(bare, rhymes, strict=True)),
        refrains=tuple(refrains),
        pauses=tuple(common_pause(place) for place in places),
    )


def share(truths: Iterable[bool]) -> float:
    """Return which share of the truth values is true, 0 where there are none."""
    values = list(truths)
    return sum(values) / len(values) if values else 0.0


def common_mark(sentences: list[str]) -> str:
    """Return whether short sentences of a place mostly end with a comma or with a full stop or its like."""
    return "，" if share(sentence[-1] in "，；" for sentence in sentences) > 1 / 2 else "。"


def common_pause(sentences: list[str]) -> int:
    """Return after how many characters most sentences of a place have their pause mark, 0 where most have none."""
    (pause, count), *_ = Counter(max(0, sentence.find(PAUSE)) for sentence in sentences).most_common(1)
    return pause if count > len(sentences) / 2 else 0


def common_tones(sentences: list[str], rhyming: bool) -> str:
    """Return the tones of a place, 中 where they are free; the last of a rhyming place is a matter of the rhyme."""
    pattern = ""
    for characters in zip(*sentences, strict=True):
        level = share(tone == "平" for character in characters if (tone := tone_of(character)))
        pattern += "平" if level >= TONE_SHARE else "仄" if level <= 1 - TONE_SHARE else "中"
    return pattern[:-1] + "中" if rhyming else pattern


def common_rhymes(finals: list[list[str]]) -> str:
    """Return for each place the letter of those it rhymes with, '-' where with none.

    `finals` holds the last characters, (places, poems).
    """
    classes = [[ci_classes_of(character) for character in place] for place in finals]
    groups = rhyming_groups(classes)
    # Once more without regard to tone: a group on level and one on oblique tones can share a class.
    toneless = [[one & LEVEL_BITS | one >> CI_LEVEL for one in place] for place in classes]
    joined = rhyming_groups(toneless)
    rhymes = ["-"] * len(finals)
    for group in groups:
        number = next(number for number, whole in enumerate(joined) if group <= whole)
        letter = ascii_uppercase[number]
        tones = Counter(tone_of(final) for place in group for final in finals[place])
        for place in group:
            rhymes[place] = letter if tones["平"] > tones["仄"] else letter.lower()
    return "".join(rhymes)


def rhyming_groups(classes: list[list[int]]) -> list[set[int]]:
    """Return the groups of places that rhyme with each other, by their first place; `classes` is (places, poems)."""
    groups: list[set[int]] = []
    for pair in combinations(range(len(classes)), 2):
        if shared(classes[pair[0]], classes[pair[1]]) >= RHYME_SHARE:
            touched = [group for group in groups if not group.isdisjoint(pair)]
            groups = [group for group in groups if group not in touched]
            groups.append(set(pair).union(*touched))
    return sorted(groups, key=min)


def shared(first: list[int], second: list[int]) -> float:
    """Return in which share of the poems two places have a rhyme class in common."""
    return share(bool(one & other) for one, other in zip(first, second, strict=True) if one and other)


def derive_aliases(
    tunes: Mapping[str, Tune], own_lengths: Mapping[str, tuple[int, ...]], double_names: Iterable[str]
) -> dict[str, str]:
    """Return the names without a tune in the book that stand beside one of it, or beside a name that does."""
    beside: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for double_name in double_names:
        for first, second in permutations(double_name.split("・"), 2):
            beside[first][second] += 1
    aliases: dict[str, str] = {}
    for name in sorted(filter(is_tune, beside.keys() - tunes.keys())):
        near = beside[name]
        far = sum((beside[other] for other in near), Counter())
        for names in (near, far):
            fitting = [
                other
                for other, _ in names.most_common()
                if other in tunes and own_lengths.get(name, tunes[other].lengths) == tunes[other].lengths
            ]
            if fitting:
                aliases[name] = fitting[0]
                break
    return aliases


def read_double_names(package: Path) -> list[str]:
    """Return the double names of tunes in the unpacked npm package, simplified, as often as they are there."""
    names: list[str] = []
    for path in collection_files(package, "ci"):
        entries = json.loads(simplified(path.read_text(encoding="utf-8")))
        names += [entry["rhythmic"] for entry in entries if "・" in entry.get("rhythmic", "")]
    return names


def write_tunes(book: TuneBook, path: Path = TUNES) -> None:
    """Write a book of tunes as JSON, one tune a line."""
    tunes = ",\n".join(json.dumps(asdict(tune), ensure_ascii=False) for tune in book.tunes.values())
    aliases = json.dumps(book.aliases, ensure_ascii=False, indent=0)
    path.write_text(f'{{"tunes": [\n{tunes}\n],\n"aliases": {aliases}}}\n', encoding="utf-8")


def read_tunes(path: Path) -> TuneBook:
    """Read what `write_tunes` wrote."""
    content = json.loads(path.read_text(encoding="utf-8"))
    tunes: dict[str, Tune] = {}
    for row in content["tunes"]:
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
        }
        tunes[fields["name"]] = Tune(**fields)
    return TuneBook(tunes, content["aliases"])
