"""`make` runs whatever the environment holds."""

from __future__ import annotations

import os
import subprocess

import pytest
from django.conf import settings


@pytest.mark.parametrize(("given", "called"), [("", "python3"), ("/opt/py/bin/python", "/opt/py/bin/python")])
@pytest.mark.parametrize("is_argument", [True, False])
def test_make_takes_an_empty_python_for_none(given: str, called: str, is_argument: bool) -> None:
    words = ["make", "--dry-run", "--always-make", "install", *([f"PYTHON={given}"] if is_argument else [])]
    environment = os.environ | ({} if is_argument else {"PYTHON": given})
    said = subprocess.run(
        words, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert f"{called} -m venv .venv" in said
