"""What evaluators are owed: due with a reason, approved, paid; each of them once."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.test import Client

from annotations.access.roles import give_role
from annotations.models import BestChoice, Enrolment, EvaluatorGroup, Payment, StaffAct, Study, StudyRole
from annotations.payments.ledger import (
    Line,
    State,
    approve_payments,
    mark_paid,
    payment_lines,
    revoke_approvals,
    totals,
)
from annotations.plan.simulation import simulate_ratings
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import answer_everything, build_study, build_user, shown
from generation.refusals import Refused

PAGE = "/manage/studies/poems/payments/"


@pytest.fixture
def study(db: None) -> Study:
    study = build_study()
    Study.objects.update(payment="80.00")
    study.refresh_from_db()
    return study


@pytest.fixture
def owner(study: Study) -> User:
    olga = build_user("olga")
    give_role(study, olga, StudyRole.Role.OWNER, by=None)
    return olga


@pytest.fixture
def finished(study: Study, enrolment: Enrolment) -> Enrolment:
    """Alice, who is E001, has answered everything well."""
    answer_everything(enrolment)
    return enrolment


def line_of(study: Study, pseudonym: str = "E001") -> Line:
    return next(line for line in payment_lines(study) if line.enrolment.pseudonym == pseudonym)


def assert_refused(write: Callable[[], Any], match: str) -> None:
    with pytest.raises(IntegrityError, match=match), transaction.atomic():
        write()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_payment_is_due_as_soon_as_everything_is_answered_well(study: Study, enrolment: Enrolment) -> None:
    assert (line_of(study).state, line_of(study).reason) == (
        State.NOT_DUE,
        "not finished: 18 answers are missing",
    )
    answer_everything(enrolment)
    assert (line_of(study).state, line_of(study).amount, line_of(study).reason) == (
        State.DUE,
        Decimal("80.00"),
        "",
    )
    BestChoice.objects.filter(page__number=1).delete()
    assert line_of(study).reason == "not finished: 1 answer is missing"


def test_every_evaluator_who_is_owed_nothing_has_a_reason(study: Study, finished: Enrolment) -> None:
    answer_everything(enrol(study, build_user("bob")), best_method=0)
    withdrawn = enrol(study, build_user("dave"))
    Enrolment.objects.filter(pk=withdrawn.pk).update(withdrawn_at=Now(), answers_removed=0)
    unpaid = EvaluatorGroup.objects.create(study=study, key="friends", name={"en": "Friends"}, payment=0)
    answer_everything(enrol(study, build_user("erin"), group=unpaid))
    simulate_ratings(study, evaluators=1, seed=1)
    reasons = {line.enrolment.pseudonym: line.reason for line in payment_lines(study)}
    assert reasons == {
        "E001": "",
        "E002": "not valid: 2 of 2 pages inconsistent, at most 20\N{NO-BREAK SPACE}% allowed",
        "E003": "withdrew",
        "E004": "nothing is paid in this study or group",
        "simulated-1": "simulated",
    }


def test_a_group_has_its_own_payment(study: Study, finished: Enrolment) -> None:
    experts = EvaluatorGroup.objects.create(
        study=study, key="experts", name={"en": "Experts"}, payment="150.50"
    )
    students = EvaluatorGroup.objects.create(study=study, key="students", name={"en": "Students"})
    for name, group in (("bob", experts), ("dave", experts), ("erin", students)):
        answer_everything(enrol(study, build_user(name), group=group))
    approve_payments(study, ["E002"], by=None)
    sums = {
        total.group.key if total.group else "": [total.in_state(state) for state in State.owed()]
        for total in totals(payment_lines(study))
    }
    nothing = (0, Decimal(0))
    assert sums == {
        "": [(1, Decimal(80)), nothing, nothing],
        "experts": [(1, Decimal("150.50")), (1, Decimal("150.50")), nothing],
        "students": [(1, Decimal(80)), nothing, nothing],
    }


def test_approving_fixes_the_amount(study: Study, finished: Enrolment, carol: User) -> None:
    (payment,) = approve_payments(study, ["E001"], by=carol)
    Study.objects.update(payment="99.00", currency="EUR")
    study.refresh_from_db()
    assert (line_of(study).amount, line_of(study).currency) == (Decimal("80.00"), "CNY")
    payment.refresh_from_db()
    assert (payment.approved_by, payment.state) == (carol, Payment.State.APPROVED)


def test_approving_twice_approves_once(study: Study, finished: Enrolment) -> None:
    assert len(approve_payments(study, ["E001", "E001"], by=None)) == 1
    assert approve_payments(study, ["E001"], by=None) == []
    assert Payment.objects.count() == 1
    assert StaffAct.objects.filter(act="payment.approved").count() == 1


def test_one_who_is_not_due_stops_all_approvals(study: Study, finished: Enrolment) -> None:
    enrol(study, build_user("bob"))
    with pytest.raises(Refused, match=r"^E002: not finished: 18 answers are missing$"):
        approve_payments(study, ["E001", "E002"], by=None)
    assert not Payment.objects.exists()


def test_an_evaluator_of_another_study_is_unknown(study: Study, finished: Enrolment) -> None:
    other = build_study(slug="other")
    simulate_ratings(other, evaluators=1, seed=1)
    for act in (approve_payments, mark_paid, revoke_approvals):
        with pytest.raises(Refused, match="The study has no evaluator simulated-1"):
            act(study, ["simulated-1"], by=None)


def test_only_what_is_approved_is_paid_and_it_is_paid_once(
    study: Study, finished: Enrolment, carol: User
) -> None:
    with pytest.raises(Refused, match="E001: not approved"):
        mark_paid(study, ["E001"], by=carol)
    approve_payments(study, ["E001"], by=None)
    assert len(mark_paid(study, ["E001"], by=carol, reference=" T-1 ")) == 1
    assert mark_paid(study, ["E001"], by=None, reference="T-2") == []
    payment = Payment.objects.get()
    assert (payment.state, payment.paid_by, payment.reference) == (Payment.State.PAID, carol, "T-1")
    assert StaffAct.objects.get(act="payment.paid").details == {
        "evaluators": ["E001"],
        "sum": ["80.00 CNY"],
        "reference": "T-1",
    }


def test_an_approval_is_taken_back_until_it_is_paid(study: Study, finished: Enrolment) -> None:
    approve_payments(study, ["E001"], by=None)
    assert len(revoke_approvals(study, ["E001"], by=None)) == 1
    assert revoke_approvals(study, ["E001"], by=None) == []
    assert line_of(study).state == State.DUE
    approve_payments(study, ["E001"], by=None)
    mark_paid(study, ["E001"], by=None)
    with pytest.raises(Refused, match="E001: paid already"):
        revoke_approvals(study, ["E001"], by=None)
    assert line_of(study).state == State.PAID


def test_an_approval_that_would_not_be_given_now_is_in_doubt(study: Study, finished: Enrolment) -> None:
    approve_payments(study, ["E001"], by=None)
    assert not line_of(study).is_in_doubt
    BestChoice.objects.filter(page__number=1).delete()
    line = line_of(study)
    assert (line.state, line.is_in_doubt) == (State.APPROVED, True)
    assert line.reason == "not finished: 1 answer is missing"


def test_the_database_keeps_what_was_paid(study: Study, finished: Enrolment) -> None:
    (payment,) = approve_payments(study, ["E001"], by=None)
    rows = Payment.objects.filter(pk=payment.pk)
    assert_refused(lambda: rows.update(amount=1), "was approved as it is")
    assert_refused(lambda: rows.update(state="paid"), "payment_paid_at_a_time")
    mark_paid(study, ["E001"], by=None)
    assert_refused(lambda: rows.update(reference="another"), "was paid and stays as it is")
    assert_refused(lambda: rows.update(state="approved", paid_at=None), "was paid and stays as it is")
    assert_refused(rows.delete, "was paid and stays as it is")
    study.enrolments.all().delete()
    assert not Payment.objects.exists()


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"amount": 0}, "payment_of_something"),
        ({"currency": "yuan"}, "too long|payment_currency_is_a_code"),
        ({"state": "promised"}, "payment_paid_at_a_time"),
        ({"reference": "early"}, "payment_paid_at_a_time"),
    ],
)
def test_the_database_refuses_nonsense(
    study: Study, finished: Enrolment, fields: dict[str, Any], constraint: str
) -> None:
    row = {"enrolment": finished, "amount": 80, "currency": "CNY"} | fields
    with pytest.raises(Exception, match=constraint), transaction.atomic():
        Payment.objects.create(**row)


def test_the_database_pays_nobody_for_simulated_answers(study: Study) -> None:
    (simulated,) = simulate_ratings(study, evaluators=1, seed=1)
    assert_refused(Payment(enrolment=simulated, amount=80, currency="CNY").save, "answered no questionnaire")


def test_the_page_approves_pays_and_revokes(
    client: Client, owner: User, study: Study, finished: Enrolment
) -> None:
    answer_everything(enrol(study, build_user("bob")))
    client.force_login(owner)
    assert "Approve the ticked payments" in shown(client, PAGE)
    page = client.post(f"{PAGE}approve/", {"evaluator": ["E001", "E002"]}, follow=True).content.decode()
    assert "2 payments are approved." in page
    page = client.post(f"{PAGE}revoke/", {"evaluator": "E002"}, follow=True).content.decode()
    assert "1 approval is taken back." in page
    fields = {"evaluator": "E001", "reference": "<T-1>"}
    asked = client.post(f"{PAGE}paid/", fields).content.decode()
    assert "Mark the payment of 1 evaluator as paid?" in asked
    assert "Together: <strong>" in asked
    assert 'name="evaluator" value="E001"' in asked
    assert [line.state for line in payment_lines(study)] == [State.APPROVED, State.DUE]
    page = client.post(f"{PAGE}paid/", {**fields, "is_confirmed": "on"}, follow=True).content.decode()
    assert "1 payment is marked as paid." in page
    assert "&lt;T-1&gt;" in page
    assert [line.state for line in payment_lines(study)] == [State.PAID, State.DUE]
    assert {act.actor for act in StaffAct.objects.filter(act__startswith="payment.")} == {owner}


def test_no_payment_is_ticked_until_somebody_ticks_it(
    client: Client, owner: User, study: Study, finished: Enrolment
) -> None:
    answer_everything(enrol(study, build_user("bob")))
    approve_payments(study, ["E002"], by=owner)
    client.force_login(owner)
    assert re.findall(r'value="(E00.)"( checked)?', shown(client, PAGE)) == [("E001", ""), ("E002", "")]
    ticked = {"due": [("E001", " checked"), ("E002", "")], "approved": [("E001", ""), ("E002", " checked")]}
    for which, expected in ticked.items():
        page = shown(client, f"{PAGE}?tick={which}")
        assert re.findall(r'value="(E00.)"( checked)?', page) == expected


@pytest.mark.parametrize("act", ["approve", "paid", "revoke"])
@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, "Tick at least one evaluator."),
        ({"evaluator": "E009"}, "The study has no evaluator E009."),
        ({"evaluator": "E001", "reference": "x" * 101}, "A reference has at most 100 characters."),
    ],
)
def test_the_page_says_what_was_wrong(
    client: Client, owner: User, finished: Enrolment, act: str, body: dict[str, str], why: str
) -> None:
    client.force_login(owner)
    response = client.post(f"{PAGE}{act}/", body)
    assert response.status_code == 400
    assert why in response.content.decode()
    assert not Payment.objects.exists()


def test_the_page_is_the_owners(client: Client, study: Study, owner: User, bob: User) -> None:
    give_role(study, bob, StudyRole.Role.ANALYST, by=None)
    client.force_login(bob)
    for address in (PAGE, f"{PAGE[:-1]}.csv"):
        assert client.get(address).status_code == 403
    for act in ("approve", "paid", "revoke"):
        assert client.post(f"{PAGE}{act}/", {"evaluator": "E001"}).status_code == 403
    client.force_login(build_user("mallory"))
    assert client.get(PAGE).status_code == 404


def test_the_list_for_the_finance_office_is_safe_in_a_spreadsheet(
    client: Client, owner: User, study: Study, finished: Enrolment
) -> None:
    User.objects.filter(username="alice").update(
        first_name="=HYPERLINK(1)", last_name="Ax", email="a@example.org"
    )
    enrol(study, build_user("bob"))
    approve_payments(study, ["E001"], by=owner)
    client.force_login(owner)

    def rows(query: str = "") -> list[dict[str, str]]:
        body = b"".join(client.get(f"{PAGE[:-1]}.csv{query}").streaming_content)  # type: ignore[attr-defined]
        return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))

    first, second = rows()
    assert first["name"] == "'=HYPERLINK(1) Ax"
    assert (first["user"], first["email"]) == ("alice", "a@example.org")
    assert (first["amount"], first["currency"], first["state"]) == ("80.00", "CNY", "approved")
    assert (first["approved_by"], first["paid_at"], first["paid_by"]) == ("olga", "", "")
    assert (second["state"], second["reason"]) == ("not_due", "not finished: 18 answers are missing")
    assert [row["evaluator"] for row in rows("?state=approved")] == ["E001"]
    assert client.get(f"{PAGE[:-1]}.csv?state=lost").status_code == 404
    assert StaffAct.objects.filter(act="export.payments", actor=owner).count() == 2


def test_the_list_takes_as_many_queries_for_many_as_for_one(
    client: Client, carol: User, study: Study, finished: Enrolment, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        answer_everything(enrol(study, build_user(f"evaluator-{number}")))
    approve_payments(study, ["E001", "E002", "E003"], by=carol)
    mark_paid(study, ["E001"], by=carol)
    client.force_login(carol)
    with django_assert_max_num_queries(9):
        shown(client, PAGE)


def written(*arguments: str, **options: Any) -> str:
    output = io.StringIO()
    call_command(*arguments, stdout=output, **options)
    return output.getvalue()


def test_the_commands_do_what_the_page_does(study: Study, finished: Enrolment, tmp_path: Path) -> None:
    enrol(study, build_user("bob"))
    assert written("payments", "poems").splitlines() == [
        "E001: due 80.00 CNY",
        "E002: not due (not finished: 18 answers are missing)",
        "no group: due 80.00 CNY (1), approved 0.00 CNY (0), paid 0.00 CNY (0)",
    ]
    assert written("approve_payments", "poems", "--all") == "poems: 1 approved\n"
    assert written("approve_payments", "poems", "E001", "--revoke") == "poems: 1 taken back\n"
    assert written("approve_payments", "poems", "E001") == "poems: 1 approved\n"
    assert written("mark_paid", "poems", "--all", "--reference", "T-1") == "poems: 1 marked as paid\n"
    assert written("payments", "poems", "--state", "paid").splitlines()[0] == "E001: paid 80.00 CNY"
    written("payments", "poems", "--csv", str(tmp_path / "payments.csv"), stderr=io.StringIO())
    assert (tmp_path / "payments.csv").read_text(encoding="utf-8-sig").count("\n") == 3
    assert StaffAct.objects.filter(act="export.payments", actor=None).count() == 1
    for command in ("approve_payments", "mark_paid"):
        with pytest.raises(CommandError, match="name evaluators"):
            call_command(command, "poems")
        with pytest.raises(CommandError, match="lost: no such study"):
            call_command(command, "lost", "--all")
        with pytest.raises(CommandError, match="The study has no evaluator E009"):
            call_command(command, "poems", "E009")
