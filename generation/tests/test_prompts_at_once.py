"""Two imports of the same prompts at one moment store each of them once."""

from __future__ import annotations

import time
from threading import Thread

import pytest
from django.db import connection, transaction

from generation.models import Prompt
from generation.prompts import PromptContent
from generation.runs.runs import stored_prompts

WANTED = [PromptContent(f"Why {number}?") for number in range(3)]


@pytest.mark.django_db(transaction=True)
def test_an_import_takes_the_prompts_that_another_has_just_stored() -> None:
    found: list[dict[PromptContent, int]] = []

    def second() -> None:
        try:
            found.append(stored_prompts("qa", [*WANTED, PromptContent("Alone?")]))
        finally:
            connection.close()

    thread = Thread(target=second)
    with transaction.atomic():
        first = stored_prompts("qa", WANTED)
        thread.start()
        deadline = time.monotonic() + 60
        while not waits_for_us():
            assert time.monotonic() < deadline, "the second import did not wait"
            time.sleep(0.02)
    thread.join(timeout=60)
    assert {content: found[0][content] for content in WANTED} == first
    assert len(found[0]) == Prompt.objects.count() == 4


def waits_for_us() -> bool:
    """Whether another connection waits for this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            # pg_stat_activity shows for the whole transaction what it showed first.
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        )
        return bool(cursor.fetchone()[0])
