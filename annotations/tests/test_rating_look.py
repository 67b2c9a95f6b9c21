"""The look at uploaded ratings: which sheet is read, and what stands after another look."""

from __future__ import annotations

import io
import re

import openpyxl
import pytest
from django.test import Client

from annotations.models import RatingImport
from annotations.tests.cast import shown
from annotations.tests.rating_files import long_rows
from annotations.tests.test_rating_pages import as_researcher, content, fields, researcher, uploaded

__all__ = ["as_researcher", "content", "researcher"]


@pytest.fixture
def workbook() -> bytes:
    """A workbook whose first sheet is about the raters, and whose second has the ratings."""
    book = openpyxl.Workbook()
    people, ratings = book.active, book.create_sheet("Scores 2026")
    assert people is not None
    people.title = "Raters"
    people.append(["annotator", "years"])
    people.append(["r0", 3])
    for row in long_rows(evaluators=3, prompts=4):
        ratings.append(list(row))
    output = io.BytesIO()
    book.save(output)
    return output.getvalue()


def test_another_sheet_of_a_workbook_is_looked_at_and_stored(as_researcher: Client, workbook: bytes) -> None:
    look = uploaded(as_researcher, workbook, "ratings.xlsx")
    response = as_researcher.get(look)
    page = response.content.decode()
    assert re.findall(r"<option( selected)?>(Raters|Scores 2026)</option>", page) == [
        (" selected", "Raters"),
        ("", "Scores 2026"),
    ]
    other = f"{look}?sheet=Scores+2026"
    assert "24 ratings by 3 evaluators of 8 texts" in shown(as_researcher, other)
    sent = {**fields(as_researcher, other), "sheet": "Scores 2026"}
    assert as_researcher.post(look, sent).headers["Location"] == "/studies/mine/results/"
    assert RatingImport.objects.get().reading["sheet"] == "Scores 2026"


def test_another_look_keeps_what_was_typed_and_says_nothing_of_what_is_missing(
    as_researcher: Client, content: bytes
) -> None:
    look = uploaded(as_researcher, content)
    sent = fields(as_researcher, look, slug="not a slug!")
    refused = as_researcher.post(look, sent)
    assert refused.status_code == 400
    assert 'class="error"' in refused.content.decode()
    again = as_researcher.post(look, {**sent, "act": "look"})
    page = again.content.decode()
    assert again.status_code == 200
    assert 'class="error"' not in page
    assert 'value="not a slug!"' in page
    assert re.search(r'name="column-4"[^>]*>.*?<option value="score" selected>', page, re.S)


def test_thousands_are_set_apart_everywhere(as_researcher: Client) -> None:
    rows = ["evaluator,prompt,method,overall"]
    rows += [f"r{e},p{p},m{m},{1 + (e + p + m) % 5}" for e in range(2) for p in range(600) for m in range(2)]
    page = shown(as_researcher, uploaded(as_researcher, "\n".join(rows).encode()))
    assert "2,400 ratings by 2 evaluators of 1,200 texts: 600 prompts, 2 methods." in page
    assert "Ratings by an evaluator: 1,200 to 1,200, median 1,200." in page
    assert "1,200 texts did not come with their ratings." in page
