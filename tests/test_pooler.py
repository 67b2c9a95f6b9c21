"""Behind a pooler that gives each transaction any of a few connections, nothing of an answer is lost."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from annotations.models import AnswerChange
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_study, build_user
from evalsite import embedded
from evalsite.embedded.layout import lay_out
from evalsite.tests.cast import wait_for
from tests.test_answer_faults import Evaluator, answers_of, stored_scores
from tests.worker_site import WebServer, own_site

pytestmark = pytest.mark.fault

EVALUATORS, ANSWERS = 6, 15
CONFIGURATION = """
[databases]
evalsite = host={database} port=5432 user=evalsite
[pgbouncer]
listen_port = 6432
unix_socket_dir = {pool}
auth_type = any
pool_mode = transaction
default_pool_size = 2
"""


@pytest.fixture
def web(django_db_blocker: DjangoDbBlocker, own_home: Path) -> Iterator[WebServer]:
    """A web server that reaches its database through PgBouncer, with more threads than there are connections."""
    program = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
    if program is None:
        pytest.skip("PgBouncer is not installed (on Debian the package pgbouncer)")
    with (
        pytest.MonkeyPatch.context() as patch,
        django_db_blocker.unblock(),
        own_site(patch, own_home) as home,
    ):
        # It runs as the account that PostgreSQL knows by its name.
        owner = lay_out().sockets.stat()
        pool = home / "pool"
        pool.mkdir()
        (pool / "pgbouncer.ini").write_text(CONFIGURATION.format(database=lay_out().sockets, pool=pool))
        account: dict[str, Any] = {}
        if os.geteuid() != owner.st_uid:
            os.chown(pool, owner.st_uid, owner.st_gid)
            account = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        pooler = subprocess.Popen([program, "-q", str(pool / "pgbouncer.ini")], cwd="/", **account)
        wait_for(lambda: (pool / ".s.PGSQL.6432").exists(), 30)
        patch.setenv("DATABASE_URL", f"postgres://evalsite@:6432/evalsite?host={pool}")
        patch.setenv("CELERY_BROKER_URL", embedded.urls().broker)
        patch.setenv("TRANSACTION_POOLER", "1")
        server = WebServer(home / "web.log")
        server.start()
        patch.delenv("DATABASE_URL")
        patch.delenv("CELERY_BROKER_URL")
        yield server
        server.kill()
        pooler.terminate()
        pooler.wait(30)
        shutil.rmtree(pool)


def test_answers_are_stored_and_pages_shown_through_pgbouncer(web: WebServer) -> None:
    study = build_study(prompts=2)
    users = [build_user(f"evaluator{number}") for number in range(EVALUATORS)]
    evaluators = [Evaluator(web.port, user, answers_of(enrol(study, user), ANSWERS)) for user in users]
    wait_for(lambda: page_of(evaluators[0]) == 200, 120)
    for one in evaluators:
        one.may_send = ANSWERS
    with ThreadPoolExecutor(EVALUATORS) as threads:
        list(threads.map(Evaluator.rate, evaluators))
        assert list(threads.map(page_of, evaluators)) == [200] * EVALUATORS
    assert [one.unacknowledged for one in evaluators] == [0] * EVALUATORS
    assert AnswerChange.objects.filter(enrolment__study=study).count() == EVALUATORS * ANSWERS
    last = {(answer.token, answer.criterion): answer.score for one in evaluators for answer in one.answers}
    assert stored_scores(study) == last


def page_of(evaluator: Evaluator) -> int | None:
    """Return the status of an evaluator's first page; none where nothing listens yet."""
    connection = http.client.HTTPConnection("127.0.0.1", evaluator.port, timeout=60)
    try:
        connection.request(
            "GET", "/studies/poems/subtasks/1/pages/1/", headers={"Cookie": evaluator.headers["Cookie"]}
        )
        return connection.getresponse().status
    except ConnectionError:
        return None
    finally:
        connection.close()
