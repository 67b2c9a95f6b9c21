"""Live conversations: who meets, what is said and in which order, how they end, and what stays of them."""

from __future__ import annotations

import uuid
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoCaptureOnCommitCallbacks

from turing import tasks
from turing.live import talk, verdicts
from turing.live.answering import answer_next, claim, hand_in
from turing.live.delays import delay_for
from turing.live.verdicts import forget_old, publish_finished
from turing.live.waiting import Wait, look_for_other
from turing.models import (
    Chat,
    ChatMessage,
    Meeting,
    Persona,
    PoemPair,
    Seat,
    Side,
    Turn,
    Verdict,
    Waiting,
)
from turing.pairs.conversations import messages_of
from turing.tests.live_cast import WAITING, begun, enter_live, meet, said, say, waiting
from turing.tests.test_results_page import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def offered(settings: Any) -> None:
    settings.TURING_LIVE = True
    settings.TURING_LIVE_SAME_ADDRESS = True


def test_where_the_site_does_not_offer_it_there_is_no_such_page(client: Client, settings: Any) -> None:
    settings.TURING_LIVE = False
    for path in ("", "waiting/", f"{uuid.uuid4()}/", f"{uuid.uuid4()}/messages/"):
        assert client.get(f"/turing/live/{path}").status_code == 404
    assert "Live, with another person" not in text_of(client.get("/turing/").content)


@pytest.mark.parametrize("missing", ["consent", "adult"])
def test_nobody_waits_without_consent_or_under_eighteen(client: Client, missing: str) -> None:
    response = enter_live(client, **{missing: ""})
    assert response.status_code == 400
    assert not Waiting.objects.exists()


def test_two_who_wait_meet_with_a_machine_and_each_finds_the_chat() -> None:
    one, other = Client(), Client()
    enter_live(one)
    assert one.post(WAITING).headers["Location"] == WAITING
    enter_live(other)
    found = other.post(WAITING).headers["Location"]
    assert one.post(WAITING).headers["Location"] == found
    chat = Chat.objects.get()
    assert found == f"/turing/live/{chat.uuid}/"
    assert set(chat.seats.values_list("role", flat=True)) == {"interrogator", "witness"}
    assert chat.persona.name == "rules"
    assert (Meeting.objects.count(), Waiting.objects.count()) == (1, 0)
    # Nobody else sees it.
    assert Client().get(found).status_code == 404


def test_the_same_two_never_meet_again() -> None:
    trio = meet()
    trio.end()
    one, other = trio.interrogator.client, trio.witness.client
    for client in (one, other):
        enter_live(client)
    assert other.post(WAITING).headers["Location"] == WAITING
    third = Client()
    enter_live(third)
    assert "/turing/live/" in third.post(WAITING).headers["Location"]
    assert Chat.objects.count() == 2
    players = [seat.player_id for seat in trio.chat.seats.all()]
    with pytest.raises(IntegrityError), transaction.atomic():
        Meeting.objects.create(first_id=min(players), second_id=max(players))


def test_people_of_one_address_one_account_or_two_languages_do_not_meet(settings: Any) -> None:
    settings.TURING_LIVE_SAME_ADDRESS = False
    alone = waiting("a")
    same = waiting("b")
    assert look_for_other(same.player) is Wait.ON
    waiting("c", "198.51.100.1", "zh-hans")
    assert look_for_other(same.player) is Wait.ON
    dora = User.objects.create_user("dora")
    own = waiting("d", "203.0.113.1")
    for one in (own.player, same.player, alone.player):
        one.user = dora
        one.save()
    assert look_for_other(own.player) is Wait.ON
    stranger = waiting("e", "203.0.113.2")
    assert isinstance(look_for_other(stranger.player), Chat)


def test_who_waits_too_long_is_led_to_games_that_need_nobody_else(client: Client, settings: Any) -> None:
    enter_live(client)
    Waiting.objects.update(since=F("since") - timedelta(seconds=settings.TURING_LIVE_WAIT_SECONDS + 1))
    response = client.post(WAITING, follow=True)
    assert response.redirect_chain[-1][0] == "/turing/"
    assert "Nobody came in time." in text_of(response.content)
    assert not Waiting.objects.exists()


def test_who_has_gone_is_met_by_nobody(client: Client) -> None:
    gone = waiting("gone")
    Waiting.objects.filter(pk=gone.pk).update(seen_at=F("seen_at") - timedelta(seconds=30))
    enter_live(client)
    assert client.post(WAITING).headers["Location"] == WAITING
    client.post(WAITING, {"leave": "yes"})
    assert not Waiting.objects.filter(pk__gt=gone.pk).exists()


def test_what_is_said_is_read_by_those_of_its_side_in_its_order() -> None:
    trio = meet()
    side = trio.human_side
    trio.interrogator.say("Hello there", side)
    trio.interrogator.say("And you?", side.other)
    trio.witness.say("Hi!")
    trio.interrogator.say("Who are you?", side)
    assert [(number, text) for number, _by, text in said(trio.chat, side)] == [
        (1, "Hello there"), (2, "Hi!"), (3, "Who are you?"),
    ]  # fmt: skip
    own = trio.witness.messages()
    # A witness reads one side, and is not told which it is.
    assert {one["side"] for one in own["said"]} == {"left"}
    assert [one["text"] for one in own["said"]] == ["Hello there", "Hi!", "Who are you?"]
    assert own["cursor"] == "3.0"
    assert trio.witness.messages("2.0")["said"] == own["said"][2:]
    both = trio.interrogator.messages()
    assert len(both["said"]) == 4
    assert trio.interrogator.messages(both["cursor"])["said"] == []
    assert "And you?" not in trio.witness.page()


def test_a_message_that_is_sent_again_is_there_once() -> None:
    trio = meet()
    sent = uuid.uuid4()
    for _ in range(3):
        trio.interrogator.say("Once", trio.human_side, sent)
    assert said(trio.chat, trio.human_side) == [(1, "interrogator", "Once")]


@pytest.mark.parametrize("text", ["", "   ", "x" * 301, "a\x00b"])
def test_what_is_no_message_is_refused_with_a_word(text: str) -> None:
    trio = meet()
    response = trio.interrogator.say(text)
    assert response.status_code == 400
    assert not ChatMessage.objects.exists()


def test_nobody_buries_another_under_messages() -> None:
    trio = meet()
    side = trio.human_side
    sent = [say(trio.interrogator.seat, side, f"Again {number}") for number in range(talk.MOST_MESSAGES)]
    response = trio.interrogator.say("And again", side)
    assert response.status_code == 400
    assert "You have said enough here: wait for the end." in text_of(response.content)
    assert len(said(trio.chat, side)) == talk.MOST_MESSAGES
    # What is sent again is still known, and the others may speak.
    assert say(trio.interrogator.seat, side, "Again 0", sent[0].client_id) == sent[0]
    trio.witness.say("Stop!")
    assert said(trio.chat, side)[-1][2] == "Stop!"


def test_a_machine_answers_when_it_is_due_and_once() -> None:
    trio = meet()
    Turn.objects.all().delete()
    side = trio.machine_side
    trio.interrogator.say("Hello", side)
    assert answer_next()
    assert not answer_next()
    turn = Turn.objects.get(chat=trio.chat, side=side)
    assert turn.due_at and turn.due_at > turn.asked_at
    trio.interrogator.say("Are you there?", side)
    # It is said before what the interrogator says later, though it knows nothing of that.
    trio.let_due()
    trio.interrogator.say("And?", side)
    spoken = said(trio.chat, side)
    assert [by for _number, by, _text in spoken] == [
        "interrogator",
        "interrogator",
        "witness",
        "interrogator",
    ]
    # What it did not know has a turn of its own.
    open_turn = Turn.objects.get(chat=trio.chat, side=side, answered_at=None)
    assert open_turn.asked_at < trio.chat.ends_at
    assert answer_next()
    trio.let_due()
    for _ in range(3):
        trio.interrogator.messages()
    assert [by for _number, by, _text in said(trio.chat, side)].count("witness") == 2


def test_who_looks_says_nothing_for_a_machine_unless_no_worker_has() -> None:
    trio = meet()
    Turn.objects.all().delete()
    trio.interrogator.say("Hello", trio.machine_side)
    assert answer_next()
    Turn.objects.update(due_at=F("asked_at"))
    with CaptureQueriesContext(connection) as looked:
        assert len(trio.interrogator.messages()["said"]) == 1
    assert not [one for one in looked if one["sql"].startswith(("INSERT", "UPDATE"))]
    tasks.say_due(trio.chat.pk)
    tasks.say_due(trio.chat.pk)
    assert len(trio.interrogator.messages()["said"]) == 2
    # Where there is no worker any more it is said by whoever looks, a moment late.
    trio.interrogator.say("And?", trio.machine_side)
    assert answer_next()
    trio.let_due()
    assert len(trio.interrogator.messages()["said"]) == 4


def test_a_worker_is_told_when_to_say_what_a_machine_says(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, Any]] = []
    monkeypatch.setattr(
        "turing.live.talk.send_tasks", lambda task, calls, queue, eta=None: told.append((task, eta))
    )
    _chat, asking, _answering = begun(11)
    Turn.objects.all().delete()
    say(asking, Side(asking.chat.human_side).other, "Hello")
    with django_capture_on_commit_callbacks(execute=True):
        assert answer_next()
    (turn,) = Turn.objects.filter(due_at__isnull=False)
    assert turn.due_at
    assert told == [("turing.tasks.say_due", turn.due_at + talk.MOMENT)]


def test_an_answer_of_a_worker_that_lost_its_lease_is_not_taken() -> None:
    trio = meet()
    Turn.objects.all().delete()
    trio.interrogator.say("Hello", trio.machine_side)
    slow = claim()
    assert slow and claim() is None
    Turn.objects.update(leased_until=F("asked_at") - timedelta(seconds=1))
    quick = claim()
    assert quick and hand_in(quick, "quick", 1)
    assert not hand_in(slow, "slow", 1)
    trio.let_due()
    trio.interrogator.messages()
    assert said(trio.chat, trio.machine_side)[-1][2] == "quick"


def test_delays_of_machines_are_those_of_people_for_answers_of_their_length() -> None:
    chat, _asking, _answering = begun(3)
    for number in range(40):
        Turn.objects.filter(answered_at=None).update(answered_at=F("asked_at"), length=1)
        turn = Turn.objects.create(chat=chat, side=chat.human_side, asked_at=chat.created_at)
        # Short answers come after a second, long ones after a minute.
        seconds, length = (1, 10) if number % 2 else (60, 200)
        Turn.objects.filter(pk=turn.pk).update(
            answered_at=F("asked_at") + timedelta(seconds=seconds), length=length
        )
    Turn.objects.exclude(length__in=[10, 200]).delete()
    drawn = {length: {delay_for(length, "en", Random(seed)) for seed in range(5)} for length in (12, 190)}
    assert drawn == {12: {1.0}, 190: {60.0}}


def test_nothing_is_said_after_the_end_and_the_interrogator_decides_once() -> None:
    trio = meet()
    assert "The conversations are not over yet." in text_of(
        trio.interrogator.client.post(
            f"{trio.interrogator.chat}verdict/", {"choice": "left"}, follow=True
        ).content
    )
    trio.end()
    assert trio.interrogator.say("Too late", "left").status_code == 200
    assert not ChatMessage.objects.exists()
    assert trio.interrogator.messages()["is_over"]
    assert "The interrogator is deciding" in trio.witness.page()
    body = {"choice": trio.human_side, "confidence": "3", "reason": "It was slow."}
    trio.interrogator.client.post(f"{trio.interrogator.chat}verdict/", body)
    trio.interrogator.client.post(f"{trio.interrogator.chat}verdict/", {"choice": trio.machine_side})
    verdict = Verdict.objects.get()
    assert (verdict.choice, verdict.confidence, verdict.reason) == (trio.human_side, 3, "It was slow.")
    assert "Right." in trio.interrogator.page()
    assert "You were taken for the human." in trio.witness.page()
    # The witness decides nothing.
    trio.witness.client.post(f"{trio.witness.chat}verdict/", {"choice": "left"})
    assert Verdict.objects.count() == 1


def test_a_report_ends_a_chat_for_both_and_keeps_it_out_of_the_results(client: Client) -> None:
    trio = meet()
    trio.interrogator.say("Rude words", trio.human_side)
    trio.witness.client.post(f"{trio.witness.chat}report/")
    assert trio.interrogator.messages()["is_over"]
    assert "ended by a report" in trio.interrogator.page()
    trio.end()
    with pytest.raises(Exception, match="nothing to decide"):
        verdicts.judge(trio.interrogator.seat, Side.LEFT)
    assert "Nobody has given a verdict yet." in text_of(
        client.get("/turing/results/live-conversations/").content
    )
    admin = Client()
    admin.force_login(User.objects.create_superuser("root"))
    listed = admin.get("/admin/turing/chat/?reported_at__isempty=0").content.decode()
    assert str(trio.chat.uuid) in listed
    assert "Rude words" in admin.get(f"/admin/turing/chat/{trio.chat.pk}/change/").content.decode()


def finished(*, may_be_read: bool) -> Chat:
    chat, asking, answering = begun(5)
    Seat.objects.update(may_be_read=may_be_read)
    machine = Side(chat.human_side).other
    for number in range(2):
        say(asking, chat.human_side, f"Question {number}?")
        say(answering, chat.human_side, f"Human answer {number}")
        say(asking, machine, f"Question {number}?")
        assert answer_next()
        Turn.objects.filter(due_at__isnull=False).update(due_at=F("asked_at"))
        talk.say_due(chat.pk)
    Chat.objects.update(
        created_at=F("created_at") - timedelta(days=1), ends_at=F("created_at") - timedelta(hours=1)
    )
    verdicts.judge(asking, machine)
    return Chat.objects.get()


def test_a_finished_chat_is_read_by_others_where_both_agreed() -> None:
    chat = finished(may_be_read=True)
    assert publish_finished() == 1
    assert publish_finished() == 0
    pair = PoemPair.objects.get()
    assert pair.is_trio and pair.genre == "chat"
    texts = [one.text for one in messages_of(pair.human.text)]
    assert [one for one in texts if one.startswith("Human")] == ["Human answer 0", "Human answer 1"]
    assert pair.machine.provenance.facts["persona"] == "rules"
    assert Chat.objects.get().pair == pair
    assert chat.uuid.hex not in pair.human.text


def test_a_chat_that_one_of_both_keeps_to_themselves_is_read_by_nobody() -> None:
    finished(may_be_read=True)
    Seat.objects.filter(role="witness").update(may_be_read=False)
    assert publish_finished() == 0
    assert not PoemPair.objects.exists()


def test_what_was_said_is_deleted_after_its_days_and_the_figures_stay(settings: Any) -> None:
    finished(may_be_read=False)
    settings.CHAT_KEEP_DAYS = 30
    assert forget_old() == 0
    Chat.objects.update(
        created_at=F("created_at") - timedelta(days=31), ends_at=F("ends_at") - timedelta(days=31)
    )
    assert forget_old() == 1
    assert forget_old() == 0
    assert not ChatMessage.objects.exists()
    assert not Turn.objects.exclude(text="").exists()
    assert Turn.objects.filter(answered_at__isnull=False).exists()
    assert Verdict.objects.count() == 1
    settings.CHAT_KEEP_DAYS = 0
    assert forget_old() == 0


def test_personas_are_versions_and_only_those_of_servers_here_play(settings: Any) -> None:
    Persona.objects.create(name="student", version=1, model="gone")
    chat, *_ = begun(7)
    assert chat.persona.name == "rules"
    with pytest.raises(IntegrityError), transaction.atomic():
        Persona.objects.create(name="student", version=1, model="gone")
    Persona.objects.create(name="student", version=2)
    assert {begun(seed, f"again {seed}")[0].persona.name for seed in range(8)} == {"rules", "student"}


def test_workers_are_told_alike_whichever_side_was_spoken_to(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(
        "turing.live.talk.send_tasks", lambda task, calls, queue, eta=None: told.append(queue)
    )
    chat, asking, _answering = begun(9)
    for side in Side:
        with django_capture_on_commit_callbacks(execute=True):
            say(asking, side, "Hello")
    assert told == ["live", "live"]
    assert Turn.objects.filter(chat=chat, answered_at=None).count() == 2
