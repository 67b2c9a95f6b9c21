"""What the columns of a file are is guessed by their names and cells, confirmed by somebody, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generation.files.candidates import CandidateFile, method_key, read_candidates
from generation.files.columns import ColumnsUnconfirmed, guessed_columns
from generation.files.problems import FileRefused
from generation.files.tables import read_table
from generation.tests.test_tables import workbook

Write = Callable[[str], Path]
WIDE = (
    "Question,GPT-4 (t=0.7),meta-llama/Llama-3.1-8B,真人,Score\n"
    'Why?,Because.,"So, ""yes""",因为。,3\nHow?,Thus.,Like this.,这样。,4\n'
)
ITS_COLUMNS = "'Question', 'GPT-4 (t=0.7)', 'meta-llama/Llama-3.1-8B', '真人', 'Score'"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(content: str) -> Path:
        path = tmp_path / "answers.csv"
        path.write_text(content)
        return path

    return write_file


def texts(file: CandidateFile) -> list[tuple[str, str, str]]:
    return [(row.prompt.text, file.labels[row.method], row.text) for row in file.rows]


def refused(path: Path, columns: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(FileRefused) as why:
        read_candidates(path, "qa", columns=columns)
    return [line.removeprefix(path.name).lstrip(",: ") for line in why.value.lines]


@pytest.mark.parametrize(
    ("content", "roles"),
    [
        ("prompt,method,text,Speed\na,b,c,1\n", ["prompt", "method", "text", "note"]),
        ("Prompt_ID,Part:Style guide,tag:domain,METHOD,Text\n",
         ["prompt_id", "part:Style guide", "tag:domain", "method", "text"]),
        ("ID,Model,Question,Response,Language\n1,b,a,c,en\n", ["prompt_id", "method", "prompt", "text", "note"]),
        ("题目,模型,回答\n甲,乙,丙\n", ["prompt", "method", "text"]),
        ("instruction,input_tokens,system,what it wrote\na,5,b,c d\n", ["prompt", "note", "method", "text"]),
        (WIDE, ["prompt", "texts_of", "texts_of", "texts_of", "note"]),
        ("poet,A,B,author\nx,text of a,text of b,me\n", ["prompt", "texts_of", "texts_of", "note"]),
        ("question,GPT-4,Llama, domain\nWhy?,A long answer.,Another long answer.,law\n",
         ["prompt", "texts_of", "texts_of", "note"]),
        ("question,GPT-4,Llama,where\nWhy?,A long answer of words.,Another long answer of words.,law\n",
         ["prompt", "texts_of", "texts_of", "note"]),
        ("question,GPT-4,Llama\nIs it?,Yes,It is so because the moon is round.\n",
         ["prompt", "texts_of", "texts_of"]),
        ("prompt,context,output,reference\na,b,c,d\n", ["prompt", "context", "texts_of", "reference"]),
    ],
)  # fmt: skip
def test_columns_are_guessed_by_their_names_and_cells(write: Write, content: str, roles: list[str]) -> None:
    table = read_table(write(content))
    assert list(guessed_columns(table).roles.values()) == roles


def test_a_guess_is_not_used_before_it_is_confirmed(write: Write) -> None:
    path = write(WIDE)
    with pytest.raises(ColumnsUnconfirmed) as unconfirmed:
        read_candidates(path, "qa")
    assert unconfirmed.value.lines == [
        "answers.csv: has columns of other names; they seem to be: Question=prompt, GPT-4 (t=0.7)=texts_of,"
        " meta-llama/Llama-3.1-8B=texts_of, 真人=texts_of, Score=note"
    ]
    file = read_candidates(path, "qa", columns=dict(unconfirmed.value.roles))
    assert texts(file) == [
        ("Why?", "GPT-4 (t=0.7)", "Because."),
        ("Why?", "meta-llama/Llama-3.1-8B", 'So, "yes"'),
        ("Why?", "真人", "因为。"),
        ("How?", "GPT-4 (t=0.7)", "Thus."),
        ("How?", "meta-llama/Llama-3.1-8B", "Like this."),
        ("How?", "真人", "这样。"),
    ]
    assert [row.notes for row in file.rows[:4]] == [{"Score": "3"}] * 3 + [{"Score": "4"}]


def test_columns_are_changed_and_left_out(write: Write) -> None:
    path = write("A,B,C,D,E\nwhy,gpt,because,news,x\nwhy,human,so,news,y\n")
    roles = {"A": "prompt", "B": "method", "C": "text", "D": "tag:", "E": "ignore"}
    file = read_candidates(path, "qa", columns=roles)
    assert texts(file) == [("why", "gpt", "because"), ("why", "Human", "so")]
    assert file.prompts[0].tags == (("D", "news"),)
    assert [row.notes for row in file.rows] == [{}, {}]


def test_unknown_columns_are_kept_as_notes(tmp_path: Path) -> None:
    rows = [
        {"prompt": "a", "method": one, "text": "b", "latency": 1.5, "more": {"x": [1, None]}} for one in "mn"
    ]
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(rows))
    assert read_candidates(path, "qa").rows[0].notes == {"latency": 1.5, "more": {"x": [1, None]}}
    path.write_text(json.dumps([{**row, "notes": {"latency": 2}, "latency": None} for row in rows]))
    assert read_candidates(path, "qa").rows[0].notes == {"more": {"x": [1, None]}, "latency": 2}
    path.write_text(json.dumps([{**row, "more": {"x": "\0"}} for row in rows]))
    assert refused(path) == ["item 1, more: holds a control character (2 of this kind: items 1, 2)"]


def test_numbers_in_a_workbook_are_the_texts_that_they_show(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["id", "prompt", "method", "text"],
        [7, 1984, "a", 42],
        ["007", True, "a", 0.1 + 0.2],
    ]
    path = workbook(tmp_path / "a.xlsx", Answers=[*rows, [7, 1984, "b", "x"], ["007", True, "b", "y"]])
    file = read_candidates(path, "qa")
    assert [(row.prompt.external_id, row.prompt.text, row.text) for row in file.rows[:2]] == [
        ("7", "1984", "42"),
        ("007", "TRUE", "0.3"),
    ]


@pytest.mark.parametrize(
    ("content", "columns", "problem"),
    [
        ("a,b\n1,2\n", None, "prompt: no such column; there are: 'a', 'b'"),
        (WIDE, {"Question": "prompt", "真人": "text"}, f"method: no such column; there are: {ITS_COLUMNS}"),
        (WIDE, {"Question": "prompt", "Lost": "note", "真人": "texts_of"},
         f"'Lost': no such column; there are: {ITS_COLUMNS}"),
        (WIDE, {"Question": "prompt", "真人": "poetry"}, "真人: 'poetry' is nothing that a column can be"),
        (WIDE, {"Question": "prompt", "真人": "texts_of", "Score": "text"},
         "has either a column for the method and one for the text, or one for each method"),
        (WIDE, {"Question": "prompt", "真人": "texts_of", "Score": "prompt"}, "prompt: is what two columns are"),
    ],
)  # fmt: skip
def test_columns_that_make_no_candidates_are_refused(
    write: Write, content: str, columns: dict[str, str] | None, problem: str
) -> None:
    assert problem in refused(write(content), columns)


def test_an_empty_cell_in_a_methods_column_is_a_text_that_is_missing(write: Write) -> None:
    path = write("prompt,A b,C\nWhy?,x y,\nHow?,z,w\n")
    assert refused(path, {"prompt": "prompt", "A b": "texts_of", "C": "texts_of"}) == [
        "line 2, method: prompt 'Why?' has no text by C"
    ]
    with_control = write("prompt,A b,C\nWhy?,x\x07,y\n")
    assert refused(with_control, {"prompt": "prompt", "A b": "texts_of", "C": "texts_of"}) == [
        "line 2, A b: holds the control character U+0007"
    ]


def test_any_label_makes_a_key_of_its_own() -> None:
    labels = [
        "GPT-4 (t=0.7)",
        "GPT-4 (t=0,7)",
        "meta-llama/Llama-3.1-8B",
        "真人",
        "机器",
        "é" * 100,
        "human",
        "Human",
    ]
    keys = [method_key(label) for label in labels]
    assert keys[-2:] == ["human", "human"]
    assert len(set(keys)) == len(labels) - 1
    assert all(len(key) <= 50 and key.isascii() for key in keys)
    assert keys == [method_key(label) for label in labels], "the same label is the same method"
