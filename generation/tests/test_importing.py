from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from generation.files.candidates import read_candidates
from generation.files.problems import FileRefused
from generation.prompts import PromptContent

GOOD = "prompt,description,method,text\n月,写月,human,明月几时有\n月,写月,jiuge,海上生明月\n"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(content: str | bytes, name: str = "poems.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


def rows(*changes: dict[str, Any]) -> str:
    """Return the JSON lines of two good rows, with further rows changed as told."""
    good = [
        {"prompt": "月", "method": "human", "text": "明月几时有"},
        {"prompt": "月", "method": "jiuge", "text": "海上生明月"},
    ]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in [*good, *changes])


def problems(path: Path) -> list[str]:
    """Return what is wrong with a file, without its name."""
    with pytest.raises(FileRefused) as refused:
        read_candidates(path, "poem")
    assert all(line.startswith(path.name) for line in refused.value.lines)
    return [line.removeprefix(path.name).lstrip(",: ") for line in refused.value.lines]


def test_a_good_file_gives_its_rows(write: Write) -> None:
    file = read_candidates(write(GOOD), "poem")
    assert file.prompts == [PromptContent("月", "写月")]
    assert file.methods == ["human", "jiuge"]
    assert [(str(row.place), row.text) for row in file.rows] == [
        ("line 2", "明月几时有"),
        ("line 3", "海上生明月"),
    ]
    assert file.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_any_of_three_delimiters_will_do(write: Write, mark: str) -> None:
    assert len(read_candidates(write(GOOD.replace(",", mark)), "poem").rows) == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_encoding_and_line_ends_make_no_difference(write: Write, encoding: str, ends: str) -> None:
    file = read_candidates(write(GOOD.replace("\n", ends).encode(encoding)), "poem")
    assert [row.text for row in file.rows] == ["明月几时有", "海上生明月"]
    assert file.prompts == [PromptContent("月", "写月")]


def test_a_marked_file_may_have_a_quoted_header(write: Write) -> None:
    quoted = GOOD.replace("prompt,", '"prompt",', 1)
    assert len(read_candidates(write(quoted.encode("utf-8-sig")), "poem").rows) == 2


def test_json_lines_are_told_by_what_is_in_them(write: Write) -> None:
    assert len(read_candidates(write("\ufeff" + rows(), "poems.txt"), "poem").rows) == 2


def test_notes_are_left_in_the_file(write: Write) -> None:
    noted = rows().replace('"prompt"', '"title": "静夜思", "author": "李白", "origin": "1", "prompt"')
    assert read_candidates(write(noted), "poem").prompts == [PromptContent("月")]


def test_columns_may_stand_in_any_order_and_case(write: Write) -> None:
    file = read_candidates(write("Text, METHOD ,prompt\n明月,a,月\n清风,b,月\n"), "poem")
    assert [(row.method, row.text) for row in file.rows] == [("a", "明月"), ("b", "清风")]


def test_a_row_is_named_by_its_first_line(write: Write) -> None:
    content = 'prompt,method,text\n\n月,a,"明月\n清风"\n月,b,"海上\r\n\n明月"\n月,c,\n花,a,红\n'
    assert problems(write(content)) == [
        "line 8, text: is empty",
        "line 9, method: prompt '花' has no text by b (2 of this kind: lines 9, 9)",
    ]


def test_every_missing_pair_is_named(write: Write) -> None:
    content = "prompt,method,text\n月,a,明月\n月,b,清风\n花,a,红\n酒,b,醉\n"
    assert problems(write(content)) == [
        "line 4, method: prompt '花' has no text by b (2 of this kind: lines 4, 5)",
    ]


def test_texts_and_prompts_stay_as_they_were_written(write: Write) -> None:
    text = "\ufeff  if a:\r\n\treturn b -- 1  \n\n「可」｜می‌خواهم｜👩\u200d🚀"
    both = [{"prompt": " 咏 月\n", "method": one, "text": text + one} for one in "ab"]
    file = read_candidates(write("".join(json.dumps(row) + "\n" for row in both)), "poem")
    assert [(row.prompt.text, row.text) for row in file.rows] == [
        (" 咏 月\n", text + "a"),
        (" 咏 月\n", text + "b"),
    ]


def test_quoted_cells_keep_their_line_ends(write: Write) -> None:
    file = read_candidates(write('prompt,method,text\n月,a,"一\r\n\r\n  二\n"\n月,b,"三\r"\n'), "poem")
    assert [row.text for row in file.rows] == ["一\r\n\r\n  二\n", "三\r"]


def test_two_methods_may_write_the_same(write: Write) -> None:
    assert len(read_candidates(write(rows(THIRD | {"text": "明月几时有"})), "poem").rows) == 3


THIRD = {"prompt": "月", "method": "cpm", "text": "月落乌啼"}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"method": "jiuge"}, "method: Jiuge has a text for this prompt in line 2 already"),
        ({"text": " \u3000\n"}, "text: is empty"),
        ({"text": None}, "text: is missing"),
        ({"text": 7}, "text: must be a text, not '7'"),
        ({"text": ["moon"]}, "text: must be a text, not '[\"moon\"]'"),
        ({"text": "月\x00"}, "text: holds the control character U+0000"),
        ({"text": "月\x1b[2J"}, "text: holds the control character U+001B"),
        ({"text": "月" * 50_001}, "text: is 50,001 characters long; at most 50,000 are allowed"),
        ({"prompt": "月" * 50_001}, "prompt: is 50,001 characters long; at most 50,000 are allowed"),
        ({"prompt": "\u200b"}, "prompt: is empty"),
        ({"method": "c" * 101}, "method: is 101 characters long; at most 100 are allowed"),
    ],
)
def test_one_wrong_field_is_one_problem(write: Write, change: dict[str, Any], problem: str) -> None:
    assert problems(write(rows(THIRD | change))) == [f"line 3, {problem}"]


def test_a_field_that_is_left_out_is_named(write: Write) -> None:
    assert problems(write(rows({"prompt": "月", "method": "cpm"}))) == ["line 3, text: is missing"]


def test_half_a_surrogate_pair_is_refused(write: Write) -> None:
    bad = '{"prompt": "月", "method": "cpm", "text": "\\ud800"}\n'
    assert problems(write(rows() + bad)) == ["line 3, text: holds the control character U+D800"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"prompt": "月"', "line 3, column 15: is not JSON: Expecting ',' delimiter"),
        ("[1, 2]", 'line 3: must be a JSON object: {"name": value, ...}'),
        ('{"prompt": "月", "prompt": "花"}', "line 3: is not a row: one name stands twice in an object"),
        ("[" * 100_000, "line 3: is not a row: it is nested too deeply"),
    ],
)
def test_a_malformed_line_is_named(write: Write, line: str, problem: str) -> None:
    assert problems(write(f"{rows()}{line}\n")) == [problem]


def test_all_problems_are_listed_by_line(write: Write) -> None:
    lines = problems(write("prompt,method,text\n月,a,\n花,a,红\n月,b,清风\n,b,醉\n酒,b,\x07\n"))
    assert lines == [
        "line 2, text: is empty",
        "line 3, method: prompt '花' has no text by b (2 of this kind: lines 3, 6)",
        "line 5, prompt: is empty",
        "line 6, text: holds the control character U+0007",
    ]


def test_problems_of_one_kind_come_once_with_their_number_and_the_first_places(write: Write) -> None:
    content = "prompt,method,text\n" + "".join(f"月{number},a,\n" for number in range(103))
    assert problems(write(content + "花,a,红\n花,b,白\n")) == [
        "line 2, text: is empty (103 of this kind: lines 2, 3, 4, 5, 6, …)",
        "line 2, method: prompt '月0' has no text by b (103 of this kind: lines 2, 3, 4, 5, 6, …)",
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "holds no candidates"),
        ("prompt,method,text\n", "holds no candidates"),
        ("prompt,method,text\n月,a,明月\n花,a,红\n", "method: there must be 2 to 26 methods, not 1 (a)"),
        (
            "prompt,method,text\n" + "".join(f"月,m{number},{number}月\n" for number in range(27)),
            "method: there must be 2 to 26 methods, not 27 (m0, m1, m2, m3, m4, …)",
        ),
    ],
)
def test_there_must_be_prompts_and_methods(write: Write, content: str, problem: str) -> None:
    assert problems(write(content)) == [problem]


def test_a_header_without_the_columns_ends_it(write: Write) -> None:
    assert problems(write("prompt,methods,text,text\n月,a,明月,\n")) == [
        "text: is the name of two columns",
    ]


def test_too_many_cells_are_no_row(write: Write) -> None:
    assert problems(write(f"{GOOD}花,写花,human,红,白\n")) == [
        "line 4: has 5 cells; the header has 4 columns"
    ]


def test_a_quote_that_is_never_closed_is_named(write: Write) -> None:
    lines = problems(write(f'{GOOD}花,写花,human,"红\n花,写花,jiuge,白\n'))
    assert lines == [
        "line 4: the row that begins here has a quoted cell that is never closed; what follows was not read"
    ]


def test_a_cell_of_a_million_characters_is_refused(write: Write) -> None:
    content = f"{GOOD}花,,human,{'红' * 1_000_000}\n花,,jiuge,\n"
    assert problems(write(content)) == [
        "line 4, text: is 1,000,000 characters long; at most 50,000 are allowed",
        "line 5, text: is empty",
    ]


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    assert problems(tmp_path / "none.csv") == ["cannot be read: No such file or directory"]


def test_what_a_terminal_would_act_on_is_not_repeated(write: Write) -> None:
    with pytest.raises(FileRefused) as refused:
        read_candidates(write("prompt,method,text\n月,\u202ea,明月\n月,b\u0009,清风\n"), "poem")
    assert "\u202e" not in str(refused.value)
    assert "'\\u202ea'" in str(refused.value)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("notes", {"a\x00": 1}, "a\ufffd: holds a control character"),
        ("notes", {"a": {"\ud800": 1}}, "a: holds a control character"),
        ("provenance", {"facts": {"a": "\x00"}}, "provenance: holds a control character"),
        ("provenance", {"unknown": "\ud800"}, "provenance: holds a control character"),
        ("provenance", {"score": 10**400}, "provenance: holds a number that is infinite, or none"),
    ],
)
def test_what_a_database_cannot_hold_is_refused_beside_a_text(
    write: Write, field: str, value: object, problem: str
) -> None:
    row = {"prompt": "花", "method": "human", "text": "花落", field: value}
    found = problems(write(json.dumps(row) + "\n" + json.dumps({**row, "method": "jiuge"})))
    assert found == [f"line 1, {problem} (2 of this kind: lines 1, 2)"]


def test_a_number_of_parquet_that_is_none_is_refused_in_a_note(tmp_path: Path) -> None:
    rows = {"prompt": ["p", "p"], "method": ["a", "b"], "text": ["x", "y"], "n": [[float("nan")], [1.0]]}
    pyarrow.parquet.write_table(pyarrow.table(rows), tmp_path / "a.parquet")
    (found,) = problems(tmp_path / "a.parquet")
    assert "row 1, n: holds a number that is infinite, or none" in found
