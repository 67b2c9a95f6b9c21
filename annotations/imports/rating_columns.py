"""What the columns of a table of ratings are, guessed by their names and values (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from django.utils.translation import gettext as _

from annotations.imports.rating_words import point_of
from annotations.models.numbers import LARGEST_SCORE
from generation.files.problems import listed
from generation.refusals import Refused

# What a column can be, and the names by which it is known; they are compared in small letters without marks.
NAMES: Mapping[str, tuple[str, ...]] = {
    "evaluator": (
        "evaluator", "rater", "annotator", "workerid", "worker", "annotatorid", "raterid", "evaluatorid", "userid",
        "username", "user", "participant", "participantid", "judge", "coder", "assessor", "reviewer", "subject",
        "prolificid", "prolificpid", "responseid", "emailaddress", "email", "completedby", "评价者", "标注者",
    ),
    "prompt": (
        "prompt", "promptid", "promptnumber", "item", "itemid", "sourceid", "source", "docid", "doc", "documentid",
        "document", "segid", "segmentid", "segment", "questionid", "question", "instanceid", "instance", "exampleid",
        "example", "inputid", "input", "topic", "title", "sentid", "sentenceid", "articleid", "article", "id", "题目",
    ),
    "method": (
        "method", "system", "systemid", "systemname", "model", "modelid", "modelname", "engine", "approach",
        "generator", "sys", "方法", "系统", "模型",
    ),
    "criterion": (
        "criterion", "dimension", "aspect", "quality", "metric", "attribute", "category", "qualitycriterion", "标准",
        "维度",
    ),
    "score": (
        "score", "rating", "value", "rawscore", "judgement", "judgment", "grade", "points", "penalty", "label",
        "answer", "response", "评分", "分数",
    ),
    "text": (
        "text", "output", "candidate", "target", "translation", "summary", "simplification", "hypothesis", "tgt",
        "generation", "generatedtext", "文本",
    ),
    "prompt_text": ("prompttext", "sourcetext", "questiontext", "inputtext", "src"),
    "text_id": ("textid", "candidateid", "outputid"),
    "kind": ("kind",),
    "position": ("position", "place", "displayposition"),
    "best": ("best", "isbest", "picked"),
    "answered_at": (
        "answeredat", "timestamp", "time", "createdat", "submittime", "submittedat", "recordeddate", "date", "savedat",
    ),
    "group": ("group", "evaluatorgroup", "population"),
    "domain": ("domain", "tag", "tags"),
    "a": ("a", "systema", "modela", "methoda", "system1", "model1", "method1", "left"),
    "b": ("b", "systemb", "modelb", "methodb", "system2", "model2", "method2", "right"),
    "winner": ("winner", "preference", "preferred", "chosen", "better", "choice", "vote", "verdict"),
    "loser": ("loser", "rejected", "worse"),
}  # fmt: skip
# Beside these a reading names columns of scores that each are a criterion, a rater without a name, or a question.
SEVERAL = ("scores", "raters", "questions")
ROLES = (*NAMES, *SEVERAL)
PERSON = r"(?:rater|annotator|judge|worker|evaluator|expert|coder|assessor|participant|user|标注者|评价者)"
RATER = re.compile(rf"^{PERSON}[ _.-]?#?\d+$", re.IGNORECASE)
# What else exports have beside answers.
NO_SCORE = re.compile(
    r"(time|date|duration|seconds|latitude|longitude|progress|^age$|count|length|index|number$|_id$|^id$|hitid|status"
    r"|reward|lifetime|keywords|lang|ip ?address|finished|batch)",
    re.IGNORECASE,
)
PREFIXES = ("input.", "answer.", "data.", "fields.", "metadata.")


@dataclass(frozen=True)
class Reading:
    """How files of ratings are read; what is empty is guessed.

    - `columns`: by role (`ROLES`) the columns that have it
    - `words`: points that words stand for; `scales`: ends by criterion; `lower_is_better` and `overall`: criteria
    - `keeps_off_scale`: scores that a given scale does not have are kept and flagged instead of refused
    - `threshold`: the largest share of inconsistent pages of an evaluator who counts; without one everybody counts
    - `encoding`: that of files which are neither UTF-8 nor UTF-16; `sheet`: that of workbooks, the first with content
      if left out
    """

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    words: Mapping[str, float] = field(default_factory=dict)
    scales: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    lower_is_better: tuple[str, ...] = ()
    overall: str = ""
    keeps_off_scale: bool = False
    hides_names: bool = False
    threshold: str = ""
    encoding: str = ""
    sheet: str = ""

    def column(self, role: str) -> str:
        """The column that has a role, or nothing."""
        return next(iter(self.columns.get(role, ())), "")

    def as_dict(self) -> dict[str, Any]:
        """Return the reading as plain data, in one order."""
        return {
            "columns": {role: list(self.columns[role]) for role in ROLES if self.columns.get(role)},
            "words": dict(sorted(self.words.items())),
            "scales": {key: list(ends) for key, ends in sorted(self.scales.items())},
            "lower_is_better": sorted(self.lower_is_better),
            "overall": self.overall,
            "keeps_off_scale": self.keeps_off_scale,
            "hides_names": self.hides_names,
            "threshold": self.threshold,
            # Where nobody says one the digest of an import stays what it was before there was a choice.
            **({"encoding": self.encoding} if self.encoding else {}),
            **({"sheet": self.sheet} if self.sheet else {}),
        }

    @classmethod
    def of(cls, plain_data: Mapping[str, Any]) -> Reading:
        """Return the reading that `as_dict` made plain data of."""
        return cls(
            **{
                **plain_data,
                "columns": {role: tuple(names) for role, names in plain_data["columns"].items()},
                "scales": {key: (low, high) for key, (low, high) in plain_data["scales"].items()},
                "lower_is_better": tuple(plain_data["lower_is_better"]),
            }
        )

    @property
    def kind(self) -> str:
        """`pairs` where two texts are compared, else `ratings`."""
        return "pairs" if self.column("winner") else "ratings"


def plain(name: str) -> str:
    """Return the name of a column without case, marks and the prefixes of exports.

    >>> plain("Input.Prompt_ID")
    'promptid'
    """
    lowered = name.strip().lower()
    for prefix in PREFIXES:
        lowered = lowered.removeprefix(prefix)
    return re.sub(r"[\W_]+", "", lowered)


def guessed(reading: Reading, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Reading:
    """Return the reading with the roles of all columns that it does not name, guessed by names and first rows.

    Raises `Refused` for a column that is not there, and where what is needed cannot be found.
    """
    given = {role: _expanded(role, names, columns) for role, names in reading.columns.items()}
    taken = {name for names in given.values() for name in names}
    found: dict[str, tuple[str, ...]] = dict(given)
    by_name: dict[str, list[str]] = {}
    for column in columns:
        if column not in taken:
            by_name.setdefault(plain(column), []).append(column)
    for role, names in NAMES.items():
        if role in found or (role in ("a", "b", "winner", "loser") and "score" in given):
            continue
        known = next((by_name[name][0] for name in names if name in by_name), None)
        if known is not None and known not in taken:
            found[role] = (known,)
            taken.add(known)
    _settle(found, given)
    rest = [
        column for column in columns if column not in {name for names in found.values() for name in names}
    ]
    if not ({"score", "scores", "raters", "questions", "winner"} & found.keys()):
        found |= _columns_of_scores(rest, rows, reading.words)
    if "questions" in found:
        # A column a question: each says its prompt and its method itself.
        for role in ("prompt", "method", "criterion", "text", "prompt_text"):
            if role not in given:
                found.pop(role, None)
    result = replace(reading, columns={role: names for role, names in found.items() if names})
    _check(result, columns)
    return result


def _expanded(role: str, names: Iterable[str], columns: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that the names or patterns such as `Answer.*` of a role stand for."""
    if role not in ROLES:
        raise Refused(_("%(role)s is no role of a column; the roles are %(roles)s.") % {
            "role": role, "roles": listed(ROLES)
        })  # fmt: skip
    found: list[str] = []
    for name in names:
        matching = [column for column in columns if column == name] or [
            column for column in columns if column.lower() == name.lower() or fnmatchcase(column, name)
        ]
        if not matching:
            raise Refused(_("There is no column %(name)s; the columns are %(columns)s.") % {
                "name": name, "columns": listed(columns[:40])
            })  # fmt: skip
        found += matching
    return tuple(dict.fromkeys(found))


def _settle(found: dict[str, tuple[str, ...]], given: Mapping[str, tuple[str, ...]]) -> None:
    """Settle what a name alone does not tell: a pair needs all its columns, and several scores are criteria."""
    if len(found.get("score", ())) > 1:
        found["scores"] = found.pop("score")
    has_pair = {"winner", "loser"} <= found.keys() or {"winner", "a", "b"} <= found.keys()
    for role in ("a", "b", "winner", "loser"):
        if not has_pair and role not in given:
            found.pop(role, None)
    if has_pair:
        for role in ("score", "method"):
            if role not in given:
                found.pop(role, None)
    if "text" in found and "method" not in found and not has_pair and "text" not in given:
        found.pop("text")


def _columns_of_scores(
    rest: Sequence[str], rows: Sequence[Mapping[str, Any]], words: Mapping[str, float]
) -> dict[str, tuple[str, ...]]:
    raters = [column for column in rest if RATER.match(column.strip())]
    if len(raters) > 1:
        return {"raters": tuple(raters)}
    scores = [
        column
        for column in rest
        if not NO_SCORE.search(column) and _are_points([row.get(column) for row in rows], words)
    ]
    return {"scores": tuple(scores)} if scores else {}


def _are_points(values: Sequence[Any], words: Mapping[str, float]) -> bool:
    said = [value for value in values if value not in (None, "")]
    return bool(said) and all(point_of(value, words) is not None for value in said)


def _check(reading: Reading, columns: Sequence[str]) -> None:
    """Raise `Refused` where a column that every reading needs is missing."""
    named = listed(columns[:40])
    has_scores = any(
        reading.columns.get(role) for role in ("score", "scores", "raters", "questions", "winner")
    )
    missing = []
    if not has_scores:
        missing.append("score")
    if not (reading.column("evaluator") or reading.columns.get("raters") or reading.columns.get("questions")):
        missing.append("evaluator")
    places_texts = reading.columns.get("questions") or reading.column("text_id")
    if not (reading.column("prompt") or places_texts):
        missing.append("prompt")
    if not (reading.column("method") or reading.column("winner") or places_texts):
        missing.append("method")
    if missing:
        raise Refused(
            *(
                _("No column is the %(role)s: say which, as in %(role)s=NAME. The columns are %(columns)s.")
                % {"role": role, "columns": named}
                for role in missing
            )
        )


def read_map(text: str) -> dict[str, tuple[str, ...]]:
    """Return the columns by role of `evaluator=WorkerId,score=Answer.*`; raise `Refused` for what is none.

    >>> read_map("evaluator=WorkerId,score=a,score=b")
    {'evaluator': ('WorkerId',), 'score': ('a', 'b')}
    """
    found: dict[str, tuple[str, ...]] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        role, mark, name = part.partition("=")
        if not (mark and name.strip()):
            raise Refused(_("%(part)s is no ROLE=COLUMN.") % {"part": part})
        found[role.strip()] = (*found.get(role.strip(), ()), name.strip())
    return found


def read_scale(text: str) -> tuple[str, tuple[float, float]]:
    """Return the criterion and the ends of `overall=1:5`; raise `Refused` for what is none.

    >>> read_scale("overall=-2:2")
    ('overall', (-2.0, 2.0))
    """
    key, _mark, ends = text.partition("=")
    low, _mark, high = ends.partition(":")
    try:
        scale = float(low), float(high)
    except ValueError as error:
        raise Refused(_("%(scale)s is no scale such as overall=1:5.") % {"scale": text}) from error
    if not key.strip() or not scale[0] < scale[1]:
        raise Refused(_("%(scale)s is no scale such as overall=1:5.") % {"scale": text})
    return key.strip(), scale


def read_words(text: str) -> dict[str, float]:
    """Return the points of `splendid=5,dull=2`; raise `Refused` for what is none."""
    points = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        word, mark, point = part.rpartition("=")
        try:
            points[word.strip().casefold()] = float(point)
        except ValueError as error:
            raise Refused(_("%(part)s is no WORD=POINT.") % {"part": part}) from error
        if not mark or not abs(points[word.strip().casefold()]) <= LARGEST_SCORE:
            raise Refused(_("%(part)s is no WORD=POINT.") % {"part": part})
    return points
