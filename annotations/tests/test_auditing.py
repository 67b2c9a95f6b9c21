"""The log of a study: what those who run it did, in words, and nothing that can be changed."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from annotations.access.log import ACTS, log_act
from annotations.access.log_page import in_words
from annotations.models import Enrolment, StaffAct, Study
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import answer_everything, build_study, shown

PAGE = "/manage/studies/poems/roles/"


def test_an_act_that_is_not_known_is_not_logged(study: Study) -> None:
    with pytest.raises(KeyError):
        log_act(study, None, "study.sold")
    assert not StaffAct.objects.exists()


def test_the_log_is_only_added_to(study: Study) -> None:
    log_act(study, None, "study.paused")
    act = StaffAct.objects.get()
    for write in (act.save, act.delete):
        with pytest.raises(IntegrityError), transaction.atomic():
            write()
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert StaffAct.objects.count() == 1


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({}, ""),
        ({"evaluators": ["E001", "E002"], "sum": "160 CNY"}, "evaluators: E001, E002; sum: 160 CNY"),
        ({"days_to_rate": [7, None]}, "days to rate: 7, –"),
        ({"subtasks": [{"evaluator": "E001", "subtask": 2}]}, "sub-tasks: evaluator E001, sub-task 2"),
        ({"is_open": True}, "is open: yes"),
    ],
)
def test_details_are_told_in_words(details: dict[str, Any], words: str) -> None:
    assert in_words(details) == words


def test_the_log_is_shown_page_by_page_the_latest_first(client: Client, study: Study, carol: User) -> None:
    for number in range(60):
        log_act(study, carol, "study.changed", number=number)
    log_act(build_study(slug="other"), carol, "study.changed", note="of another study")
    client.force_login(carol)
    page = shown(client, PAGE)
    assert "changed the set-up" in page
    assert page.index("number: 59") < page.index("number: 10")
    assert "number: 9<" not in page
    assert "of another study" not in page
    assert "number: 9<" in shown(client, f"{PAGE}?page=2")


def test_what_is_in_the_log_is_text(client: Client, study: Study, carol: User) -> None:
    log_act(study, None, "study.unblinded", reason="<script>alert(1)</script>")
    client.force_login(carol)
    page = shown(client, PAGE)
    assert "<script>alert" not in page
    assert "command line" in page


def test_the_log_is_exported_whole_and_safe(client: Client, study: Study, carol: User) -> None:
    log_act(study, carol, "study.launched")
    log_act(study, None, "study.unblinded", reason="=1+1")
    client.force_login(carol)
    body = b"".join(client.get("/manage/studies/poems/log.csv").streaming_content)  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert [(row["actor"], row["act"], row["details"]) for row in rows] == [
        ("carol", "study.launched", ""),
        ("command line", "study.unblinded", "reason: =1+1"),
    ]


@pytest.mark.parametrize(
    ("address", "rows"),
    [
        ("/studies/poems/ratings.csv", "ratings"),
        ("/studies/poems/preferences-picks.jsonl", "preferences by picks"),
    ],
)
def test_whoever_takes_the_answers_is_logged(
    client: Client, study: Study, enrolment: Enrolment, carol: User, address: str, rows: str
) -> None:
    answer_everything(enrolment)
    client.force_login(carol)
    client.get(address)
    assert not StaffAct.objects.exists()
    close_study(study)
    client.head(address)
    assert not StaffAct.objects.filter(act="export.answers").exists()
    b"".join(client.get(address).streaming_content)  # type: ignore[attr-defined]
    act = StaffAct.objects.get(act="export.answers")
    assert (act.actor, act.details["rows"]) == (carol, rows)


def test_answers_that_a_command_writes_are_logged(study: Study, enrolment: Enrolment) -> None:
    answer_everything(enrolment)
    close_study(study)
    call_command("export_ratings", "poems", stdout=io.StringIO())
    act = StaffAct.objects.get(act="export.answers")
    assert (act.actor, act.details) == (None, {"rows": "ratings", "format": "csv"})


def test_every_act_has_words() -> None:
    assert all(str(words) for words in ACTS.values())
    assert all(len(act) <= 40 for act in ACTS)
