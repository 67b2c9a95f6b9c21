"""Results of live conversations: their arithmetic by a second implementation, and what nobody can undo or stuff."""

from __future__ import annotations

import math
import uuid
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import numpy as np
import pytest
import scipy
import statsmodels.api as sm
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone

from stats.mixed import t_interval
from turing.live import verdicts
from turing.live.results import Judged, group_of, measure_live
from turing.live.verdicts import publish_finished
from turing.models import (
    Chat,
    ChatMessage,
    LiveResults,
    Persona,
    Player,
    PoemPair,
    Seat,
    Side,
    Verdict,
)
from turing.tests.live_cast import meet
from turing.tests.test_results_page import text_of

PAGE = "/turing/results/live-conversations/"


def judged(count: int = 400, seed: int = 3, taken: float = 0.35) -> list[Judged]:
    """Return verdicts of interrogators and witnesses who differ, so that both clusterings matter."""
    rng = Random(seed)
    asks = [rng.gauss(0, 0.9) for _ in range(60)]
    answers = [rng.gauss(0, 0.9) for _ in range(50)]
    found = []
    for place in range(count):
        interrogator, witness = place % 60, rng.randrange(50)
        chance = 1 / (1 + math.exp(-(math.log(taken / (1 - taken)) + asks[interrogator] + answers[witness])))
        side = Side(rng.choice(Side.values))
        choice = side.other if rng.random() < chance else side
        found.append(Judged("rules 1", "", interrogator, witness, f"a{interrogator % 20}", side, choice, 2))
    return found


def test_share_and_interval_are_those_of_statsmodels_clustered_by_interrogator_and_witness() -> None:
    chats = judged()
    group = group_of(chats)
    y = np.array([one.choice != one.human_side for one in chats], dtype=float)
    clusters = np.array([[one.interrogator, one.witness] for one in chats])
    model = sm.OLS(y, np.ones_like(y)).fit(cov_type="cluster", cov_kwds={"groups": clusters})
    assert group.rate == pytest.approx(model.params[0], abs=1e-12)
    independent = y.std(ddof=1) / math.sqrt(len(y))
    assert model.bse[0] > 1.1 * independent, "both clusterings matter here"
    assert group.ci == pytest.approx(t_interval(model.params[0], model.bse[0], 49, 0.95), abs=1e-9)


def test_d_prime_is_that_of_hits_and_false_alarms_over_the_root_of_two() -> None:
    chats = judged()
    group = group_of(chats)
    said_left = {
        side: [one.choice == Side.LEFT for one in chats if one.human_side == side] for side in Side.values
    }
    hit, alarm = ((sum(said_left[side]) + 0.5) / (len(said_left[side]) + 1) for side in ("left", "right"))
    normal = scipy.stats.norm
    assert group.d_prime is not None
    assert group.d_prime["value"] == pytest.approx((normal.ppf(hit) - normal.ppf(alarm)) / math.sqrt(2))
    low, high = group.d_prime["ci"]
    assert low < group.d_prime["value"] < high


def test_the_verdict_takes_the_first_chat_of_each_interrogator_by_the_beta_mixture() -> None:
    chats = judged()
    group = group_of(chats)
    first = chats[:60]
    taken = sum(one.choice != one.human_side for one in first)
    # The interval of all shares p with Beta(1 + s, 1 + n - s)-evidence below 20: by a grid instead of by roots.
    shares = np.linspace(1e-6, 1 - 1e-6, 400_001)
    log_e = (
        scipy.special.betaln(1 + taken, 1 + 60 - taken)
        - taken * np.log(shares)
        - (60 - taken) * np.log1p(-shares)
    )
    inside = shares[log_e < math.log(20)]
    assert group.sequence == pytest.approx((inside[0], inside[-1]), abs=1e-5)
    assert group.verdict == ("undecided" if inside[0] <= 0.5 <= inside[-1] else "distinguishable")
    # Whoever asks again and again counts for no more.
    again = [replace(one, choice=Side(one.human_side).other) for one in chats[:60] for _ in range(20)]
    assert group_of([*chats, *again]).sequence == group.sequence


def test_shares_like_the_published_ones_have_the_published_order() -> None:
    """The machine with a persona was taken for the human in .73, one by rules in .23 of the conversations."""
    rng = Random(1)
    sides = [Side(rng.choice(Side.values)) for _ in range(200)]

    def group(share: float) -> Any:
        return group_of(
            [
                Judged("p", "m", place, place, "", side, side.other if place < 200 * share else side, None)
                for place, side in enumerate(sides)
            ]
        )

    persona, rules = group(0.73), group(0.23)
    assert (persona.rate, rules.rate) == (0.73, 0.23)
    assert persona.verdict == rules.verdict == "distinguishable"
    assert persona.d_prime["value"] < 0 < rules.d_prime["value"]
    assert group(0.5).verdict == "undecided"


def test_below_thirty_interrogators_nothing_is_measured() -> None:
    group = group_of([one for one in judged() if one.interrogator < 29])
    assert group.rate is None and group.verdict is None and group.fragility is None
    assert set(group.cells[2:]) == {"–"}


def test_few_conversations_and_one_address_that_hold_the_verdict_up_are_named() -> None:
    rng = Random(2)
    honest = [
        Judged("p", "m", place, place, f"h{place}", side, side if place % 2 else side.other, None)
        for place, side in enumerate(Side(rng.choice(Side.values)) for _ in range(80))
    ]
    stuffed = [Judged("p", "m", 100 + place, 500, "attack", "left", "right", None) for place in range(60)]
    calm, moved = group_of(honest), group_of([*honest, *stuffed])
    assert calm.verdict != "distinguishable"
    assert moved.verdict == "distinguishable"
    assert moved.fragility is not None and moved.fragility["rounds"] <= 60
    assert moved.without_one == {"largest": 60, "becomes": calm.verdict}
    assert "Without one address with 60 of 140 interrogators" in " ".join(moved.fragile)
    # Without so many well chosen conversations the verdict is another one, and without one fewer it is not.
    few = moved.fragility["rounds"]
    taken = stuffed[:few]
    kept = [one for one in [*honest, *stuffed] if one not in taken]
    assert group_of(kept).verdict == moved.fragility["becomes"]
    assert group_of([*kept, taken[0]]).verdict == "distinguishable"


@pytest.fixture
def offered(settings: Any, db: None) -> None:
    settings.TURING_LIVE = True
    settings.TURING_LIVE_SAME_ADDRESS = True


def judge_many(count: int = 40) -> None:
    """Store chats that were judged: the machine was taken for the human in one of four."""
    now = timezone.now()
    persona = Persona.objects.create(name="rules")
    for place in range(count):
        chat = Chat.objects.create(
            persona=persona, language="en", human_side=Side.LEFT, left_begins=True, right_begins=False,
            created_at=now - timedelta(hours=1), ends_at=now - timedelta(minutes=50),
        )  # fmt: skip
        for role in Seat.Role:
            player = Player.objects.create(token_hash=f"{uuid.uuid4().hex * 2}")
            chat.seats.create(player=player, role=role, may_be_read=False, origin=f"o{place % 8}")
        Verdict.objects.create(chat=chat, choice=Side.RIGHT if place % 4 == 0 else Side.LEFT)


@pytest.mark.usefixtures("offered")
def test_pages_read_what_was_measured_at_most_once_a_minute(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    assert "Nobody has given a verdict yet." in text_of(client.get(PAGE).content)
    judge_many()
    assert measure_live()
    assert not measure_live()
    with django_assert_max_num_queries(3):
        page = text_of(client.get(PAGE).content)
    assert "all 40 40 25.0 %" in page
    assert "The verdict falls without" in page
    told = client.get(f"{PAGE.rstrip('/')}.json").json()
    assert (told["all"]["taken"], told["all"]["chats"]) == (10, 40)
    assert [one["persona"] for one in told["by_persona"]] == ["rules 1"]
    judge_more = Chat.objects.first()
    assert judge_more is not None
    Verdict.objects.filter(chat=judge_more).delete()
    assert not measure_live(), "not within a minute"
    LiveResults.objects.update(measured_at=F("measured_at") - timedelta(seconds=61))
    assert measure_live()
    assert client.get(f"{PAGE.rstrip('/')}.json").json()["all"]["chats"] == 39
    with pytest.raises(IntegrityError), transaction.atomic():
        LiveResults.objects.create(pk=2)


@pytest.mark.usefixtures("offered")
def test_who_reports_after_the_end_takes_nothing_out_of_the_results(client: Client) -> None:
    trio = meet()
    Seat.objects.update(may_be_read=True)
    for number in range(2):
        trio.interrogator.say(f"Question {number}", trio.human_side)
        trio.witness.say(f"Answer {number}")
        ChatMessage.objects.create(
            chat=trio.chat, side=trio.machine_side, number=number + 1, by="witness", text="Beep",
            client_id=uuid.uuid4(), sent_at=timezone.now(),
        )  # fmt: skip
    trio.end()
    assert "Report this conversation" in trio.witness.page()
    # The witness fears to lose, and reports before the verdict; it is given all the same, and counts.
    trio.witness.client.post(f"{trio.witness.chat}report/")
    assert "reported this conversation" in trio.witness.page()
    verdicts.judge(trio.interrogator.seat, trio.machine_side)
    measure_live()
    told = client.get(f"{PAGE.rstrip('/')}.json").json()
    assert (told["all"]["chats"], told["all"]["taken"], told["broken_off"]) == (1, 1, 0)
    # Nobody else reads it.
    assert publish_finished() == 0
    admin = Client()
    admin.force_login(User.objects.create_superuser("root"))
    assert str(trio.chat.uuid) in admin.get("/admin/turing/chat/?reported_at__isempty=0").content.decode()


@pytest.mark.usefixtures("offered")
def test_a_chat_in_play_that_is_reported_is_drawn_no_more() -> None:
    trio = meet()
    Seat.objects.update(may_be_read=True)
    for number in range(2):
        for side in Side:
            for by in Seat.Role:
                ChatMessage.objects.create(
                    chat=trio.chat, side=side, number=2 * number + 1 + (by == "witness"), by=by, text="Hm",
                    client_id=uuid.uuid4(), sent_at=timezone.now(),
                )  # fmt: skip
    trio.end()
    verdicts.judge(trio.interrogator.seat, trio.human_side)
    assert publish_finished() == 1
    assert PoemPair.objects.in_play("chat").count() == 1
    verdicts.report(trio.witness.seat)
    assert PoemPair.objects.in_play("chat").count() == 0
    assert Verdict.objects.count() == 1


@pytest.mark.usefixtures("offered")
def test_chats_that_reports_broke_off_are_counted_beside_the_verdicts(client: Client) -> None:
    judge_many(1)
    trio = meet()
    trio.witness.client.post(f"{trio.witness.chat}report/")
    measure_live()
    assert "1 conversation was broken off by a report" in text_of(client.get(PAGE).content)
    assert trio.interrogator.seat.chat.seats.exclude(origin="").count() == 2
