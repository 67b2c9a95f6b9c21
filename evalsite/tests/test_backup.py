"""What `backup` writes, `restore` brings back into an empty site, and everything is there."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection

from annotations.models import Rating
from annotations.plan.simulation import simulate_ratings
from annotations.tests.cast import build_study, build_user

EMPTY = "restored_site"


@pytest.fixture
def empty_database(transactional_db: None) -> Iterator[str]:
    """A database beside that of the tests, in which nothing was ever stored."""
    parameters: dict[str, Any] = connection.get_connection_params()
    server = {key: parameters[key] for key in ("host", "user", "password", "port") if parameters.get(key)}
    admin = psycopg2.connect(dbname="postgres", **server)
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {EMPTY}")
        cursor.execute(f"CREATE DATABASE {EMPTY}")
    yield EMPTY
    connection.close()
    with admin.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {EMPTY} WITH (FORCE)")
    admin.close()


def counts() -> dict[str, int]:
    return {model._meta.db_table: model._base_manager.count() for model in apps.get_models()}


@pytest.mark.django_db(transaction=True)
def test_everything_is_there_after_a_restore_into_an_empty_site(
    empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_user("carol", password="verse-and-prose", is_staff=True)
    study = build_study()
    simulate_ratings(study, evaluators=3, seed=1)
    file = tmp_path / "site.dump"
    call_command("backup", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before, scores = counts(), list(Rating.objects.order_by("pk").values_list("pk", "score"))
    assert before["annotations_rating"] == len(scores) > 0

    with pytest.raises(CommandError, match="holds studies or accounts already"):
        call_command("restore", str(file))
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "NAME", empty_database)
    call_command("restore", str(file))
    assert counts() == before
    assert list(Rating.objects.order_by("pk").values_list("pk", "score")) == scores
    call_command("migrate", "--check", verbosity=0)
    connection.close()


def test_a_backup_overwrites_nothing(db: None, tmp_path: Path) -> None:
    file = tmp_path / "there.dump"
    file.write_text("kept")
    with pytest.raises(CommandError, match="File exists"):
        call_command("backup", str(file))
    assert file.read_text() == "kept"


def test_what_is_no_backup_is_refused(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="there is no such file"):
        call_command("restore", str(tmp_path / "nothing"))
