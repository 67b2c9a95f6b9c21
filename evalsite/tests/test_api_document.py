"""The example in docs/api.md runs as it stands, against a site that is served."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls import get_resolver

from annotations.models import Payment, Rating, Study
from annotations.tests.cast import build_user
from evalsite.accounts.tokens import make_token

DOCUMENT = (settings.BASE_DIR / "docs" / "api.md").read_text()


def block(language: str) -> str:
    """Return the one block of code in a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.django_db(transaction=True)
def test_the_example_of_the_document_runs_to_its_end(live_server: Any, tmp_path: Path) -> None:
    owner = build_user("carol", is_staff=True)
    (tmp_path / "candidates.csv").write_text(block("csv"), encoding="utf-8")
    (tmp_path / "example.py").write_text(block("python"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "example.py"],
        cwd=tmp_path,
        env={**os.environ, "EVALSITE_URL": live_server.url, "EVALSITE_TOKEN": make_token(owner)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "2 prompts, 0 texts missing",
        "the study is open",
        "2 of 2 have finished",
        # The machine's poems have more different characters: 3 points of the one evaluator and 4 of the other on every
        # page, against 1 and 2.
        "human: 1.50",
        "machine: 3.50",
        "44 answers",
        "paid: E001, E002",
    ]
    assert Study.objects.get().state == Study.State.CLOSED
    assert Rating.objects.count() == 40
    assert list(Payment.objects.values_list("state", "reference")) == [("paid", "2026-11")] * 2
    assert (tmp_path / "spring-heds.md").read_text().startswith("# Human evaluation data sheet: Spring poems")


def test_every_call_that_the_document_names_exists() -> None:
    """The calls of the table are written without the study's slug in later parts of a cell."""
    named = re.findall(r"`(?:GET|POST|PUT|PATCH) ([^`]+)`", DOCUMENT)
    resolver = get_resolver()
    for path in named:
        if path.startswith("studies/"):
            resolver.resolve("/api/v1/" + path.replace("SLUG", "poems").split("?")[0])
    assert len(named) > 15
