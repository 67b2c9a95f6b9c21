"""Templates are laid out by the tools that `.pre-commit-config.yaml` names, with lines that a reviewer can read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

LONGEST_LINE = 160
TEMPLATES = sorted(
    path
    for app in ("annotations", "evalsite", "generation", "turing")
    for path in (settings.BASE_DIR / app / "templates").rglob("*.*")
)
# The line breaks of a letter are text.
PAGES = [str(path) for path in TEMPLATES if path.suffix == ".html" and not path.stem.endswith("_email")]


def test_no_line_of_a_template_is_longer_than_160_characters() -> None:
    assert TEMPLATES
    assert [
        f"{path.relative_to(settings.BASE_DIR)}:{number}"
        for path in TEMPLATES
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > LONGEST_LINE
    ] == []


@pytest.mark.parametrize(
    "tool", [("djade", "--check", "--target-version", "5.2"), ("djhtml", "--check", "--tabwidth", "2")]
)
def test_templates_are_laid_out_as_the_tool_lays_them_out(tool: tuple[str, ...]) -> None:
    name, *options = tool
    ran = subprocess.run(
        [Path(sys.executable).with_name(name), *options, *PAGES], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
