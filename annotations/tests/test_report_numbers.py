"""One study in every format of its report: the same numbers beside the same names."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from html.parser import HTMLParser
from itertools import chain
from typing import Any
from xml.etree import ElementTree

import pytest
from django.db.models import Avg

from annotations.models import BestChoice, Rating, Study
from annotations.plan.simulation import Effects, simulate_ratings
from annotations.results.report import study_report
from annotations.results.report_formats import export
from annotations.tests.cast import build_study

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
Rows = list[list[str | float]]
Files = dict[str, bytes]


@pytest.fixture
def files(db: None) -> Files:
    """Return the report of a study of eight evaluators and twelve prompts in the four formats."""
    study = build_study(prompts=12, methods=3)
    simulate_ratings(study, evaluators=8, seed=1, effects=Effects(slip=0))
    report = study_report(Study.objects.get(pk=study.pk), effect=0.5)
    return {name: export(report, name) for name in ("json", "csv", "xlsx", "html")}


class TablesOfPage(HTMLParser):
    """The tables of a page in order, each a list of rows of texts, heads included."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.in_cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self.in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self.in_cell = False

    def handle_data(self, data: str) -> None:
        if self.in_cell:
            self.tables[-1][-1][-1] += data


def parsed(content: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(content)  # noqa: S314


def tables_of_workbook(content: bytes) -> list[Rows]:
    """Return the tables of all sheets in order: runs of rows with more than one cell, heads included."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        strings = [
            "".join(part.text or "" for part in item.iter(f"{SHEET}t"))
            for item in parsed(book.read("xl/sharedStrings.xml"))
        ]
        names = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
        sheets = [
            parsed(book.read(name))
            for name in sorted(names, key=lambda name: int("".join(filter(str.isdigit, name))))
        ]
    tables: list[Rows] = []
    for sheet in sheets:
        last = -1
        for row in sheet.iter(f"{SHEET}row"):
            cells = [
                strings[int(value)] if cell.get("t") == "s" else float(value)
                for cell in row
                if (value := cell.findtext(f"{SHEET}v")) is not None
            ]
            if len(cells) < 2:
                continue
            number = int(row.get("r", ""))
            if number != last + 1:
                tables.append([])
            tables[-1].append(cells)
            last = number
    return tables


def leading_number(text: str) -> tuple[float, int]:
    """Return the number that a cell starts with, and its decimals."""
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    word = text.replace("\N{MINUS SIGN}", "-").split()[0]
    if word == "<":
        return 0.0, 3
    if text == f"{word} %":
        return float(word) / 100, 2
    return float(word), len(word.partition(".")[2])


def test_means_and_picks_stand_beside_the_method_they_are_of(files: Files) -> None:
    numbers = json.loads(files["json"])
    for mean in numbers["means"]:
        given = Rating.objects.filter(
            candidate__run__method__key=mean["method"], criterion__key=mean["criterion"]
        )
        assert mean["estimate"] == pytest.approx(given.aggregate(average=Avg("score"))["average"], abs=1e-9)
        assert sum(count for _, count in mean["counts"]) == given.count() == mean["cells"]
    shares = {share["method"]: share for share in numbers["best_pick_shares"]}
    assert list(shares) == numbers["study"]["methods"]
    for method, share in shares.items():
        picks = BestChoice.objects.filter(candidate__run__method__key=method).count()
        assert share["count"] == numbers["best_choices"][method] == picks
        assert share["estimate"] == pytest.approx(picks / (8 * 12))


def test_csv_has_every_number_that_json_has_of_methods_and_pairs(files: Files) -> None:
    numbers = json.loads(files["json"])
    rows = list(csv.reader(io.StringIO(files["csv"].decode("utf-8-sig"))))[1:]
    found = {tuple(row[:4]): row[4] for row in rows}
    assert len(found) == len(rows)
    wanted: list[tuple[tuple[str, str, str, str], Any]] = []
    for mean in numbers["means"]:
        wanted += named("crossed_mean", mean, mean["criterion"], mean["method"])
        wanted += [
            ((f"ratings_of.{score:g}", mean["criterion"], mean["method"], ""), count)
            for score, count in mean["counts"]
        ]
        wanted.append((("rating_mean", mean["criterion"], mean["method"], ""), mean["raw"]))
        wanted.append((("rating_deviation", mean["criterion"], mean["method"], ""), mean["deviation"]))
    for share in numbers["best_pick_shares"]:
        wanted += named("best_pick_share", share, "", share["method"])
    for one in numbers["comparisons"]:
        wanted += named("difference", one, one["criterion"], one["a"], one["b"])
    for criterion, measures in numbers["agreement"].items():
        wanted += named("agreement", measures, criterion)
    for table in ("ranking", "ranking_by_rating"):
        for ranked in numbers[table]:
            wanted += named(table, ranked, "", ranked["method"])
    for pair in numbers["power"]:
        wanted += named("power", pair, "overall", pair["a"], pair["b"])
    assert len(wanted) > 500
    for key, value in wanted:
        assert found[key] == ("" if value is None else repr(value)), key


def named(
    name: str, value: Any, criterion: str = "", method: str = "", other: str = ""
) -> list[tuple[tuple[str, str, str, str], Any]]:
    """Return the numbers in a part of the JSON by the key of their row; the counts have rows of their own."""
    if isinstance(value, dict):
        parts = [
            (f"{name}.{key}", inner)
            for key, inner in value.items()
            if key not in ("counts", "deviation", "raw")
        ]
    elif isinstance(value, list):
        parts = [(f"{name}.{index}", inner) for index, inner in enumerate(value)]
    elif isinstance(value, str):
        return []
    else:
        return [((name, criterion, method, other), int(value) if isinstance(value, bool) else value)]
    return [row for part in parts for row in named(*part, criterion, method, other)]


def test_workbook_and_page_have_the_same_tables_with_the_numbers_of_json(files: Files) -> None:
    pages, sheets = TablesOfPage(files["html"].decode()).tables, tables_of_workbook(files["xlsx"])
    assert len(pages) == len(sheets) > 10
    seen = 0
    for page, sheet in zip(pages, sheets, strict=True):
        assert [len(row) for row in page] == [len(row) for row in sheet]
        for written, cell in zip(chain(*page), chain(*sheet), strict=True):
            if isinstance(cell, str):
                assert written == cell
            else:
                shown, digits = leading_number(written)
                assert abs(shown - cell) <= (1e-3 if written.startswith("<") else 0.51 * 10**-digits), written
                seen += 1
    assert seen > 100
    numbers = json.loads(files["json"])
    methods, criteria = numbers["study"]["method_labels"], numbers["study"]["criteria"]
    labels = {criterion["label"]: criterion["key"] for criterion in criteria}
    means = next(table for table in sheets if str(table[0][1]).startswith(criteria[0]["label"]))
    for row in means[1:]:
        [method] = [key for key, label in methods.items() if label == row[0]]
        assert row[1:] == as_in_a_workbook(
            *(of(numbers["means"], method=method, criterion=key)["estimate"] for key in labels.values()),
            of(numbers["best_pick_shares"], method=method)["count"],
        )
    compared = [table for table in sheets if table[0][3:6] == ["t", "df", "p"]]
    assert len(compared) == len(criteria)
    for criterion, table in zip(criteria, compared, strict=True):
        of_criterion = [one for one in numbers["comparisons"] if one["criterion"] == criterion["key"]]
        for row, one in zip(table[1:], of_criterion, strict=True):
            assert row[0] == f"{methods[one['b']]} \N{MINUS SIGN} {methods[one['a']]}"
            assert [row[1], *row[3:]] == as_in_a_workbook(
                *(one[key] for key in ("estimate", "t", "df", "p", "p_holm")),
                one["probability_of_superiority"]["estimate"],
                one["effect_size"]["d_total"],
            )
    agreement = next(table for table in sheets if "ICC(2,1)" in table[0])
    for row in agreement[1:]:
        measures = numbers["agreement"][labels[str(row[0])]]
        keys = ("alpha_ordinal", "alpha_interval", "icc_2_1", "icc_2_k", "kendall_w")
        assert row[1:6] == as_in_a_workbook(*(measures[key] for key in keys))


def as_in_a_workbook(*numbers: float) -> Any:
    """Return the numbers as a workbook has them, with 16 digits."""
    return pytest.approx(list(numbers), rel=1e-14)


def of(rows: list[dict[str, Any]], **names: str) -> dict[str, Any]:
    """Return the one row with these names."""
    [row] = [row for row in rows if all(row[key] == name for key, name in names.items())]
    return row
