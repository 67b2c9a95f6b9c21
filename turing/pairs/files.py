"""Reading and storing pairs that somebody has made ready, one JSON object a line.

Fields: `title` (the prompt), `human` and `machine` (the texts), `source` (where the human text is from; the entry's
id, or a sentence that ends in a UUID, such as "package, file, UUID"), and optional: `form` (one of `Form`), `author`,
`dynasty`, `genre` (poem or qa; poem), `method` (key of what wrote the machine's text; inverse_prompting_st), `takeover`
(the sentence, from 2, at which the machine takes the human text over), `superficial` ("human" or "machine": which text
a classifier of the surface takes for the human one, left out where it tells nothing; not stored), `provenance`
({"score", "terms", "sentences", "runners_up", "unknown", "seconds", "facts"} as in `generation.models.Provenance`, each
optional; only `facts` must not be missing where there is one).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F

from generation.files.candidates import METHOD_KEY, wrong_provenance
from generation.files.problems import FileRefused, Problems
from generation.files.provenance import provenance_fields
from generation.models import Candidate
from generation.prompts import PromptContent
from generation.runs.runs import ImportedText, record_import
from generation.texts.characters import CONTROL
from generation.texts.normalising import normalise_title
from turing.models import FIRST_STEP, Form, Genre, PoemPair, SourceText
from turing.pairs.normalising import normalised, shape
from turing.pairs.pairing import Paired, human_candidates, pair_up

if TYPE_CHECKING:
    from stats.game.superficial import Superficial

REQUIRED = ("title", "human", "machine", "source")
OPTIONAL = {"form": "", "author": "", "dynasty": "", "genre": "poem", "method": "inverse_prompting_st"}
OTHERS = ("takeover", "superficial", "provenance")
LONGEST = {
    "title": 500,
    "human": 20_000,
    "machine": 20_000,
    "source": 300,
    "author": 100,
    "dynasty": 20,
    "method": 50,
}
CHOICES: dict[str, Sequence[str]] = {"form": ["", *Form.values], "genre": [Genre.POEM, Genre.QA]}
MOST_SENTENCES = 1000
UUID_AT_END = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


@dataclass(frozen=True)
class PairRow:
    """One pair of the file, its texts normalised."""

    line: int
    title: str
    human: str
    machine: str
    source: str
    form: str
    author: str
    dynasty: str
    genre: str
    method: str
    takeover: int | None = None
    provenance: Mapping[str, Any] | None = None


def read_pairs(path: Path) -> list[PairRow]:
    """Read a file of pairs; raise `FileRefused` with everything that is wrong in it."""
    problems = Problems(path.name)
    try:
        rows = [row for line, fields in _objects(path, problems) if (row := _row(line, fields, problems))]
    except (OSError, UnicodeDecodeError) as error:
        problems.add(0, "", f"cannot be read: {error}")
        raise FileRefused(problems) from error
    _check_whole(rows, problems)
    if problems:
        raise FileRefused(problems)
    return rows


@transaction.atomic
def import_pairs(path: Path) -> Paired:
    """Store the pairs of a file that are not there yet and put them into play; raise `FileRefused`."""
    rows = read_pairs(path)
    paired = Paired()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    by_genre: dict[str, list[PairRow]] = defaultdict(list)
    for row in rows:
        by_genre[row.genre].append(row)
    for genre, of_genre in by_genre.items():
        texts = _source_texts(of_genre)
        humans = human_candidates([texts[row.source] for row in of_genre], genre)
        new = _without_stored(of_genre, humans)
        machines = _machine_candidates(
            genre, [row for row, _ in new], {"import": path.name, "sha256": digest}
        )
        done = pair_up([human for _, human in new], machines, [row.takeover for row, _ in new])
        paired.pairs += done.pairs
        paired.refused += done.refused
    return paired


@dataclass(frozen=True)
class Written:
    """How many pairs a file holds, and how far their surface tells (None of fewer than 50 whole pairs)."""

    pairs: int
    superficial: Superficial | None


def write_pairs(path: Path, count: int | None, *, alike: bool = False) -> Written:
    """Write the first pairs of texts in play as a file that `read_pairs` reads.

    With `alike` each machine text is the one, of those that its search ended with, whose characters tell it least, and
    those `count` whole pairs are written that rarity and characters tell least; the others are left out.
    """
    # NumPy and SciPy, which no page of the game needs.
    from stats.game.characters import choose_alike, hardest_pairs
    from stats.game.superficial import MARGINS, superficial

    of_texts = PoemPair.objects.exclude(genre=Genre.CHAT)
    pairs = of_texts.order_by("genre", F("takeover").asc(nulls_first=True), "number")
    pairs = pairs.filter(takeover=None) if alike else pairs[:count]
    written = [
        _Chosen(pair, 0, pair.machine.text)
        for pair in pairs.select_related(
            "human__prompt", "human__source_text", "machine__provenance", "machine__run__method"
        )
    ]
    if alike:
        finals = [_finals(one.pair) for one in written]
        humans = [one.pair.human.text for one in written]
        places = choose_alike(humans, [[one.machine for one in own] for own in finals])
        written = [own[place] for own, place in zip(finals, places, strict=True)]
        if count is not None:
            written = [written[place] for place in hardest_pairs(*_texts(written), count)]
    whole = [one for one in written if one.pair.takeover is None]
    surface = superficial(*_texts(whole))
    margins = dict.fromkeys((one.pair.pk for one in whole), 0.0)
    if surface:
        margins = dict(zip(margins, MARGINS[surface.by](*_texts(whole)), strict=True))
    with path.open("w", encoding="utf-8") as file:
        for one in written:
            row = _written_row(one, margins.get(one.pair.pk, 0.0))
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return Written(len(written), surface)


@dataclass(frozen=True)
class _Chosen:
    """A pair with the machine's text that is written: the one of that rank among those its search ended with."""

    pair: PoemPair
    rank: int
    machine: str


def _finals(pair: PoemPair) -> list[_Chosen]:
    """Return a pair with each text that the machine's search ended with, the best first.

    Those that would tell the side by their form are left out.
    """
    others = pair.machine.provenance.runners_up if hasattr(pair.machine, "provenance") else []
    human = normalised(pair.human.text, pair.genre)
    finals = [_Chosen(pair, 0, pair.machine.text)]
    for rank, other in enumerate(others, start=1):
        text = normalised(other["text"], pair.genre)
        if text != human and (pair.genre != Genre.POEM or shape(text) == shape(human)):
            finals.append(_Chosen(pair, rank, other["text"]))
    return finals


def _texts(written: Sequence[_Chosen]) -> tuple[list[str], list[str]]:
    return [one.pair.human.text for one in written], [one.machine for one in written]


def _written_row(chosen: _Chosen, margin: float) -> dict[str, Any]:
    """Return a pair as a line of the file; a `margin` of 0 says that the surface tells nothing of it."""
    pair, rank = chosen.pair, chosen.rank
    source = pair.human.source_text
    row: dict[str, Any] = {
        "title": pair.human.prompt.text,
        "human": pair.human.text,
        "machine": chosen.machine,
        "source": source.source_id,
        "form": source.form,
        "author": source.author,
        "dynasty": source.dynasty,
        "genre": pair.genre,
        "method": pair.machine.run.method.key,
    }
    if pair.takeover:
        row["takeover"] = pair.takeover
    if margin:
        row["superficial"] = "human" if margin > 0 else "machine"
    if hasattr(pair.machine, "provenance"):
        row["provenance"] = provenance_fields(pair.machine.provenance, runners_up=rank, sentences=False)
        if others := row["provenance"].pop("runners_up", []):
            # Of a text that the search did not end with first, score and terms are its own.
            row["provenance"] |= {name: others[-1][name] for name in ("score", "terms")}
            row["provenance"]["facts"] = row["provenance"]["facts"] | {"rank": rank}
    return row


def _objects(path: Path, problems: Problems) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                fields = json.loads(line)
            except (ValueError, RecursionError) as error:
                problems.add(number, "", f"is not JSON: {error}")
                continue
            if isinstance(fields, dict):
                yield number, fields
            else:
                problems.add(
                    number, "", 'must be a JSON object: {"title": ..., "human": ..., "machine": ..., ...}'
                )


def _row(line: int, fields: dict[str, Any], problems: Problems) -> PairRow | None:
    before = len(problems)
    given: dict[str, Any] = {name: fields.get(name) for name in REQUIRED} | {
        name: fields.get(name, default) for name, default in OPTIONAL.items()
    }
    for name in fields.keys() - given.keys() - set(OTHERS):
        problems.add(line, name, f"is none of {', '.join((*given, *OTHERS))}")
    if fields.get("superficial") not in (None, "human", "machine"):
        problems.add(line, "superficial", "must be human or machine")
    takeover = fields.get("takeover")
    if takeover is not None and not (type(takeover) is int and FIRST_STEP <= takeover <= MOST_SENTENCES):
        problems.add(line, "takeover", f"must be a whole number from {FIRST_STEP} to {MOST_SENTENCES}")
    for name, value in given.items():
        if why := _wrong(name, value):
            problems.add(line, name, why)
    provenance = fields.get("provenance")
    if why := wrong_provenance(provenance):
        problems.add(line, "provenance", why)
    if len(problems) > before:
        return None
    genre = given["genre"]
    human, machine = normalised(given["human"], genre), normalised(given["machine"], genre)
    if human == machine:
        problems.add(line, "machine", "is the human text")
    elif genre == "poem" and shape(human) != shape(machine):
        problems.add(
            line, "machine", f"has other lines than the human text: {shape(machine)}, not {shape(human)}"
        )
    source = UUID_AT_END.search(given["source"])
    texts = {"title": normalise_title(given["title"]), "human": human, "machine": machine}
    return PairRow(
        **{**given, **texts, "source": source[0] if source else given["source"]},
        line=line,
        takeover=takeover,
        provenance=provenance,
    )


def _wrong(name: str, value: object) -> str:
    """Return what is wrong with a field, or ""."""
    if not isinstance(value, str):
        return "is missing or no text"
    if name in REQUIRED and not value.strip():
        return "is empty"
    if name in CHOICES:
        return "" if value in CHOICES[name] else f"must be one of {', '.join(filter(None, CHOICES[name]))}"
    if len(value) > LONGEST[name] or CONTROL.search(value):
        return f"is longer than {LONGEST[name]:,} characters or holds control characters"
    return (
        f"{value!r} may only hold English letters, digits, - and _"
        if name == "method" and not METHOD_KEY.fullmatch(value)
        else ""
    )


def _check_whole(rows: list[PairRow], problems: Problems) -> None:
    if not rows and not problems:
        problems.add(0, "", "holds no pairs")
    first: dict[str, PairRow] = {}
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        same = first.setdefault(row.source, row)
        if (row.title, row.human) != (same.title, same.human):
            problems.add(row.line, "human", f"differs from that of the same source on line {same.line}")
        line = seen.setdefault((row.source, row.machine), row.line)
        if line != row.line:
            problems.add(row.line, "", f"is the pair of line {line} again")


def _source_texts(rows: list[PairRow]) -> dict[str, SourceText]:
    """Return the human text of each source, stored now or before; what the collection says of it stays."""
    SourceText.objects.bulk_create(
        [
            SourceText(
                source_id=row.source,
                title=row.title,
                author=row.author,
                dynasty=row.dynasty,
                form=row.form,
                text=row.human,
            )
            for row in {row.source: row for row in rows}.values()
        ],
        ignore_conflicts=True,
        batch_size=2000,
    )
    texts = SourceText.objects.in_bulk([row.source for row in rows], field_name="source_id")
    for row in rows:
        # The title and text of the file are what the machine's text was written for.
        texts[row.source].title, texts[row.source].text = row.title, row.human
    return texts


def _without_stored(rows: list[PairRow], humans: list[Candidate]) -> list[tuple[PairRow, Candidate]]:
    """Return the rows with their human candidates, without those whose pair is stored already."""
    stored = set(PoemPair.objects.filter(human__in=humans).values_list("human", "machine__text"))
    return [
        (row, human) for row, human in zip(rows, humans, strict=True) if (human.pk, row.machine) not in stored
    ]


def _machine_candidates(genre: str, rows: list[PairRow], source: dict[str, Any]) -> list[Candidate]:
    """Store the machine texts as finished runs, with their provenance, and return the candidates in the same order."""
    candidates: dict[int, int] = {}
    waiting = dict(enumerate(rows))
    while waiting:
        # A run holds one text for a prompt.
        layer = {(row.title, row.method): place for place, row in reversed(waiting.items())}
        texts = [
            ImportedText(
                PromptContent(rows[at].title), rows[at].method, rows[at].machine, rows[at].provenance
            )
            for at in layer.values()
        ]
        made = record_import(genre, texts, source=source)
        candidates.update(zip(layer.values(), (one.pk for one in made), strict=True))
        waiting = {place: row for place, row in waiting.items() if place not in candidates}
    stored = Candidate.objects.select_related("prompt").in_bulk(list(candidates.values()))
    return [stored[candidates[place]] for place in range(len(rows))]
