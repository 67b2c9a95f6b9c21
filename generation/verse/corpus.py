"""The corpus of Chinese verse that the verse model is trained on, made from the npm package chinese-poetry.

Three collections are read, all turned into simplified characters: the Quan Tang Shi (`tang`), the poems of the Quan
Song Shi (`song`) and the Quan Song Ci (`ci`). What is kept:

- Regulated verse: 4 or 8 short sentences of 5 or 7 characters each, with a title of 1 to 16 Chinese characters.
- Old-style verse of the Tang in any other shape, an even number of short sentences up to 16, with such a title.
- Ci with a known tune, up to 150 characters. The collection names no subjects, so each is given for a title the
  first two characters of its text that are the whole title of several poems, where there are any.

No text is taken twice. A poem's part is drawn from a hash of its title (of its tune and text for a ci):

- `held_out` (2 % of the titles): the model never sees a poem under such a title, losses are measured on them.
- `judge` (a quarter of the titles of the Song): poems for a scorer that is to share none with the model. A poem of the
  Tang under such a title is learnt from all the same.
- `train`: the rest.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from generation.files.whole_files import written_whole
from generation.refusals import Refused
from generation.texts.characters import VARIANTS, converter

Collection = Literal["tang", "song", "ci"]
Part = Literal["train", "held_out", "judge"]

PACKAGE = "chinese-poetry"
PACKAGE_VERSION = "2.0.1"
FILES: dict[Collection, tuple[str, str]] = {
    "tang": ("quantangshi", "poet.tang.*.json"),
    "song": ("quantangshi", "poet.song.*.json"),
    # Without ci.song.0.json, the first thousand: the model that is shipped never saw them.
    "ci": ("songci", "ci.song.*000.json"),
}
# Name of a form by (characters a short sentence, short sentences).
REGULATED = {(5, 4): "五绝", (7, 4): "七绝", (5, 8): "五律", (7, 8): "七律"}
OLD_STYLE = "古体"
CI = "词"
# What the package has where the author or the tune is not known.
NAMELESS, NAMELESS_TUNE = "无名氏", "失调名"
FORMS = (*REGULATED.values(), OLD_STYLE, CI)

LONGEST_TITLE = 16
MOST_OLD_STYLE_SENTENCES = 16
LONGEST_CI = 150
HELD_OUT_SHARE = 0.02
JUDGE_SHARE = 0.25

HAN = "\u3400-\u4dbf\u4e00-\u9fff"
# A short sentence ends at one of these marks; the Quan Song Ci also uses the pause mark inside of one.
SENTENCE = re.compile(f"([{HAN}]+)([，。？！；])")
SENTENCE_OF_CI = re.compile(f"((?:[{HAN}]+、)*[{HAN}]+)([，。？！；])")
NOTE = re.compile(r"[（(\[〔{【][^）)\]〕}】]*[）)\]〕}】]")
NUMBERING = re.compile("[ 　]*(其[一二三四五六七八九十百]+|第[一二三四五六七八九十百]+)$")
COUNT = re.compile("[一二三四五六七八九十百]+[首绝章韵][其之]?[一二三四五六七八九十百]*$")
# The Quan Tang Shi puts the name of the song book before the title of a song.
SONG_BOOK = re.compile("^.*(?:曲辞|歌辞|乐府|舞辞|郊庙)[ 　。·]+(?=.)")


@dataclass(frozen=True, slots=True)
class Poem:
    """A poem in simplified characters; `text` is its short sentences with their marks, without line ends.

    `title` is empty for a ci of which no two characters are a title; `tune` is empty for all that is no ci.
    """

    collection: Collection
    part: Part
    form: str
    tune: str
    title: str
    author: str
    text: str

    @property
    def sentences(self) -> list[str]:
        """The short sentences without the marks that end them."""
        return sentences_of(self.text)


def sentences_of(text: str) -> list[str]:
    """Return the short sentences of a text without the marks that end them."""
    return [sentence for sentence in re.split("[，。？！；]", text) if sentence]


def read_corpus(package: Path, progress: Callable[[list[Path]], Iterable[Path]] = iter) -> list[Poem]:
    """Read, simplify and sort out all poems of the unpacked npm package; raise `Refused`.

    `progress` wraps the list of files, for a progress bar. The same package gives the same list.
    """
    collection_of = {
        path: collection for collection in FILES for path in collection_files(package, collection)
    }
    poems: dict[str, Poem] = {}
    for path in progress(list(collection_of)):
        for number, entry in enumerate(read_entries(path), start=1):
            try:
                poem = read_entry(collection_of[path], entry)
            except (AttributeError, KeyError, TypeError) as error:
                raise Refused(f"{path}, entry {number}: is no poem of the package") from error
            if poem is not None:
                poems.setdefault(poem.text, poem)
    return list(name_ci(list(poems.values())))


def collection_files(package: Path, collection: Collection) -> list[Path]:
    """Return the files of a collection in the order of their numbers; raise `Refused` where there are none."""
    folder, pattern = FILES[collection]
    files = sorted((package / "dist" / folder).glob(pattern), key=lambda path: int(path.name.split(".")[2]))
    if not files:
        raise Refused(
            f"{package} is not the unpacked npm package {PACKAGE}: it has no dist/{folder}/{pattern}"
        )
    return files


def read_entries(path: Path) -> list[dict[str, Any]]:
    """Return the entries of a file in simplified characters; raise `Refused` where it is not JSON."""
    try:
        # The whole file at once: the converter looks at phrases, and a call for each poem would take long.
        text = converter()(path.read_text(encoding="utf-8")).translate(VARIANTS)
        entries = json.loads(text)
    except json.JSONDecodeError as error:
        raise Refused(f"{path}, line {error.lineno}: is not JSON ({error.msg})") from error
    except UnicodeDecodeError as error:
        raise Refused(f"{path}: is not UTF-8 (byte {error.start})") from error
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from error
    if not isinstance(entries, list):
        raise Refused(f"{path}: is no list of poems")
    return entries


def read_entry(collection: Collection, entry: dict[str, Any]) -> Poem | None:
    """Return one entry of the package (in simplified characters) as a poem, None where it is not of a kind we keep.

    Raise AttributeError, KeyError or TypeError where it is no entry at all.
    """
    text = NOTE.sub("", "".join(entry["paragraphs"]))
    author = entry["author"] if re.fullmatch(f"[{HAN}]{{2,4}}", entry["author"]) else ""
    author = "" if author == NAMELESS else author
    if collection == "ci":
        return read_ci(entry["rhythmic"].split("・")[0], author, text)
    return read_verse(collection, clean_title(entry["title"]), author, text)


def read_ci(tune: str, author: str, text: str) -> Poem | None:
    """Return a ci, None where its text is damaged or too long or its tune unknown."""
    if not whole(SENTENCE_OF_CI.findall(text), text) or len(text) > LONGEST_CI or not is_tune(tune):
        return None
    return Poem("ci", part_of(tune + text, "ci"), CI, tune, "", author, text)


def read_verse(collection: Collection, title: str, author: str, text: str) -> Poem | None:
    """Return a poem of the Tang or the Song, None where it has no title, is damaged or of no form we keep."""
    pairs = SENTENCE.findall(text)
    if not title or not whole(pairs, text):
        return None
    form = form_of([sentence for sentence, _ in pairs])
    if form is not None:
        # Couplets with the same marks: which mark an editor chose is nothing to learn.
        text = "".join(sentence + "，。"[place % 2] for place, (sentence, _) in enumerate(pairs))
    elif collection == "song" or len(pairs) > MOST_OLD_STYLE_SENTENCES or len(pairs) % 2:
        return None
    return Poem(collection, part_of(title, collection), form or OLD_STYLE, "", title, author, text)


def form_of(sentences: list[str]) -> str | None:
    """Return the form of regulated verse that short sentences have by their number and lengths, if any."""
    lengths = {len(sentence) for sentence in sentences}
    return REGULATED.get((lengths.pop(), len(sentences))) if len(lengths) == 1 else None


def whole(pairs: list[tuple[str, str]], text: str) -> bool:
    """Return whether the short sentences and their marks are the text and nothing is left over."""
    return len(pairs) > 1 and sum(len(sentence) + 1 for sentence, _ in pairs) == len(text)


def is_tune(tune: str) -> bool:
    """Return whether what the package has for a tune is the name of one."""
    return re.fullmatch(f"[{HAN}]{{2,7}}", tune) is not None and tune != NAMELESS_TUNE


def clean_title(title: str) -> str:
    """Return a title without notes, numbering and song book; empty if what is left is no title we keep.

    >>> clean_title("横吹曲辞 洛阳陌"), clean_title("逍遥堂五咏  其二"), clean_title("杂诗（一作古意）三首")
    ('洛阳陌', '逍遥堂五咏', '杂诗')
    """
    title = NOTE.sub("", title).strip()
    title = SONG_BOOK.sub("", NUMBERING.sub("", title))
    title = title.replace(" ", "").replace("　", "")
    shorter = COUNT.sub("", title)
    title = shorter if len(shorter) > 1 else title
    return title if re.fullmatch(f"[{HAN}]{{1,{LONGEST_TITLE}}}", title) else ""


def part_of(title: str, collection: Collection) -> Part:
    """Return the part of the corpus that all poems of a title in a collection are in."""
    place = int.from_bytes(hashlib.sha256(title.encode()).digest()[:8]) / 2**64
    if place < HELD_OUT_SHARE:
        return "held_out"
    return "judge" if collection == "song" and place < HELD_OUT_SHARE + JUDGE_SHARE else "train"


def name_ci(poems: list[Poem]) -> Iterator[Poem]:
    """Give each ci for a title two characters of its text that are the whole title of at least three poems."""
    titles = Counter(poem.title for poem in poems if poem.part == "train" and len(poem.title) == 2)
    for poem in poems:
        if poem.form == CI:
            pairs = (poem.text[place : place + 2] for place in range(len(poem.text) - 1))
            poem = replace(poem, title=next((pair for pair in pairs if titles[pair] > 2), ""))
        yield poem


def write_corpus(poems: list[Poem], path: Path) -> None:
    """Write poems as JSON Lines; the file is there whole or not at all."""
    with written_whole(path) as file:
        file.writelines(json.dumps(asdict(poem), ensure_ascii=False) + "\n" for poem in poems)


def load_corpus(path: Path) -> list[Poem]:
    """Read what `write_corpus` wrote; raise `Refused` with the line where it is something else."""
    poems: list[Poem] = []
    try:
        # In bytes: a text file would decode ahead, and a damaged line would be blamed on another.
        with path.open("rb") as file:
            poems.extend(poem_of(line.decode()) for line in file)
    except OSError as error:
        raise Refused(f"{path} cannot be read ({error.strerror}); prepare_corpus makes it") from error
    except (ValueError, TypeError) as error:
        raise Refused(f"{path}, line {len(poems) + 1}: is no poem of a prepared corpus") from error
    return poems


def poems_of(path: Path) -> Iterator[Poem]:
    """Yield the poems of a corpus one after the other, which takes less memory than all of them."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield poem_of(line)
            except (ValueError, TypeError) as error:
                raise Refused(f"{path}, line {number}: is no poem of a prepared corpus") from error


def poem_of(line: str) -> Poem:
    """Return the poem of a line of a prepared corpus; raise ValueError or TypeError where it is none."""
    poem = Poem(**json.loads(line))
    known = poem.collection in FILES and poem.part in get_args(Part) and poem.form in FORMS
    if not known or not all(isinstance(value, str) for value in astuple(poem)):
        raise ValueError("a collection, part or form that there is not")
    return poem


def fingerprint(poems: list[Poem]) -> str:
    """Return a digest of a corpus, which is another one for any other poems or order."""
    digest = hashlib.sha256()
    for poem in poems:
        digest.update("\t".join(astuple(poem)).encode() + b"\n")
    return digest.hexdigest()
