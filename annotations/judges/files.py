"""Files of a judge's or metric's scores read against a study, with everything wrong told by its place."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from annotations.models import Criterion, DrawnPrompt, PageCandidate, Study
from annotations.models.judges import LONGEST_PROMPT_NAME
from annotations.models.numbers import LARGEST_SCORE
from generation.files.problems import Place, shown
from generation.files.tables import Table, read_table
from generation.refusals import Refused
from generation.texts.characters import UNSTORABLE

MOST_PROBLEMS = 1_000
ROWS_A_STEP = 1_000
MOST_REPEATS = 1_000
MOST_PLACES = 1_000
# What each column may be called, in small letters.
NAMES = {
    "prompt": ("prompt", "prompt_id", "title", "question", "source_id", "id"),
    "page": ("page",),
    "method": ("method", "system", "model"),
    "criterion": ("criterion", "dimension", "aspect"),
    "score": ("score", "rating", "value"),
    "repeat": ("repeat", "sample", "seed"),
    "position": ("position", "place"),
}
NEEDED = ("method", "score")


class Score(NamedTuple):
    """One score: the text, as one of the study or as a prompt's name, and what it is of."""

    page_candidate: int | None
    prompt_name: str
    study_method: int
    criterion: int | None
    repeat: int
    position: int | None
    score: float


@dataclass
class ScoreFile:
    """A checked file of scores, and what is in it."""

    name: str
    sha256: str
    scores: list[Score] = field(default_factory=list)
    # Of the texts of the study those with a score, of how many; and prompts that the study does not show.
    texts_scored: int = 0
    texts: int = 0
    other_prompts: int = 0
    criteria: tuple[str, ...] = ()


def read_columns(text: str) -> dict[str, str]:
    """Return the columns by role of `prompt=doc,score=bleurt`; raise `Refused` for what is none.

    >>> read_columns("prompt=doc, score=bleurt")
    {'prompt': 'doc', 'score': 'bleurt'}
    """
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        role, mark, name = (piece.strip() for piece in part.partition("="))
        if not (mark and name) or role not in NAMES:
            raise Refused(
                _("%(part)s is no ROLE=COLUMN; the roles are %(roles)s.")
                % {"part": part, "roles": ", ".join(NAMES)}
            )
        found[role] = name
    return found


def read_scores(
    path: Path,
    study: Study,
    *,
    name: str = "",
    columns: Mapping[str, str] | None = None,
    has_own_scale: bool = False,
    takes_other_prompts: bool = False,
    encoding: str = "",
    sheet: str = "",
    report_rows: Callable[[int], None] | None = None,
) -> ScoreFile:
    """Read a file of scores of a study's texts; raise `FileRefused` with everything wrong in it, or `Refused`.

    Scores that name a criterion must be on its scale, unless they have a scale of their own. Prompts that the study
    does not show are refused unless they are to be taken as those that nobody rates. `report_rows` is called with how
    many rows are read, now and then.
    """
    table = read_table(path, name, encoding=encoding, sheet=sheet)
    reader = _Reader(study, table, _roles(table, columns or {}), has_own_scale, takes_other_prompts)
    for number, row in enumerate(table):
        if report_rows is not None and number % ROWS_A_STEP == 0:
            report_rows(number)
        reader.add(row.place, row.fields)
        if len(table.problems) >= MOST_PROBLEMS:
            break
    table.problems.refuse_if_any()
    if not reader.scores:
        raise Refused(_("There is no score in the file."))
    return reader.file(hashlib.sha256(path.read_bytes()).hexdigest())


def _roles(table: Table, given: Mapping[str, str]) -> dict[str, str]:
    """Return the columns of the file by role; raise `Refused` where one is missing."""
    found = {}
    for role, names in NAMES.items():
        if role in given:
            if given[role] not in table.columns:
                raise Refused(
                    _("There is no column %(name)s; the columns are %(columns)s.")
                    % {"name": given[role], "columns": table.columns_shortly}
                )
            found[role] = given[role]
        else:
            named = [table.by_lower_name[one] for one in names if one in table.by_lower_name]
            if named:
                found[role] = named[0]
    missing = [role for role in NEEDED if role not in found]
    if "prompt" not in found and "page" not in found:
        missing.insert(0, "prompt")
    if missing:
        raise Refused(
            *(
                _("No column is the %(role)s: say which, as in %(role)s=NAME. The columns are %(columns)s.")
                % {"role": role, "columns": table.columns_shortly}
                for role in missing
            )
        )
    return found


class _Reader:
    """Reads rows into scores, against what the study shows."""

    def __init__(
        self,
        study: Study,
        table: Table,
        roles: Mapping[str, str],
        has_own_scale: bool,
        takes_other_prompts: bool,
    ) -> None:
        self.table, self.problems, self.roles = table, table.problems, roles
        self.has_own_scale, self.takes_other_prompts = has_own_scale, takes_other_prompts
        self.methods = _by_names(
            (one.pk, (one.method.key, one.name)) for one in study.study_methods.select_related("method")
        )
        criteria = list(study.criteria.all())
        self.criteria = _by_names((one.pk, (one.key, *dict(one.label).values())) for one in criteria)
        self.scales: dict[int, Criterion] = {one.pk: one for one in criteria}
        self.pages, self.candidates = _places(study)
        # Prompts of a draw that people do not rate: known, though no page has them.
        self.set_aside = set(
            DrawnPrompt.objects.filter(draw__study=study, is_drawn=False).values_list("name", flat=True)
        )
        self.seen: dict[Score, Place] = {}
        self.scores: list[Score] = []

    def file(self, sha256: str) -> ScoreFile:
        named = {score.criterion for score in self.scores} - {None}
        return ScoreFile(
            name=self.problems.file,
            sha256=sha256,
            scores=self.scores,
            texts_scored=len({score.page_candidate for score in self.scores} - {None}),
            texts=len(self.candidates),
            other_prompts=len({score.prompt_name for score in self.scores} - {""}),
            criteria=tuple(one.key for one in self.scales.values() if one.pk in named),
        )

    def add(self, place: Place, fields: Mapping[str, Any]) -> None:
        """Read a row; one without a score is passed over."""
        said = {role: fields.get(column) for role, column in self.roles.items()}
        if said.get("score") in (None, ""):
            return
        before = len(self.problems)
        score = self.number(place, "score", said.get("score"))
        method = self.one_of(place, "method", said.get("method"), self.methods)
        criterion = None
        if said.get("criterion") not in (None, ""):
            criterion = self.one_of(place, "criterion", said.get("criterion"), self.criteria)
        repeat = self.whole(place, "repeat", said.get("repeat"), MOST_REPEATS) or 1
        position = self.whole(place, "position", said.get("position"), MOST_PLACES)
        text = self.text(place, said, method) if method is not None else None
        if criterion is not None and score is not None:
            self.check_scale(place, score, self.scales[criterion])
        if len(self.problems) > before or method is None or text is None or score is None:
            return
        found = Score(text[0], text[1], method, criterion, repeat, position, score)
        cell = found._replace(score=0.0)
        if cell in self.seen:
            self.problems.add(place, "score", _("scores the same text on the same criterion a second time"))
            return
        self.seen[cell] = place
        self.scores.append(found)

    def check_scale(self, place: Place, score: float, criterion: Criterion) -> None:
        if not self.has_own_scale and not criterion.minimum <= score <= criterion.maximum:
            self.problems.add(
                place,
                "score",
                _("%(score)s is off the scale of %(criterion)s, which goes from %(low)s to %(high)s"),
                score=f"{score:g}",
                criterion=criterion.key,
                low=f"{criterion.minimum:g}",
                high=f"{criterion.maximum:g}",
            )

    def number(self, place: Place, role: str, value: Any) -> float | None:
        try:
            found = float(value)
        except (TypeError, ValueError):
            found = math.nan
        if not math.isfinite(found) or abs(found) > LARGEST_SCORE or isinstance(value, bool):
            self.problems.add(place, role, _("%(value)s is no finite number"), value=shown(str(value)))
            return None
        return found

    def whole(self, place: Place, role: str, value: Any, most: int) -> int | None:
        if value in (None, ""):
            return None
        found = self.number(place, role, value)
        if found is None:
            return None
        if found != int(found) or not 1 <= found <= most:
            self.problems.add(
                place,
                role,
                _("%(value)s is no whole number from 1 to %(most)d"),
                value=shown(str(value)),
                most=most,
            )
            return None
        return int(found)

    def one_of(self, place: Place, role: str, value: Any, known: Mapping[str, int]) -> int | None:
        name = "" if value is None else str(value).strip()
        found = known.get(name) or known.get(name.casefold())
        if found is None:
            self.problems.add(
                place,
                role,
                _("%(value)s is none of the study; there are %(known)s"),
                value=shown(name),
                known=", ".join(dict.fromkeys(_first_names(known))),
            )
        return found

    def text(self, place: Place, said: Mapping[str, Any], method: int) -> tuple[int | None, str] | None:
        """Return the text that a row scores: one of the study, or the name of a prompt that it does not show."""
        role = "page" if said.get("page") not in (None, "") else "prompt"
        name = "" if said.get(role) is None else str(said[role]).strip()
        pages = self.pages.get(name, ())
        if len(pages) > 1:
            self.problems.add(
                place,
                role,
                _("%(name)s stands on several pages: name the page in a column page, such as %(page)s"),
                name=shown(name),
                page=pages[0],
            )
            return None
        if pages:
            found = self.candidates.get((pages[0], method))
            if found is None:
                self.problems.add(place, "method", _("has no text for this prompt in the study"))
                return None
            return found, ""
        if role == "page" or not (self.takes_other_prompts or name in self.set_aside) or not name:
            self.problems.add(place, role, _("%(name)s is no prompt of the study"), name=shown(name))
            return None
        if len(name) > LONGEST_PROMPT_NAME or UNSTORABLE.search(name):
            self.problems.add(
                place, role, _("is longer than %(most)d characters, or no text"), most=LONGEST_PROMPT_NAME
            )
            return None
        return None, name


def _by_names(named: Any) -> dict[str, int]:
    """Return what goes by several names, by each of them and by each in small letters."""
    found: dict[str, int] = {}
    for pk, names in named:
        for name in names:
            found.setdefault(str(name), pk)
            found.setdefault(str(name).casefold(), pk)
    return found


def _first_names(known: Mapping[str, int]) -> Sequence[str]:
    first: dict[int, str] = {}
    for name, pk in known.items():
        first.setdefault(pk, name)
    return list(first.values())


def _places(study: Study) -> tuple[dict[str, tuple[str, ...]], dict[tuple[str, int], int]]:
    """Return the pages of each name of a prompt, and what stands on each by method: two queries."""
    pages: dict[str, tuple[str, ...]] = {}
    found: dict[tuple[str, int], int] = {}
    shown_texts = PageCandidate.objects.but_repeats(study).order_by("page__subtask__number", "page__number")
    for one in shown_texts.select_related("page__subtask", "page__prompt"):
        page = f"{one.page.subtask.number}/{one.page.number}"
        found[page, one.study_method_id] = one.pk
        prompt = one.page.prompt
        for name in {page, prompt.external_id, prompt.heading, prompt.heading.strip()} - {""}:
            own = pages.get(name, ())
            if page not in own:
                pages[name] = (*own, page)
    return pages, found
