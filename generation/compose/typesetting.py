"""A composition set in lines as in print; what is still to be written of a form stands there as empty boxes (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from generation.genres import GENRES
from generation.texts.normalising import SHORT_SENTENCE, normalise_text
from generation.verse.forms import KEYS, FormatPenalty, PoemForm, find_form

BOX = "□"
# Stands for the boxes while the lines are set, which goes by Chinese characters.
ANY_CHARACTER = "字"
# So much room is kept for a poem whose lines nobody can know.
LINES_OF_FREE_POEM = 4


@dataclass(frozen=True)
class Piece:
    """A part of a line: `written`, `head` (a given first character), or `unwritten`."""

    kind: str
    text: str


Line = list[Piece]


def form_of(config: Mapping[str, str]) -> PoemForm | None:
    """Return the form that the run of a poem asks for, None where the poem is free or no Chinese one."""
    if config.get("form") not in KEYS:
        return None
    return find_form(config["form"], tune=config.get("tune", ""), heads=config.get("heads", ""))


def lines_of(text: str, genre: str, form: PoemForm | None) -> list[Line]:
    """Return the lines of a text, of one that is not finished with room for the rest."""
    if form:
        return _lines_of_form(text, form)
    lines = [[Piece("written", line)] for line in normalise_text(text, genre).split("\n")]
    missing = LINES_OF_FREE_POEM - len(lines) if GENRES[genre].is_verse else 0
    return lines + [[Piece("written", "")]] * missing


def _lines_of_form(text: str, form: PoemForm) -> list[Line]:
    sentences = iter(SHORT_SENTENCE.findall(text.replace("\n", "")))
    heads = iter(form.heads)
    lines = []
    for blanks in _blank_lines(form):
        pieces = [piece for blank in blanks for piece in _pieces(next(sentences, ""), next(heads, ""), blank)]
        lines.append(_joined(pieces))
    rest = "".join(sentences)
    return [*lines, [Piece("written", rest)]] if rest else lines


def _blank_lines(form: PoemForm) -> Iterator[list[str]]:
    """Yield for each line of a form its short sentences, with boxes for characters."""
    sentences = (length * ANY_CHARACTER + mark for length, mark in zip(form.lengths, form.marks, strict=True))
    for line in normalise_text("".join(sentences), "poem").split("\n"):
        yield [sentence.replace(ANY_CHARACTER, BOX) for sentence in SHORT_SENTENCE.findall(line)]


def _pieces(sentence: str, head: str, blank: str) -> list[Piece]:
    if not sentence:
        return [Piece("head", head), Piece("unwritten", blank[1:])] if head else [Piece("unwritten", blank)]
    if head and sentence.startswith(head):
        return [Piece("head", head), Piece("written", sentence[len(head) :])]
    return [Piece("written", sentence)]


def _joined(pieces: list[Piece]) -> Line:
    """Return pieces with neighbours of one kind put together."""
    line: Line = []
    for piece in pieces:
        if line and line[-1].kind == piece.kind:
            line[-1] = Piece(piece.kind, line[-1].text + piece.text)
        else:
            line.append(piece)
    return line


def breaches(text: str, form: PoemForm) -> FormatPenalty:
    """Count where a finished poem breaks its form."""
    return form.penalty([sentence.rstrip("，。；？！") for sentence in SHORT_SENTENCE.findall(text)])
