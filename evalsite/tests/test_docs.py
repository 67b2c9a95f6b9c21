"""The documentation keeps up with the code: each setting and each command is named in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.db import connection

ROOT: Path = settings.BASE_DIR
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "fixtures").glob("*.md")])
TEXT = "\n".join(page.read_text() for page in PAGES)
OURS = ("evalsite", "annotations", "generation")


def test_each_variable_the_settings_read_is_documented() -> None:
    code = "\n".join(
        path.read_text()
        for path in [*(ROOT / "evalsite").glob("[se]*.py"), *(ROOT / "evalsite" / "embedded").glob("*.py")]
    )
    variables = set(re.findall(r'(?:env_\w+\(|environ\.get\()\s*"([A-Z_]+)"', code))
    assert len(variables) > 10
    documented = (ROOT / "docs" / "administrators.md").read_text()
    assert {name for name in variables if f"`{name}`" not in documented} == set()


def test_each_command_is_documented() -> None:
    commands = {name for name, app in get_commands().items() if app in OURS}
    assert len(commands) > 10
    assert {name for name in commands if not re.search(rf"\b{name}\b", TEXT)} == set()


def test_each_link_leads_somewhere() -> None:
    missing = [
        (page.name, target)
        for page in PAGES
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert missing == []


def test_each_path_that_contributors_are_sent_to_is_there() -> None:
    """What a walk of `CONTRIBUTING.md` or a decision names in code marks, with a slash, is a file or a folder."""
    pages = [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *(ROOT / "docs" / "decisions").glob("*.md")]
    named = {path for page in pages for path in re.findall(r"`([\w.-]+(?:/[\w.-]*)+)`", page.read_text())}
    assert len(named) > 10
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


@pytest.mark.django_db
def test_the_table_of_guards_has_the_triggers_of_the_database() -> None:
    section = (
        (ROOT / "docs" / "developers.md").read_text().split("## Guards of the database")[1].split("\n## ")[0]
    )
    named = {
        name
        for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
        assert named == {name for (name,) in cursor.fetchall()}
