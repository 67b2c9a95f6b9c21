"""Tests are quick unless they need a server, and nobody has to say which are which."""

from __future__ import annotations

import pytest
from django.conf import settings

CONFTEST = (settings.BASE_DIR / "conftest.py").read_text()
TESTS = """
import pytest

from django.test import SimpleTestCase, TestCase

def test_adds(): ...
def test_reads(db): ...
@pytest.mark.django_db
def test_counts(): ...
@pytest.mark.browser
def test_looks(): ...
class Plain(SimpleTestCase):
    def test_page(self): ...
class WithRows(TestCase):
    def test_rows(self): ...
"""


def test_a_test_is_quick_unless_it_asks_for_a_database_or_a_browser(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(settings.BASE_DIR))
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(TESTS)
    pytester.makeini("[pytest]\nmarkers =\n    server: needs one\n    browser: needs one\n")
    quick = pytester.runpytest_subprocess(
        "-m", "not server", "-p", "no:cacheprovider", "--collect-only", "-q"
    )
    assert [line.split("::")[-1] for line in quick.outlines if "::" in line] == ["test_adds", "test_page"]
