"""Files of ratings read into arrays, by whatever shape they have, with everything wrong told by its place (pure)."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from annotations.imports.rating_columns import PERSON, PREFIXES, Reading
from annotations.imports.rating_texts import Text, text_of_id, texts_of_questions
from annotations.imports.rating_tools import RatingFile
from annotations.imports.rating_words import LEFT, RIGHT, TIES, point_of, time_of
from generation.files.problems import FileRefused, Place, shown
from generation.refusals import Refused
from stats.scores import Ints

MOST_PROBLEMS = 1_000
LONGEST_NAME = 150
PREFERENCE = "preference"
OF_RATER = re.compile(
    rf"^({PERSON}[ _.-]?#?\d+)[ _.:-]+(.+)$|^(.+?)[ _.:-]+({PERSON}[ _.-]?#?\d+)$", re.IGNORECASE
)


class Levels(dict[str, int]):
    """Names in order of appearance, each with its number."""

    def __missing__(self, name: str) -> int:
        self[name] = number = len(self)
        return number


@dataclass
class RatingRecords:
    """N ratings as places in lists of names, in the order of the files; `position` is -1 where it is not known."""

    kind: str
    evaluators: Levels = field(default_factory=Levels)
    prompts: Levels = field(default_factory=Levels)
    methods: Levels = field(default_factory=Levels)
    criteria: Levels = field(default_factory=Levels)
    evaluator_codes: array[int] = field(default_factory=lambda: array("i"))
    prompt_codes: array[int] = field(default_factory=lambda: array("i"))
    method_codes: array[int] = field(default_factory=lambda: array("i"))
    criterion_codes: array[int] = field(default_factory=lambda: array("i"))
    scores: array[float] = field(default_factory=lambda: array("d"))
    positions: array[int] = field(default_factory=lambda: array("i"))
    # When the rating was given, in seconds since 1970; NaN where that is not known.
    times: array[float] = field(default_factory=lambda: array("d"))
    # By evaluator and prompt the method picked as best.
    picks: dict[tuple[int, int], int] = field(default_factory=dict)
    # By prompt and method.
    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    prompt_texts: dict[int, str] = field(default_factory=dict)
    domains: dict[int, str] = field(default_factory=dict)
    groups: dict[int, str] = field(default_factory=dict)
    # Scores that are not there.
    missing: int = 0
    names_evaluators: bool = True

    def __len__(self) -> int:
        return len(self.scores)

    def codes(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Return evaluator, prompt, method and criterion of every rating, each (N,)."""
        found = (self.evaluator_codes, self.prompt_codes, self.method_codes, self.criterion_codes)
        evaluator, prompt, method, criterion = (
            np.frombuffer(one, dtype=np.int32).astype(np.int64) for one in found
        )
        return evaluator, prompt, method, criterion


def read_ratings(files: Sequence[RatingFile], reading: Reading, texts: Mapping[str, Text]) -> RatingRecords:
    """Read all files; raise `FileRefused` with everything wrong in them, or `Refused` where there are no ratings."""
    records = RatingRecords(reading.kind, names_evaluators=not reading.columns.get("raters"))
    for file in files:
        reader = _Reader(file, reading, texts, records)
        for place, fields in file.rows():
            reader.add(place, fields)
            if len(file.problems) >= MOST_PROBLEMS:
                break
    # Forms and columns of raters name those who answered in ways of their own.
    if any(len(name) > LONGEST_NAME for name in records.evaluators):
        files[0].problems.add(0, "evaluator", _("is longer than %(most)d characters"), most=LONGEST_NAME)
    if any(file.problems for file in files):
        raise FileRefused(*(file.problems for file in files))
    if reading.kind == "pairs":
        _settle_pairs(records)
    if not len(records):
        raise Refused(_("There is no rating in the file."))
    return records


class _Reader:
    """Reads the rows of one file into the records; each shape of a row is a method."""

    def __init__(
        self, file: RatingFile, reading: Reading, texts: Mapping[str, Text], records: RatingRecords
    ) -> None:
        self.problems, self.reading, self.texts, self.records = file.problems, reading, texts, records
        self.points: dict[Any, Any] = {}
        role = reading.column
        self.evaluator, self.prompt, self.method = role("evaluator"), role("prompt"), role("method")
        self.criterion, self.score, self.text_id = role("criterion"), role("score"), role("text_id")
        self.kind, self.answered_at, self.place = role("kind"), role("answered_at"), role("position")
        beside = ("text", "prompt_text", "best", "group", "domain")
        self.beside = {name: role(name) for name in beside if role(name)}
        self.last_time: tuple[Any, float] = (None, math.nan)
        self.row = 0
        self.questions = texts_of_questions(reading.columns.get("questions", ()), texts)
        self.raters = [_rater(column) for column in reading.columns.get("raters", ())]
        self.scores = [(column, _criterion_name(column)) for column in reading.columns.get("scores", ())]
        self.alone = (
            _criterion_name(self.score) if plain_name(self.score) not in ("value", "rating") else "score"
        )
        self.add: Callable[[Place, Mapping[str, Any]], None] = (
            self.add_questions
            if self.questions
            else self.add_pair
            if reading.kind == "pairs"
            else self.add_raters
            if self.raters
            else self.add_scores
            if self.scores
            else self.add_rating
        )

    def add_rating(self, place: Place, fields: Mapping[str, Any]) -> None:
        """Read a row of one rating."""
        if (who := self.named(place, fields, self.evaluator, "evaluator")) is None:
            return
        if (text := self.text(place, fields)) is None:
            return
        # The table of answers that this site writes has picks in rows of their own.
        if self.kind and fields.get(self.kind) == "best_choice":
            self.details(place, fields, self.records.evaluators[who], *text)
            return
        criterion = self.name_in(fields, self.criterion) if self.criterion else self.alone
        if not criterion:
            self.problems.add(place, self.criterion, _("is empty"))
            return
        self.store(place, fields, who, text, criterion, self.score)

    def add_scores(self, place: Place, fields: Mapping[str, Any]) -> None:
        """Read a row with a column a criterion."""
        if (who := self.named(place, fields, self.evaluator, "evaluator")) is None:
            return
        if (text := self.text(place, fields)) is None:
            return
        for column, criterion in self.scores:
            self.store(place, fields, who, text, criterion, column)

    def add_raters(self, place: Place, fields: Mapping[str, Any]) -> None:
        """Read a row with a column a rater, who has no name."""
        if (text := self.text(place, fields)) is None:
            return
        said = self.name_in(fields, self.criterion) if self.criterion else ""
        for column, (rater, criterion) in zip(self.reading.columns["raters"], self.raters, strict=True):
            self.store(place, fields, rater, text, said or criterion or "score", column)

    def add_questions(self, place: Place, fields: Mapping[str, Any]) -> None:
        """Read a row with all answers of one person, a column a question."""
        self.row += 1
        who = self.name_in(fields, self.evaluator) if self.evaluator else ""
        who = who or _("response %(number)d") % {"number": self.row}
        for column, of in self.questions.items():
            text = self.placed(of)
            self.store(place, fields, who, text, of.criterion or "score", column)

    def add_pair(self, place: Place, fields: Mapping[str, Any]) -> None:
        """Read a row that says which of two texts is the better one."""
        if (who := self.named(place, fields, self.evaluator, "evaluator")) is None:
            return
        if (prompt := self.named(place, fields, self.prompt, "prompt")) is None:
            return
        role = self.reading.column
        winner = self.name_in(fields, role("winner"))
        if role("loser"):
            a, b, result = winner, self.name_in(fields, role("loser")), 0.0
        else:
            a, b = self.name_in(fields, role("a")), self.name_in(fields, role("b"))
            said = winner.casefold()
            if not winner:
                self.records.missing += 1
                return
            found = (
                0.0 if winner == a or (winner != b and said in LEFT)
                else 1.0 if winner == b or said in RIGHT
                else 0.5 if said in TIES
                else None
            )  # fmt: skip
            if found is None:
                self.problems.add(
                    place,
                    role("winner"),
                    _("%(winner)s is neither of the two, and no tie"),
                    winner=shown(winner),
                )
                return
            result = found
        if not a or not b or a == b:
            self.problems.add(place, role("b") or role("loser"), _("a comparison needs two methods"))
            return
        records = self.records
        criterion = self.name_in(fields, self.criterion) or PREFERENCE
        for method, score in ((a, 1.0 - result), (b, result)):
            self.append(who, (records.prompts[prompt], records.methods[method]), criterion, score)
        self.details(place, fields, records.evaluators[who], records.prompts[prompt], -1)

    def text(self, place: Place, fields: Mapping[str, Any]) -> tuple[int, int] | None:
        """Return prompt and method of the text that a row rates; None where they are not known, which is noted."""
        if self.text_id and not (self.prompt and self.method):
            name = self.name_in(fields, self.text_id)
            known = self.texts.get(name) if self.texts else text_of_id(name)
            if known is None:
                self.problems.add(
                    place,
                    self.text_id,
                    _(
                        "%(text)s is not in the table of texts; give one with the columns id, prompt, method, text"
                    ),
                    text=shown(name),
                )
                return None
            return self.placed(known)
        prompt = self.named(place, fields, self.prompt, "prompt")
        method = self.named(place, fields, self.method, "method")
        if prompt is None or method is None:
            return None
        return self.records.prompts[prompt], self.records.methods[method]

    def placed(self, of: Text) -> tuple[int, int]:
        """Return the places of prompt and method that the table of texts names, and keep what it says of them."""
        at = self.records.prompts[of.prompt], self.records.methods[of.method]
        if of.text:
            self.records.texts.setdefault(at, of.text)
        if of.prompt_text:
            self.records.prompt_texts.setdefault(at[0], of.prompt_text)
        return at

    def store(
        self,
        place: Place,
        fields: Mapping[str, Any],
        who: str,
        text: tuple[int, int],
        criterion: str,
        column: str,
    ) -> None:
        """Add the score in a column, and the details of its row."""
        value = fields.get(column)
        try:
            point = self.points[value]
        except (KeyError, TypeError):
            point = point_of(value, self.reading.words)
            if isinstance(value, str | int | float):
                self.points[value] = point
        if point == "missing":
            self.records.missing += 1
            return
        if point is None:
            self.problems.add(
                place,
                column,
                _("%(value)s is no number, and no word whose points are known"),
                value=shown(str(value)),
            )
            return
        position = self.position(place, fields) if self.place else -1
        self.append(
            who, text, criterion, point, position, self.time(fields) if self.answered_at else math.nan
        )
        if self.beside:
            self.details(place, fields, self.records.evaluators[who], *text)

    def append(
        self,
        who: str,
        text: tuple[int, int],
        criterion: str,
        score: float,
        position: int = -1,
        time: float = math.nan,
    ) -> None:
        records = self.records
        records.evaluator_codes.append(records.evaluators[who])
        records.prompt_codes.append(text[0])
        records.method_codes.append(text[1])
        records.criterion_codes.append(records.criteria[criterion])
        records.scores.append(score)
        records.positions.append(position)
        records.times.append(time)

    def time(self, fields: Mapping[str, Any]) -> float:
        value = fields.get(self.answered_at) if self.answered_at else None
        if value in (None, ""):
            return math.nan
        if value != self.last_time[0]:
            found = time_of(value)
            self.last_time = value, found.timestamp() if found else math.nan
        return self.last_time[1]

    def position(self, place: Place, fields: Mapping[str, Any]) -> int:
        column = self.place
        value = fields.get(column) if column else None
        if value in (None, ""):
            return -1
        point = point_of(value)
        if not isinstance(point, float) or not point.is_integer() or not 0 <= point < 1000:
            self.problems.add(place, column, _("%(value)s is no place on a page"), value=shown(str(value)))
            return -1
        return int(point)

    def details(self, place: Place, fields: Mapping[str, Any], who: int, prompt: int, method: int) -> None:
        """Keep what a row says of its text, its prompt and its evaluator."""
        role, records = self.beside.get, self.records
        if (column := role("text")) and method >= 0 and (text := fields.get(column)):
            stored = records.texts.setdefault((prompt, method), str(text))
            if stored != str(text):
                self.problems.add(
                    place, column, _("this method has another text for this prompt in an earlier row")
                )
        if (column := role("prompt_text")) and (text := fields.get(column)):
            records.prompt_texts.setdefault(prompt, str(text))
        if (
            (column := role("best"))
            and method >= 0
            and point_of(fields.get(column)) == 1.0
            and records.picks.setdefault((who, prompt), method) != method
        ):
            self.problems.add(
                place, column, _("this evaluator picked another text of this prompt in an earlier row")
            )
        if (column := role("group")) and (group := self.name_in(fields, column)):
            records.groups.setdefault(who, group)
        if (column := role("domain")) and (domain := self.name_in(fields, column)):
            records.domains.setdefault(prompt, domain)

    def named(self, place: Place, fields: Mapping[str, Any], column: str, role: str) -> str | None:
        """Return a name that must be there; None where it is not, which is noted."""
        name = self.name_in(fields, column)
        if not name:
            self.problems.add(place, column, _("is empty; every rating needs it"))
        elif len(name) > LONGEST_NAME and role != "prompt":
            self.problems.add(place, column, _("is longer than %(most)d characters"), most=LONGEST_NAME)
        else:
            return name
        return None

    def name_in(self, fields: Mapping[str, Any], column: str) -> str:
        value = fields.get(column)
        if isinstance(value, str):
            return value.strip()
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        return "" if value is None else str(value)


def plain_name(column: str) -> str:
    return column.strip().lower()


def _criterion_name(column: str) -> str:
    for prefix in PREFIXES:
        if column.lower().startswith(prefix):
            return column[len(prefix) :]
    return column


def _rater(column: str) -> tuple[str, str]:
    """Return the rater that a column is of, and the criterion where it names one."""
    if match := OF_RATER.match(column.strip()):
        return (match[1], match[2]) if match[1] else (match[4], match[3])
    return column.strip(), ""


def _settle_pairs(records: RatingRecords) -> None:
    """Give every text of a page its share of the comparisons that it won there, a tie counting one half.

    Where an evaluator compared two texts of a prompt once, the difference of the two shares is the comparison itself:
    1, -1 or 0. Where they compared more, each text has one share, so that no page weighs more than another.
    """
    evaluator, prompt, method, criterion = records.codes()
    sizes = len(records.prompts), len(records.methods), len(records.criteria)
    key = ((evaluator * sizes[0] + prompt) * sizes[1] + method) * sizes[2] + criterion
    _keys, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    shares = np.bincount(inverse, np.frombuffer(records.scores)) / np.bincount(inverse)
    order = np.argsort(first)
    names = ("evaluator_codes", "prompt_codes", "method_codes", "criterion_codes")
    for name, codes in zip(names, (evaluator, prompt, method, criterion), strict=True):
        setattr(records, name, array("i", codes[first[order]].tolist()))
    records.scores = array("d", shares[order].tolist())
    records.positions, records.times = array("i", [-1]) * len(order), array("d", [math.nan]) * len(order)
