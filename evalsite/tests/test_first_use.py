"""Commands on an installed clone: the first one makes what it needs; an impossible home is said in one line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

from evalsite import embedded
from evalsite.embedded.layout import BASE_DIR, lay_out
from evalsite.embedded.programs import reason
from evalsite.tests.cast import clear, sql

pytestmark = pytest.mark.usefixtures("own_servers")


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, BASE_DIR / "manage.py", *words],
        capture_output=True, text=True, check=False, env={**os.environ, **environment},
    )  # fmt: skip


def test_first_command_makes_the_tables_and_the_next_one_finds_them(new_home: Path) -> None:
    words = ["export_report", "nosuch", "--output", "nowhere.json"]
    first, second = run(*words), run(*words)
    assert first.stderr.startswith("Bringing the tables up to date (")
    assert "Traceback" not in first.stderr
    assert first.stderr.endswith(second.stderr)
    assert second.stderr.count("\n") == 1
    assert "nosuch" in second.stderr
    assert int(sql("SELECT count(*) FROM django_migrations")) > 0


def test_database_of_its_own_that_lacks_tables_is_left_alone_and_said_in_a_line(new_home: Path) -> None:
    embedded.start()
    address = embedded.urls().database
    done = run("export_report", "nosuch", "--output", "nowhere.json", DATABASE_URL=address)
    assert done.returncode == 1
    assert done.stderr.startswith("The tables of the database are not those of this version: run ")
    assert done.stderr.count("\n") == 1
    connection = psycopg2.connect(address)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('django_migrations')")
        assert cursor.fetchone() == (None,)
    connection.close()


def test_command_that_cannot_have_its_servers_says_why_in_one_line(new_home: Path) -> None:
    new_home.mkdir()
    (new_home / "embedded").touch()
    done = run("migrate")
    assert done.returncode == 1
    assert done.stderr == f"The embedded servers cannot be used: File exists: {new_home / 'embedded'}\n"


@pytest.mark.parametrize(
    ("home", "why"),
    [
        ("/proc/nothing/here", "No such file or directory: /proc/nothing"),
        ("/dev/null", "File exists: /dev/null"),
        ("~nosuchuser/home", "Could not determine home directory"),
        ("LOOP", "Symlink loop"),
    ],
)
@pytest.mark.parametrize("command", ["check", "migrate", "demo"])
def test_impossible_home_is_one_line_with_the_reason(
    tmp_path: Path, home: str, why: str, command: str
) -> None:
    if home == "LOOP":
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        home = str(tmp_path / "loop")
    done = run(command, EVALSITE_HOME=home)
    assert done.returncode == 1
    assert why in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="only root can mount a small disk")
def test_full_disk_while_the_database_is_made_is_said(new_home: Path) -> None:
    new_home.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", new_home],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        done = run("migrate")
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "No space left on device" in done.stderr
    finally:
        clear(new_home)
        subprocess.run(["umount", new_home], check=True)


def test_reason_of_a_failed_initdb_is_the_error_and_not_the_tidying_up() -> None:
    said = (
        "creating configuration files ...\n"
        'initdb: error: could not write file "/x/global.tmp": No space left on device\n'
        'initdb: removing contents of data directory "/x"\n'
    )
    assert reason(said) == 'initdb: error: could not write file "/x/global.tmp": No space left on device'
    assert reason("child was killed\n") == "child was killed"
    assert reason("") == "it said nothing"


def test_home_is_where_the_environment_says(new_home: Path) -> None:
    assert lay_out().home == new_home
