"""Groups, invitations singly and from files, open links, and the letters."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from annotations.models import Enrolment, EvaluatorGroup, Invitation, OpenLink, StaffAct, Study
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.invitations import (
    Invitee,
    invite,
    make_open_link,
    put_group,
    read_invitees,
    revoke_invitation,
    send_invitations,
)
from annotations.tests.cast import build_study
from generation.files.problems import FileRefused
from generation.refusals import Refused
from generation.tests.test_tables import workbook


@pytest.fixture
def students(study: Study) -> EvaluatorGroup:
    return put_group(
        study, "students", name={"en": "Students", "zh-hans": "学生"}, payment=Decimal("80"), by=None
    )


@pytest.fixture
def mailing(settings: Any) -> None:
    """A mail server, whose letters are in `mail.outbox`."""
    settings.EMAIL_HOST = "mail.example.org"
    settings.SITE_URL = "https://rate.example.org"


def written(directory: Path, text: str, encoding: str = "utf-8") -> Path:
    path = directory / "people.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_group_has_its_own_payment_or_the_studys(study: Study, students: EvaluatorGroup) -> None:
    Study.objects.update(payment=Decimal("50"))
    experts = put_group(study, "experts", name={"en": "Experts"}, payment=None, by=None)
    paid = {group.key: group.payment_due() for group in EvaluatorGroup.objects.all()}
    assert paid == {"students": Decimal("80"), "experts": Decimal("50")}
    assert str(experts.name) == "Experts"


def test_a_group_is_changed_by_its_key(study: Study, students: EvaluatorGroup, carol: User) -> None:
    put_group(study, "students", name={"en": "Pupils"}, payment=None, by=carol)
    group = EvaluatorGroup.objects.get()
    assert (group.pk, group.name, group.payment) == (students.pk, {"en": "Pupils"}, None)
    act = StaffAct.objects.filter(actor=carol).get()
    assert (act.act, act.details) == ("people.group", {"group": "students", "payment": None})


@pytest.mark.parametrize(
    "fields", [{"name": {}}, {"key": "with space"}, {"payment": Decimal(-1)}, {"key": "x" * 41}]
)
def test_an_impossible_group_is_refused(study: Study, fields: dict[str, Any]) -> None:
    given: dict[str, Any] = {"key": "experts", "name": {"en": "Experts"}, "payment": None} | fields
    with pytest.raises(ValidationError):
        put_group(study, given.pop("key"), by=None, **given)
    assert not EvaluatorGroup.objects.exists()


def test_a_group_of_another_study_is_refused_by_the_database(students: EvaluatorGroup, alice: User) -> None:
    other = build_study(slug="other")
    enrolment = enrol(other, alice)
    with pytest.raises(IntegrityError, match="enrolment_in_group_of_study"), transaction.atomic():
        Enrolment.objects.filter(pk=enrolment.pk).update(group=students)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


# Files


def test_a_file_of_people_is_read(study: Study, students: EvaluatorGroup, tmp_path: Path) -> None:
    path = written(
        tmp_path, "email;group;name\ndora@example.org;students;朵拉\nemil@example.org;;\n", "gb18030"
    )
    assert read_invitees(path, "people.csv", study, encoding="gb18030") == [
        Invitee("dora@example.org", "朵拉", students),
        Invitee("emil@example.org", "", None),
    ]


def test_everything_wrong_in_a_file_is_told_by_line_and_field(
    study: Study, students: EvaluatorGroup, tmp_path: Path
) -> None:
    invite(study, [Invitee("emil@example.org")], by=None)
    path = written(
        tmp_path,
        "email,group,name\n"
        "dora@example.org,students,Dora\n"
        "DORA@example.org,students,Dora\n"
        "no address,experts,Emil\n"
        ",students,\n"
        "Emil@Example.org,,\n"
        f"fred@example.org,,{'x' * 151}\n",
    )
    with pytest.raises(FileRefused) as refused:
        read_invitees(path, "people.csv", study)
    assert refused.value.lines == [
        "people.csv, line 3, email: stands in line 2 already",
        "people.csv, line 4, email: 'no address' is no e-mail address",
        "people.csv, line 4, group: 'experts' is no group of the study; its groups are: students",
        "people.csv, line 5, email: is missing",
        "people.csv, line 6, email: 'Emil@Example.org' is invited already",
        "people.csv, line 7, name: must be at most 150 characters in one line",
    ]
    assert Invitation.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no such column|has no rows"),
        ("email\n", "has no rows"),
        ("name\nDora\n", "email: no such column"),
        ("email\n" + "".join(f"e{number}@example.org\n" for number in range(1001)), "at most 1000 at once"),
    ],
)
def test_a_file_that_is_none_is_refused(study: Study, tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FileRefused, match=message):
        read_invitees(written(tmp_path, text), "people.csv", study)


@pytest.mark.parametrize(
    "text",
    [
        "Id,Email Address,Name,Affiliation,Group\n7,dora@example.org,朵拉,X,students\n8,emil@example.org,,Y,\n",
        "邮箱;姓名;组别\ndora@example.org;朵拉;students\nemil@example.org;;\n",
        "E-mail\tFirst name\tLast name\tgroup\n朵拉 <dora@example.org>\t\t\tstudents\nemil@example.org\n",
        "sep=;\nemail;group;;\n朵拉 <dora@example.org>;students;;\n;;;\nemil@example.org;;;\n",
    ],
)
def test_a_column_of_addresses_is_known_by_its_name_and_others_do_not_matter(
    study: Study, students: EvaluatorGroup, tmp_path: Path, text: str
) -> None:
    assert read_invitees(written(tmp_path, text), "people.csv", study) == [
        Invitee("dora@example.org", "朵拉", students),
        Invitee("emil@example.org", "", None),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Dora Dai <dora@example.org>\nemil@example.org\n",
        '\ufeff"Dora Dai" <dora@example.org>, <emil@example.org>;\n\n',
        "Dora Dai <dora@example.org>;\r\n\r\nemil@example.org,\r\n",
    ],
)
def test_a_bare_list_of_addresses_is_read_with_the_names_in_front(
    study: Study, tmp_path: Path, text: str
) -> None:
    assert read_invitees(written(tmp_path, text), "people.txt", study) == [
        Invitee("dora@example.org", "Dora Dai"),
        Invitee("emil@example.org"),
    ]


def test_addresses_of_one_line_or_of_a_sheet_without_a_header_are_read(study: Study, tmp_path: Path) -> None:
    both = [Invitee("dora@example.org"), Invitee("emil@example.org")]
    assert read_invitees(written(tmp_path, "dora@example.org; emil@example.org"), "people.txt", study) == both
    path = workbook(tmp_path / "a.xlsx", People=[["dora@example.org"], ["emil@example.org"]])
    assert read_invitees(path, "a.xlsx", study) == both
    with pytest.raises(FileRefused, match="line 2, email: 'emil' is no e-mail address"):
        read_invitees(written(tmp_path, "dora@example.org\nemil\n"), "people.txt", study)


# Invitations


def test_an_address_is_invited_once_until_the_invitation_is_taken_back(study: Study) -> None:
    invite(study, [Invitee("dora@example.org")], by=None)
    with pytest.raises(Refused, match="is invited already"):
        invite(study, [Invitee("emil@example.org"), Invitee("Dora@example.org")], by=None)
    assert Invitation.objects.count() == 1
    revoke_invitation(Invitation.objects.get(), by=None)
    invite(study, [Invitee("dora@example.org")], by=None)
    assert Invitation.objects.count() == 2


def test_the_database_holds_that_too(study: Study) -> None:
    invite(study, [Invitee("dora@example.org")], by=None)
    with pytest.raises(IntegrityError, match="invitation_email_once"), transaction.atomic():
        Invitation.objects.create(
            study=study,
            email="DORA@example.org",
            token_hash="x",
            expires_at=timezone.now() + timedelta(days=1),
        )


def test_the_same_address_twice_in_one_go_is_refused(study: Study) -> None:
    with pytest.raises(Refused):
        invite(study, [Invitee("dora@example.org"), Invitee("dora@example.org")], by=None)
    assert not Invitation.objects.exists()


def test_links_for_nobody_in_particular_can_be_many(study: Study) -> None:
    made = invite(study, [Invitee(), Invitee()], by=None)
    assert len({link.token for link in made}) == 2


def test_what_was_made_is_logged_without_address_or_token(study: Study, carol: User) -> None:
    (made,) = invite(study, [Invitee("dora@example.org", "Dora")], by=carol)
    link = make_open_link(study, limit=5, by=carol)
    acts = {act.act: act for act in StaffAct.objects.all()}
    assert set(acts) == {"people.invited", "people.link"}
    for act in acts.values():
        assert act.actor == carol
        assert not re.search(f"dora|Dora|{made.token}|{link.token}", str(act.details))


def test_a_closed_study_invites_nobody(study: Study) -> None:
    Study.objects.update(state="closed")
    with pytest.raises(Refused, match="closed"):
        invite(study, [Invitee()], by=None)
    with pytest.raises(Refused, match="closed"):
        make_open_link(study, limit=1, by=None)


@pytest.mark.parametrize(
    "fields", [{"limit": 0}, {"completion_url": "http://panel.example"}, {"completion_url": "x"}]
)
def test_an_impossible_link_is_refused(study: Study, fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        make_open_link(study, by=None, **({"limit": 1} | fields))
    assert not OpenLink.objects.exists()


# Letters


def test_whoever_has_an_address_gets_a_letter_with_their_link(study: Study, mailing: None) -> None:
    Study.objects.update(contact="carol@example.org", title={"en": "Poems\nBcc: x@example.org"})
    made = invite(study, [Invitee("dora@example.org", "Dora"), Invitee()], by=None)
    assert send_invitations(made) == [made[1]]
    (letter,) = mail.outbox
    assert letter.to == ["dora@example.org"]
    assert "\n" not in letter.subject
    assert letter.body.count(f"https://rate.example.org/join/{made[0].token}/") == 2
    assert "Dear Dora," in letter.body
    assert "carol@example.org" in letter.body
    assert made[1].token not in letter.body
    assert [one.sent_at is None for one in Invitation.objects.order_by("pk")] == [False, True]


def test_without_a_mail_server_every_link_comes_back(study: Study) -> None:
    made = invite(study, [Invitee("dora@example.org")], by=None)
    assert send_invitations(made) == made
    assert mail.outbox == []


def test_a_letter_that_the_server_refuses_comes_back_as_a_link(
    study: Study, mailing: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(message: Any, *args: Any) -> int:
        if message.to == ["dora@example.org"]:
            raise SMTPRecipientsRefused({})
        return 1

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    made = invite(study, [Invitee("dora@example.org"), Invitee("emil@example.org")], by=None)
    assert send_invitations(made) == [made[0]]
    assert Invitation.objects.get(email="dora@example.org").sent_at is None
    assert made[0].token not in caplog.text


# Commands


def test_the_command_prints_the_links_that_no_letter_took(
    study: Study, students: EvaluatorGroup, capsys: Any
) -> None:
    call_command("invite", "poems", "dora@example.org", "--links", "1", "--group", "students")
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"dora@example\.org\thttp://127\.0\.0\.1:8000/join/[\w-]{22}/", lines[0])
    assert lines[1].startswith("-\thttp")
    assert set(Invitation.objects.values_list("group__key", flat=True)) == {"students"}


def test_the_command_reads_a_file(study: Study, students: EvaluatorGroup, tmp_path: Path) -> None:
    call_command("invite", "poems", "--file", str(written(tmp_path, "email,group\nd@example.org,students\n")))
    assert Invitation.objects.get().group == students
    with pytest.raises(
        CommandError, match=r"people\.csv, line 2, email: 'd@example\.org' is invited already"
    ):
        call_command("invite", "poems", "--file", str(tmp_path / "people.csv"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["poems"], "Name somebody"),
        (["poems", "--links", "1", "--group", "experts"], "There is no group 'experts'"),
        (["poems", "--links", "1", "--days", "0"], "--days"),
        (["poems", "--file", "missing.csv"], "missing.csv"),
        (["odes", "--links", "1"], "no such study"),
    ],
)
def test_a_command_that_invites_nobody_says_why(study: Study, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("invite", *arguments)
    assert not Invitation.objects.exists()


def test_open_links_are_made_and_closed_by_a_command(study: Study, capsys: Any) -> None:
    call_command("open_link", "poems", "--limit", "3", "--prolific", "--code", "C1")
    assert "/join/" in capsys.readouterr().out
    link = OpenLink.objects.get()
    assert (link.limit, link.takes_external_ids, link.completion_code) == (3, True, "C1")
    call_command("open_link", "poems", "--close")
    assert capsys.readouterr().out == "poems: 1 links closed\n"
    link.refresh_from_db()
    assert link.closed_at is not None


def test_groups_and_deadlines_have_commands(study: Study, alice: User, capsys: Any) -> None:
    call_command("evaluator_group", "poems", "experts", "--payment", "120.50")
    group = EvaluatorGroup.objects.get()
    assert (str(group.name), group.payment) == ("experts", Decimal("120.50"))
    call_command("enrol", "poems", "alice", "--group", "experts")
    enrolment = Enrolment.objects.get()
    assert enrolment.group == group
    before = enrolment.deadline
    call_command("extend_deadline", "poems", "E001", "--days", "2")
    enrolment.refresh_from_db()
    assert (enrolment.deadline - before).days == 2
    with pytest.raises(CommandError, match="no amount"):
        call_command("evaluator_group", "poems", "experts", "--payment", "much")
