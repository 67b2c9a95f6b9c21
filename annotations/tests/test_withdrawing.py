from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from annotations.models import (
    AnswerChange,
    BestChoice,
    Enrolment,
    Invitation,
    Placement,
    Rating,
    ReturnLink,
    StaffAct,
    Study,
)
from annotations.plan.plan import lock_plan
from annotations.questionnaire.saving import Answer, PageAddress, UnknownPlace, save_answer
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.invitations import Invitee, invite
from annotations.recruiting.withdrawal import withdraw
from annotations.results.rating_table import rating_table
from annotations.results.report import study_report
from annotations.results.seal import is_sealed
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import answer_everything, placements
from generation.refusals import Refused


@pytest.fixture
def both(study: Study, alice: User, bob: User) -> Study:
    """The study, answered in full by alice and by bob."""
    for user, best in ((alice, 3), (bob, 0)):
        answer_everything(enrol(study, user), best_method=best)
    return study


def test_withdrawing_removes_every_answer_and_all_that_tells_who(client: Client, study: Study) -> None:
    (made,) = invite(study, [Invitee("dora@example.org", "Dora")], by=None)
    client.post(f"/join/{made.token}/")
    client.post("/studies/poems/return-link/")
    enrolment = Enrolment.objects.get()
    user = enrolment.evaluator
    Enrolment.objects.update(form_answers={"age": 31}, external_id="p1", external_session="s1")
    place = placements(study, user)[0]
    save_answer(user, PageAddress("poems", 1, 1), Answer(place.token, 1, "format", 3))
    save_answer(user, PageAddress("poems", 1, 1), Answer(place.token, 1))
    response = client.post("/studies/poems/withdraw/", {"is_meant": "on"}, follow=True)
    assert "You have withdrawn." in response.content.decode()
    for model in (Rating, BestChoice, AnswerChange, Placement, ReturnLink):
        assert not model.objects.exists(), model
    left = Enrolment.objects.get()
    assert left.withdrawn_at is not None
    assert (left.answers_removed, left.form_answers, left.external_id, left.consented_at) == (2, {}, "", None)
    assert left.evaluator != user
    assert not left.evaluator.is_active
    invitation = Invitation.objects.get()
    assert (invitation.email, invitation.name, invitation.used_by) == ("", "", left)
    user.refresh_from_db()
    assert not user.is_active
    assert "_auth_user_id" not in client.session
    back = Client().post(f"/join/{made.token}/")
    assert back.status_code == 410
    assert "You have withdrawn" in back.content.decode()


def test_nothing_that_is_left_names_the_evaluator(as_alice: Client, both: Study, alice: User) -> None:
    as_alice.post("/studies/poems/withdraw/", {"is_meant": "on"})
    act = StaffAct.objects.get(act="people.withdrawn")
    assert (act.actor, act.details) == (None, {"evaluator": "E001", "by_evaluator": True})
    assert not alice.enrolments.exists()
    alice.refresh_from_db()
    assert alice.is_active
    assert as_alice.get("/studies/poems/").status_code == 404


def test_the_page_says_what_is_removed_and_asks_before(as_alice: Client, both: Study) -> None:
    assert (
        "All that you answered is removed at once"
        in as_alice.get("/studies/poems/withdraw/").content.decode()
    )
    response = as_alice.post("/studies/poems/withdraw/")
    assert response.status_code == 400
    assert "Tick the box" in response.content.decode()
    assert Rating.objects.count() == 32


def test_the_report_is_computed_without_whoever_withdrew(both: Study, alice: User) -> None:
    withdraw(Enrolment.objects.get(evaluator=alice), by_evaluator=True)
    assert rating_table(both).evaluators == ("E002",)
    close_study(both)
    report = study_report(both)
    assert (report.participants.recruited, report.participants.valid) == (1, 0)
    assert report.participants.excluded[0].evaluator == "E002"


def test_withdrawing_twice_changes_nothing(both: Study, alice: User) -> None:
    enrolment = Enrolment.objects.get(evaluator=alice)
    assert withdraw(enrolment) == 18
    assert withdraw(enrolment) == 0
    assert StaffAct.objects.filter(act="people.withdrawn").count() == 1


def test_after_the_study_was_closed_only_those_who_run_it_remove_answers(
    as_alice: Client, both: Study, alice: User, carol: User
) -> None:
    close_study(both)
    assert "ask those who invited you" in as_alice.get("/studies/poems/withdraw/").content.decode()
    assert as_alice.post("/studies/poems/withdraw/", {"is_meant": "on"}).status_code == 403
    enrolment = Enrolment.objects.get(evaluator=alice)
    with pytest.raises(Refused):
        withdraw(enrolment, by_evaluator=True)
    assert Rating.objects.count() == 32
    assert withdraw(enrolment, by=carol) == 18
    assert StaffAct.objects.get(act="people.withdrawn").actor == carol


def test_a_study_from_which_everybody_withdrew_stays_sealed_and_takes_no_plan(
    both: Study, carol: User
) -> None:
    for enrolment in Enrolment.objects.all():
        withdraw(enrolment, by_evaluator=True)
    assert is_sealed(both)
    with pytest.raises(Refused, match="first answer has been given"):
        lock_plan(both, staff=carol, primary_criterion=both.criteria.get(key="overall"))


def test_the_database_takes_no_plan_after_an_answer_that_was_withdrawn(both: Study) -> None:
    for enrolment in Enrolment.objects.all():
        withdraw(enrolment)
    refused = pytest.raises(IntegrityError, match="can no longer be locked")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO annotations_analysisplan (study_id, primary_criterion_id, comparisons,"
            " inconsistency_threshold, off_scale, planned_prompts, notes, design, digest)"
            " SELECT study_id, id, '[[\"method-0\", \"method-1\"]]', 0.2, 'kept', 2, '', '{}', repeat('0', 64)"
            " FROM annotations_criterion WHERE key = 'overall'"
        )


def test_the_database_holds_that_whoever_withdrew_is_nobody(both: Study) -> None:
    withdraw(Enrolment.objects.get(pseudonym="E001"))
    for fields in ({"external_id": "p1"}, {"form_answers": {"age": 31}}, {"answers_removed": None}):
        with pytest.raises(IntegrityError, match="enrolment_withdrawn_is_anonymous"), transaction.atomic():
            Enrolment.objects.filter(pseudonym="E001").update(**fields)


def test_an_answer_that_comes_late_is_refused(both: Study, alice: User) -> None:
    place = placements(both, alice)[0]
    withdraw(Enrolment.objects.get(evaluator=alice))
    with pytest.raises(UnknownPlace):
        save_answer(alice, PageAddress("poems", 1, 1), Answer(place.token, 99, "format", 3))


def test_nobody_withdraws_another(client: Client, both: Study, carol: User) -> None:
    for user in (carol, User.objects.create_user("emil")):
        client.force_login(user)
        assert client.post("/studies/poems/withdraw/", {"is_meant": "on"}).status_code == 404
    assert Rating.objects.count() == 32


def test_a_withdrawn_evaluator_may_be_enrolled_anew_as_somebody_else(both: Study, alice: User) -> None:
    withdraw(Enrolment.objects.get(evaluator=alice))
    assert enrol(both, alice).pseudonym == "E003"


def test_the_command_withdraws_by_pseudonym(both: Study, capsys: Any) -> None:
    call_command("withdraw", "poems", "E002")
    assert capsys.readouterr().out == "E002: 18 answers removed\n"
    with pytest.raises(CommandError, match="nobody is called E009"):
        call_command("withdraw", "poems", "E001", "E009")
    assert set(Rating.objects.values_list("enrolment__pseudonym", flat=True)) == {"E001"}
