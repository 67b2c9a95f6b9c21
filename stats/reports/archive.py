"""
A study's ratings with what was done to them, so that anybody can make the numbers of its report again.

    python -m stats.reports.archive ARCHIVE.zip

reads such an archive, analyses the ratings anew, and says whether every number is the one in its `results.json`. It
needs numpy, scipy and this package, no database.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from stats.analysis import Analysis, analyse
from stats.ordinal.check import joined, ordinal_check
from stats.ordinal.severity import severity
from stats.ratings.cells import Cells
from stats.ratings.choice import Planned
from stats.ratings.table import Picks, RatingTable
from stats.scores import Criterion
from stats.turns.facts import TurnScores, turn_facts

RATINGS, PICKS, SECONDS = "ratings.csv", "picks.csv", "seconds.csv"
# Where turns of dialogues were rated.
TURNS = "turns.csv"
DESIGN, RESULTS = "design.json", "results.json"
# Of a number: other processors and libraries round otherwise.
SAME = 1e-6


@dataclass(frozen=True)
class Recipe:
    """What an analysis was told beside the ratings (`stats.analysis.analyse`)."""

    primary: str
    seed: int
    margins: Mapping[str, float]
    effect: float | None
    planned: Planned
    planned_pairs: Sequence[Sequence[str]] | None
    groups: Mapping[str, str]
    samples_of: Sequence[int] | None
    # Scores come of other answers, such as one about a whole page, and are no ordered categories.
    is_judged: bool = False

    def analyse(self, table: RatingTable, page_seconds: Cells | None) -> Analysis:
        """Analyse the ratings of a table."""
        pairs = self.planned_pairs
        return analyse(
            table,
            primary=self.primary,
            rng=np.random.default_rng(self.seed),
            margins=self.margins,
            effect=self.effect,
            planned=self.planned,
            page_seconds=page_seconds,
            planned_pairs=None if pairs is None else [(a, b) for a, b in pairs],
            groups=self.groups,
            samples_of=self.samples_of,
        )


def archive_files(
    table: RatingTable,
    recipe: Recipe,
    page_seconds: Cells,
    turns: TurnScores | None = None,
    turn_criteria: Sequence[tuple[str, str]] = (),
) -> dict[str, bytes]:
    """Return the files from which `numbers_of` makes the numbers again.

    `turns` are the scores of single turns, by the criteria that `turns.turn_facts` is told.
    """
    position = np.full(len(table), -1) if table.position is None else table.position
    picks = table.picks
    codes = (table.evaluator, table.prompt, table.method, table.criterion)
    design = {
        "evaluators": table.evaluators,
        "prompts": table.prompts,
        "methods": table.methods,
        "criteria": [asdict(criterion) for criterion in table.criteria],
        # Which methods have a text for which prompt, where some have none.
        "written": None if table.written is None else table.written.tolist(),
        "analysis": asdict(recipe),
    }
    of_turns = {}
    if turns is not None:
        design["turn_criteria"] = [list(one) for one in turn_criteria]
        of_turns[TURNS] = _csv(
            ("evaluator", "prompt", "method", "criterion", "turn", "score"),
            zip(
                named(table.evaluators, turns.evaluator),
                named(table.prompts, turns.prompt),
                named(table.methods, turns.method),
                named([key for key, _mean in turn_criteria], turns.criterion),
                turns.turn.tolist(),
                turns.score.tolist(),
                strict=True,
            ),
        )
    return {
        **of_turns,
        RATINGS: _csv(
            ("evaluator", "prompt", "method", "criterion", "score", "position"),
            zip(
                *(named(names, code) for names, code in zip(_names(table), codes, strict=True)),
                table.score.tolist(),
                position.tolist(),
                strict=True,
            ),
        ),
        PICKS: _csv(
            ("evaluator", "prompt", "method", "position"),
            zip(
                named(table.evaluators, picks.evaluator),
                named(table.prompts, picks.prompt),
                named(table.methods, picks.method),
                picks.position.tolist(),
                strict=True,
            ),
        ),
        SECONDS: _csv(
            ("evaluator", "prompt", "seconds"),
            zip(
                named(table.evaluators, page_seconds.evaluator),
                named(table.prompts, page_seconds.prompt),
                page_seconds.value.tolist(),
                strict=True,
            ),
        ),
        DESIGN: (json.dumps(design, ensure_ascii=False, indent=2) + "\n").encode(),
    }


def numbers_of(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the analysis, the ordinal check and the severities of an archive's files, ready for JSON."""
    design = json.loads(files[DESIGN])
    ratings, picks, seconds = (_rows(files[name]) for name in (RATINGS, PICKS, SECONDS))
    table = RatingTable(
        evaluator=_codes(ratings, "evaluator", design["evaluators"]),
        prompt=_codes(ratings, "prompt", design["prompts"]),
        method=_codes(ratings, "method", design["methods"]),
        criterion=_codes(ratings, "criterion", [one["key"] for one in design["criteria"]]),
        score=np.array([float(row["score"]) for row in ratings]),
        evaluators=tuple(design["evaluators"]),
        prompts=tuple(design["prompts"]),
        methods=tuple(design["methods"]),
        criteria=tuple(Criterion(**one) for one in design["criteria"]),
        position=np.array([int(row["position"]) for row in ratings], dtype=np.int64),
        written=None if design["written"] is None else np.array(design["written"], dtype=np.bool_),
        picks=Picks(
            _codes(picks, "evaluator", design["evaluators"]),
            _codes(picks, "prompt", design["prompts"]),
            _codes(picks, "method", design["methods"]),
            np.array([int(row["position"]) for row in picks], dtype=np.int64),
        ),
    )
    page_seconds = Cells(
        _codes(seconds, "evaluator", design["evaluators"]),
        _codes(seconds, "prompt", design["prompts"]),
        np.array([float(row["seconds"]) for row in seconds]),
    )
    recipe = Recipe(**design["analysis"])
    analysis = recipe.analyse(table, page_seconds)
    compared = table if recipe.samples_of is None else table.averaged(recipe.samples_of)
    numbers: dict[str, Any] = {"ordinal": None, "severity": None}
    if not recipe.is_judged:
        ordinal = ordinal_check(compared, recipe.primary, analysis.degrees_of_freedom())
        analysis = replace(analysis, comparisons=joined(analysis.comparisons, ordinal, analysis.alpha))
        numbers = {"ordinal": ordinal.as_dict(), "severity": severity(table, recipe.primary).as_dict()}
    numbers |= analysis.as_dict()
    if TURNS in files:
        numbers["turns"] = _turns(files, design)
    again: dict[str, Any] = json.loads(json.dumps(numbers))
    return again


def _turns(files: Mapping[str, bytes], design: Mapping[str, Any]) -> dict[str, Any]:
    rows, criteria = _rows(files[TURNS]), design["turn_criteria"]
    scores = TurnScores(
        evaluator=_codes(rows, "evaluator", design["evaluators"]),
        prompt=_codes(rows, "prompt", design["prompts"]),
        method=_codes(rows, "method", design["methods"]),
        criterion=_codes(rows, "criterion", [key for key, _mean in criteria]),
        turn=np.array([int(row["turn"]) for row in rows], dtype=np.int64),
        score=np.array([float(row["score"]) for row in rows]),
    )
    return turn_facts(
        scores, methods=design["methods"], criteria=[(key, mean) for key, mean in criteria]
    ).as_dict()


def differing(found: Any, wanted: Any, path: str = "") -> Iterator[str]:
    """Yield where two JSON values differ, numbers by more than rounding; keys of `found` alone are compared."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        for key, value in found.items():
            yield from differing(value, wanted.get(key), f"{path}/{key}")
    elif isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        for index, (one, other) in enumerate(zip(found, wanted, strict=True)):
            yield from differing(one, other, f"{path}/{index}")
    elif isinstance(found, float) and isinstance(wanted, int | float):
        if abs(found - wanted) > SAME * max(abs(found), abs(wanted), 1.0):
            yield path
    elif found != wanted:
        yield path


def named(names: Sequence[str], codes: Any) -> list[str]:
    return [names[code] for code in codes.tolist()]


def _names(table: RatingTable) -> tuple[Sequence[str], ...]:
    keys = [criterion.key for criterion in table.criteria]
    return table.evaluators, table.prompts, table.methods, keys


def _csv(head: Sequence[str], rows: Any) -> bytes:
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return output.getvalue().encode()


def _rows(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode())))


def _codes(rows: Sequence[Mapping[str, str]], column: str, names: Sequence[str]) -> Any:
    place = {name: number for number, name in enumerate(names)}
    return np.array([place[row[column]] for row in rows], dtype=np.int64)


def main(arguments: Sequence[str]) -> int:
    """Make the numbers of an archive again, and say whether they are those of its report."""
    if len(arguments) != 1 or not Path(arguments[0]).is_file():
        sys.stderr.write("usage: python -m stats.reports.archive ARCHIVE.zip\n")
        return 2
    with zipfile.ZipFile(arguments[0]) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    found = numbers_of(files)
    places = list(differing(found, json.loads(files[RESULTS])))
    for place in places:
        sys.stdout.write(f"differs: {place}\n")
    said = f"{len(places)} numbers differ" if places else "every number is that of results.json"
    sys.stdout.write(f"{said}\n")
    return int(bool(places))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
