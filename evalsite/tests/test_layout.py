"""The tree stays one that a stranger can read: short files, folders seen at a glance, a map of all packages."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
APPS = ("evalsite", "annotations", "generation", "turing", "stats")
BESIDE = ("tests", "benchmarks")
MOST_FILES = 20
MOST_LINES = 400
LONGEST_LINE = 160
# What Django lays out by itself, or has a folder for each of many alike.
LAID_OUT = {"migrations", "commands", "tests"}
CODE = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
TEMPLATES = [path for app in APPS for path in (ROOT / app).rglob("templates/**/*.html")]


def test_no_folder_has_more_code_files_than_can_be_seen_at_a_glance() -> None:
    measured = (ROOT / "benchmarks").rglob("*.py")
    files = Counter(path.parent for path in (*CODE, *measured) if path.name != "conftest.py")
    full = {
        str(folder.relative_to(ROOT)): number
        for folder, number in files.items()
        if number > MOST_FILES and folder.name not in LAID_OUT
    }
    assert len(files) > 50
    assert full == {}


@pytest.mark.parametrize("folder", [*APPS, *BESIDE])
def test_no_file_is_longer_than_can_be_read_at_a_sitting(folder: str) -> None:
    lines = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / folder).rglob("*.py")
        if path.parent.name != "migrations"
    }
    assert {name: number for name, number in lines.items() if number > MOST_LINES} == {}


def test_no_line_of_a_template_runs_off_the_window() -> None:
    assert len(TEMPLATES) > 50
    assert [
        f"{path.relative_to(ROOT)}:{number}"
        for path in TEMPLATES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > LONGEST_LINE
    ] == []


def test_the_map_for_developers_names_every_package() -> None:
    text = (ROOT / "docs" / "developers.md").read_text(encoding="utf-8")
    packages = {
        path.parent.relative_to(ROOT)
        for path in CODE
        if path.name == "__init__.py" and len(path.parent.relative_to(ROOT).parts) == 2
    }
    named = {package for package in packages if f"{package.name}/" in text}
    everywhere = {"management", "migrations", "templatetags", "tests"}
    assert sorted(str(one) for one in packages - named if one.name not in everywhere) == []
