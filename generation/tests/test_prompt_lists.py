"""A list of prompts is read as plain lines, CSV or JSON Lines, and refused with every problem it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from generation.files.problems import FileRefused
from generation.files.prompts import read_prompts
from generation.prompts import PromptContent

SPRING = PromptContent("春江", "写春")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "titles.txt"


def problems(path: Path, content: str | bytes) -> list[str]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(FileRefused) as refused:
        read_prompts(path, "poem")
    return [line.removeprefix(path.name).lstrip(",: ") for line in refused.value.lines]


@pytest.mark.parametrize(
    ("content", "prompts"),
    [
        ("春江\n\n 秋夜 \r\n", (PromptContent("春江"), PromptContent("秋夜"))),
        ("\ufeff春江\n秋夜", (PromptContent("春江"), PromptContent("秋夜"))),
        (
            "Prompt,Description\n春江,写春\n秋夜,\n",
            (SPRING, PromptContent("秋夜")),
        ),
        ("description;prompt\n写春;春江\n", (SPRING,)),
        ("prompt\n春江\n", (PromptContent("春江"),)),
        (
            '{"prompt": "春江", "description": "写春"}\n{"prompt": "秋夜"}\n',
            (SPRING, PromptContent("秋夜")),
        ),
        ("春江, 花月夜\n", (PromptContent("春江, 花月夜"),)),
    ],
)
def test_lists_are_told_by_what_is_in_them(
    path: Path, content: str, prompts: tuple[PromptContent, ...]
) -> None:
    path.write_bytes(content.encode())
    assert read_prompts(path, "poem").prompts == prompts


def test_an_encoding_that_was_confirmed_is_read(path: Path) -> None:
    path.write_bytes("春江花月夜\n秋夜将晓\n".encode("gb18030"))
    assert read_prompts(path, "poem", encoding="gb18030").prompts == (
        PromptContent("春江花月夜"),
        PromptContent("秋夜将晓"),
    )


def test_upload_is_called_what_its_owner_calls_it(path: Path) -> None:
    path.write_text("春江\n")
    file = read_prompts(path, "poem", name="mine.csv")
    assert file.name == "mine.csv"
    assert len(file.sha256) == 64


def test_every_problem_is_told_with_its_line(path: Path) -> None:
    assert problems(path, "春江\n秋夜\n春江\n" + "长" * 50_001) == [
        "line 3, prompt: '春江' stands in line 1 already",
        "line 4, prompt: is 50,001 characters long; at most 50,000 are allowed",
    ]
    assert problems(path, "prompt,description\n,写春\n春江\x01,\n") == [
        "line 2, prompt: is empty",
        "line 3, prompt: holds the control character U+0001",
    ]


def test_what_is_no_list_is_refused(path: Path) -> None:
    assert problems(path, "\n \n") == ["holds no prompts"]
    assert problems(path, '{"prompt": 3}') == ["line 1, prompt: must be a text, not '3'"]
    assert problems(path, '{"prompt": null}') == ["line 1, prompt: is empty"]
    assert problems(path, '{"prompt": ') == ["line 1, column 12: is not JSON: Expecting value"]
    assert problems(path, b"spring\x00river\n") == ["line 1, prompt: holds the control character U+0000"]
