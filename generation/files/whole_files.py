"""Files that are there whole or not at all, whatever ends the process or fills the disk meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO


@contextmanager
def replaced_whole(path: Path) -> Iterator[Path]:
    """Hand out the path of a file beside `path` to write to; it takes the place of `path` if nothing is raised."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def written_whole(path: Path) -> Iterator[TextIO]:
    """Open a text file to write in UTF-8 that takes the place of `path` if nothing is raised."""
    with replaced_whole(path) as unfinished, unfinished.open("w", encoding="utf-8") as file:
        yield file


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file that people can read too."""
    with written_whole(path) as file:
        file.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
