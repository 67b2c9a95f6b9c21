from __future__ import annotations

import io

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from annotations.models import Enrolment, Study


def run(*arguments: str) -> list[str]:
    output = io.StringIO()
    call_command("enrol", *arguments, stdout=output)
    return output.getvalue().splitlines()


def test_existing_users_are_enrolled(study: Study, alice: User, bob: User) -> None:
    assert run("poems", "alice", "bob") == ["alice: E001 in poems", "bob: E002 in poems"]
    assert set(study.enrolments.values_list("evaluator__username", flat=True)) == {"alice", "bob"}


def test_enrolling_again_changes_nothing(study: Study, alice: User) -> None:
    run("poems", "alice")
    assert run("poems", "alice", "alice") == ["alice: E001 in poems"]
    assert Enrolment.objects.count() == 1


def test_new_accounts_get_passwords_that_open_them(study: Study, alice: User) -> None:
    told = run("poems", "alice", "dora", "--create")
    assert told[0] == "alice: E001 in poems"
    start, password = told[1].split(", password ")
    assert start == "dora: E002 in poems"
    assert len(password) >= 12
    assert User.objects.get(username="dora").check_password(password)
    assert not User.objects.get(username="dora").is_staff


def test_unknown_users_are_named_in_one_line(study: Study, alice: User) -> None:
    with pytest.raises(CommandError) as refused:
        run("poems", "alice", "dora", "emil")
    assert str(refused.value) == "There is no user dora, emil; --create makes the accounts."
    assert not Enrolment.objects.exists()


def test_an_unknown_study_is_told_in_one_line(alice: User) -> None:
    with pytest.raises(CommandError, match=r"^odes: no such study$"):
        run("odes", "alice")


def test_a_closed_study_takes_nobody(study: Study, alice: User) -> None:
    Study.objects.update(state="closed")
    with pytest.raises(CommandError, match=r"^Study poems is closed\.$"):
        run("poems", "alice")


def test_with_one_impossible_name_nobody_is_enrolled(study: Study) -> None:
    with pytest.raises(CommandError, match=r"^e m: Enter a valid username"):
        run("poems", "dora", "e m", "--create")
    assert not User.objects.exists()
    assert not Enrolment.objects.exists()
