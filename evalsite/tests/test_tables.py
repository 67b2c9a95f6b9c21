"""Tests get the tables of the site as they are, and empty again after a test that commits."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase

from annotations.models import AnswerChange, Enrolment, Page
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import answer_everything, build_study, build_user
from evalsite.tests.tables import (
    FILLED_BY_MIGRATE,
    PREFIX,
    database_without_tables,
    empty_tables,
    template_database,
)


def filled() -> set[str]:
    tables = (model._meta.db_table for model in apps.get_models() if model._base_manager.exists())
    return set(tables) - set(FILLED_BY_MIGRATE)


def test_the_tables_are_made_once_and_lack_no_migration(db: None) -> None:
    name = template_database()
    assert name.startswith(PREFIX)
    assert template_database() == name
    assert connection.settings_dict["TEST"]["TEMPLATE"] == name
    call_command("migrate", "--check", verbosity=0)
    assert filled() == set()


@pytest.mark.django_db(transaction=True)
def test_a_test_that_commits_leaves_no_row_though_guards_let_none_go() -> None:
    study = build_study()
    enrolment = enrol(study, build_user("alice"))
    answer_everything(enrolment)
    rating = enrolment.ratings.all()[0]
    AnswerChange.objects.create(
        enrolment=enrolment,
        page=Page.objects.get(page_candidates__candidate=rating.candidate_id),
        candidate_id=rating.candidate_id,
        criterion_id=rating.criterion_id,
        score=rating.score,
        client_order=1,
    )
    assert {"annotations_rating", "annotations_answerchange", "auth_user"} <= filled()
    empty_tables(TransactionTestCase())
    assert filled() == set()
    assert Permission.objects.filter(codename="change_study").exists()
    # The guards are there as before.
    assert Enrolment.objects.count() == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_trigger WHERE tgenabled = 'D'")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
def test_a_database_without_tables_goes_with_its_test() -> None:
    of_tests = connection.settings_dict["NAME"]
    with database_without_tables("without_tables"):
        assert connection.introspection.table_names() == []
    assert connection.settings_dict["NAME"] == of_tests
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = 'without_tables'")
        assert cursor.fetchone() is None
