"""Text in a file leaves the direction of writing as it found it."""

from __future__ import annotations

import csv
import io
import json

import pytest

from stats.reports.directions import closed
from stats.reports.write_rows import Columns, csv_chunks, jsonl_chunks

COLUMNS: Columns = {"text": "text", "more": "json"}


# After UAX #9: a closing isolate ends the embeddings that were begun within it, and a paragraph's end ends all.
@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("plain", ""),
        ("\u202eabc", "\u202c"),
        ("\u202eabc\u202c", ""),
        ("\u202a\u202babc", "\u202c\u202c"),
        ("\u2067abc", "\u2069"),
        ("\u2067a\u202eb\u2069c", ""),
        ("\u202ea\u2067b", "\u2069\u202c"),
        ("\u202ea\u2069b", "\u202c"),
        ("\u2067a\u202cb", "\u2069"),
        ("\u202ea\nb", ""),
        ("a\n\u202eb", "\u202c"),
        ("\u202c\u2069", ""),
        ("a\u200eb\u200f", ""),
    ],
)
def test_a_text_is_closed_by_what_it_left_open(text: str, end: str) -> None:
    assert closed(text) == text + end


def test_a_row_of_csv_is_turned_back_at_the_end_of_the_cell_that_turned_it_round() -> None:
    content = b"".join(csv_chunks(COLUMNS, [("=\u202ea", '["\u2066"]')])).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(content)))[1] == ["'=\u202ea\u202c", '["\u2066"]\u2069']


def test_json_escapes_what_turns_directions_round_and_is_read_as_it_was() -> None:
    content = b"".join(jsonl_chunks(COLUMNS, [("\u202e\u4e2d", '{"a": "\u2066"}')])).decode()
    assert content == '{"text": "\\u202e\u4e2d", "more": {"a": "\\u2066"}}\n'
    assert json.loads(content) == {"text": "\u202e\u4e2d", "more": {"a": "\u2066"}}
