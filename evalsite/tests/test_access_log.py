"""The access log of gunicorn names whoever sent a request, behind a proxy too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from evalsite.tests.cast import wait_for

# Nothing answers there; `/healthz` asks neither.
NOWHERE = {"DATABASE_URL": "postgres://quick@localhost:1/quick", "CELERY_BROKER_URL": "redis://localhost:1/0"}


@pytest.fixture
def port(tmp_path: Path) -> Iterator[str]:
    """The port of a web server behind one proxy, whose log of access is `access.log`."""
    log = tmp_path / "error.log"
    process = subprocess.Popen(
        [
            sys.executable, "-m", "gunicorn", "evalsite.wsgi", "--bind=127.0.0.1:0", "--no-control-socket",
            f"--access-logfile={tmp_path / 'access.log'}", f"--error-logfile={log}",
        ],
        cwd=settings.BASE_DIR, env=os.environ | NOWHERE | {"TRUSTED_PROXIES": "1"},
    )  # fmt: skip
    try:
        wait_for(lambda: log.exists() and "Listening at" in log.read_text(), seconds=120)
        found = re.search(r"Listening at: http://127.0.0.1:(\d+)", log.read_text())
        assert found
        yield found[1]
    finally:
        process.terminate()
        process.wait(60)


def test_the_access_log_has_the_visitor_s_address_and_not_the_proxy_s(port: str, tmp_path: Path) -> None:
    forged = urllib.request.Request(
        f"http://127.0.0.1:{port}/healthz", headers={"X-Forwarded-For": "192.0.2.66, 203.0.113.5"}
    )
    for request in (forged, f"http://127.0.0.1:{port}/healthz"):
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 - our own server
            assert answer.status == 200
    access = tmp_path / "access.log"
    wait_for(lambda: access.read_text().count("\n") == 2, seconds=30)
    assert [line.split()[0] for line in access.read_text().splitlines()] == ["203.0.113.5", "127.0.0.1"]
