"""What is measured: the figures of `stats.game` for the rounds that were played, at most once a minute."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.signing import get_cookie_signer
from django.db.models.functions import Now
from django.test import Client

from generation.models import Candidate, GenerationRun, Method
from stats.game.detection import detection
from turing.game.players import COOKIE, SALT, hash_of
from turing.models import Flag, Player, PoemPair, Results, Scope
from turing.results import surface
from turing.results.measuring import latest_answers, measure, measure_changed
from turing.tests.cast import build_pairs
from turing.tests.results_cast import Answered, record
from turing.tests.test_results import simulated
from turing.tests.test_results_page import text_of

PAGE = "/turing/results/"


@pytest.fixture
def pairs(db: None) -> list[PoemPair]:
    return build_pairs(20)


def answers(pairs: list[PoemPair], players: int = 60) -> list[Answered]:
    """Return rounds whose players say how sure they are, and are right the more often the surer they are."""
    rng = random.Random(3)
    skill = [rng.gauss(0, 0.2) for _ in range(players)]
    rounds = []
    for one in simulated(pairs, players=players):
        confidence = rng.choice([1, 2, 3])
        selected = rng.random() < 0.6 - 0.12 * confidence - skill[one.player]
        rounds.append(replace(one, confidence=confidence, selected=selected))
    return rounds


def measured(rounds: list[Answered]) -> Results:
    record(rounds)
    assert measure_changed() == 1
    return Results.objects.get()


def in_a_minute() -> None:
    Results.objects.update(measured_at=Now() - timedelta(seconds=61))


@pytest.mark.parametrize("scope", Scope)
def test_detection_is_that_of_all_rounds_counted_at_once(pairs: list[PoemPair], scope: Scope) -> None:
    rounds = answers(pairs)
    figures = measured(rounds).figures[scope.value]["detection"]
    own: dict[int, Any] = {}
    for one in rounds:
        if scope == Scope.ALL or not one.flag:
            said = int(not one.chose_left)
            stimulus = 1 - said if one.selected else said
            cells = own.setdefault(one.player, np.zeros((2, 2, 4)))
            cells[stimulus, said, one.confidence] += 1
    counts = np.array([cells.ravel() for cells in own.values()])
    expected = detection(counts.sum(axis=0).reshape(2, 2, 4), counts.T @ counts, len(own), forced_choice=True)
    assert expected is not None
    assert figures["players"] == expected.players
    for name in ("d_prime", "bias", "area", "d_a", "overconfidence", "right"):
        found, wanted = figures[name], getattr(expected, name)
        assert found["value"] == pytest.approx(wanted.value)
        assert found["ci"] == pytest.approx(wanted.ci)
    assert [row["right"] for row in figures["calibration"]] == [row.right for row in expected.calibration]


def test_nothing_is_measured_below_thirty_players_and_the_page_says_so(
    client: Client, pairs: list[PoemPair]
) -> None:
    figures = measured(answers(pairs, players=29)).figures["all"]
    assert figures["detection"] is None
    assert "skill" not in figures and "scale" not in figures
    assert "Nothing is measured below 30 players" in text_of(client.get(PAGE).content)
    assert "detection" not in client.get("/turing/results.json").json()["scopes"]["all"]


def test_results_are_measured_at_most_once_a_minute_and_only_when_they_have_changed(
    pairs: list[PoemPair],
) -> None:
    results = measured(answers(pairs))
    assert not measure(results)
    record([Answered(player=1000, game=1000, number=1, pair=pairs[0], selected=False)])
    assert not measure(Results.objects.get())
    in_a_minute()
    assert measure(Results.objects.get())
    assert Results.objects.get().measured == results.measured + 1
    in_a_minute()
    assert not measure(Results.objects.get())


def test_five_of_five_are_not_the_first_of_the_board_where_others_were_right_for_long(
    pairs: list[PoemPair],
) -> None:
    rounds = answers(pairs)
    lucky = [Answered(500, 5000, place + 1, pairs[place], selected=False) for place in range(5)]
    steady = [
        Answered(501, 5001 + place // 5, place % 5 + 1, pairs[place], selected=False) for place in range(20)
    ]
    figures = measured([*rounds, *lucky, *steady]).figures["all"]["skill"]
    board = {row["answered"]: row for row in figures["board"]}
    assert figures["board"][0]["answered"] == 20
    assert board[20]["skill"] > board[5]["skill"]
    low, high = board[5]["ci"]
    assert high - low > board[20]["ci"][1] - board[20]["ci"][0]


def test_players_who_get_better_learn_though_they_differ_in_skill(pairs: list[PoemPair]) -> None:
    rng = random.Random(9)
    rounds = []
    for player in range(80):
        skill = rng.gauss(0, 0.2)
        for place in range(20):
            chance = min(max(0.5 + skill + 0.02 * (place - 10), 0.02), 0.98)
            rounds.append(
                Answered(player, player * 10 + place // 5, place % 5 + 1, pairs[place], rng.random() > chance)
            )
    # Which pair comes when differs between players, so that a pair's difficulty is not its place.
    order = list(range(20))
    shuffled = []
    for one in rounds:
        if one.number == 1 and one.game % 10 == 0:
            rng.shuffle(order)
        place = (one.game % 10) * 5 + one.number - 1
        shuffled.append(replace(one, pair=pairs[order[place]]))
    learning = measured(shuffled).figures["all"]["skill"]["learning"]
    assert learning["estimate"] == pytest.approx(0.02, abs=0.006)
    assert learning["ci"][0] > 0


def test_pairs_that_take_players_in_are_the_hard_ones_and_methods_have_their_mean(
    pairs: list[PoemPair],
) -> None:
    rounds = [replace(one, selected=True) if one.pair == pairs[3] else one for one in answers(pairs)]
    found = measured(rounds).figures["all"]["difficulty"]
    assert found["hardest"][0]["number"] == pairs[3].number
    assert found["hardest"][0]["ci"][0] > found["easiest"][0]["ci"][1]
    (method,) = found["by_method"]
    assert method["pairs"] == 20
    assert method["ci"][0] < method["difficulty"] < method["ci"][1]


def test_staff_see_the_hard_and_the_easy_pairs_of_each_method_by_their_titles(
    client: Client, pairs: list[PoemPair]
) -> None:
    other = Method.objects.create(key="other", label="Other method")
    run = GenerationRun.objects.create(method=other, state="done")
    Candidate.objects.filter(pk__in=[pair.machine_id for pair in pairs[:5]]).update(run=run)
    rounds = [replace(one, selected=True) if one.pair == pairs[3] else one for one in answers(pairs)]
    found = measured(rounds).figures["all"]["difficulty"]
    of_other = next(one for one in found["by_method"] if one["method"] == "Other method")
    assert of_other["hardest"][0]["title"] == pairs[3].heading
    assert len(of_other["hardest"]) == 3 and len(of_other["easiest"]) == 2
    assert {row["method"] for row in of_other["hardest"] + of_other["easiest"]} == {"Other method"}
    staff = Client()
    staff.force_login(User.objects.create_user("carol", is_staff=True))
    text = text_of(staff.get(PAGE).content)
    assert "Hard pairs of Other method: All records" in text
    assert f"{pairs[3].heading} · 无名诗人" in text
    assert pairs[3].heading not in text_of(client.get(PAGE).content)


def test_players_who_do_not_differ_have_no_board(client: Client, pairs: list[PoemPair]) -> None:
    alike = [replace(one, selected=one.number % 2 == 0) for one in simulated(pairs)]
    figures = measured(alike).figures["all"]["skill"]
    assert figures["spread"] < 0.05
    assert figures["board"] == []
    assert "Players do not differ measurably in skill" in text_of(client.get(PAGE).content)


def test_page_draws_three_plots_that_say_in_words_what_they_show(
    client: Client, pairs: list[PoemPair]
) -> None:
    measured(answers(pairs))
    page = client.get(PAGE).content.decode()
    assert page.count('class="small-plot"') == 6
    assert page.count('role="img" aria-label="Area under the ROC') == 2
    assert page.count('role="img" aria-label="I am guessing: ') == 2
    assert page.count('role="img" aria-label="Skills of ') == 2
    text = text_of(page.encode())
    assert "d′: how well players tell" in text and "Board by skill" in text
    assert "The verdict falls without" in text or "No number of rounds left out" in text


def test_players_learn_nothing_of_single_pairs_and_find_themselves_on_the_board(
    client: Client, pairs: list[PoemPair]
) -> None:
    results = measured(answers(pairs))
    page = client.get(PAGE).content.decode()
    assert "Hard pairs" not in page
    told = client.get("/turing/results.json").json()["scopes"]["all"]
    assert set(told["difficulty"]) == {"pairs", "spread", "by_method"}
    assert set(told["difficulty"]["by_method"][0]) == {"method", "pairs", "difficulty", "ci"}
    assert set(told["skill"]["board"][0]) == {"answered", "skill", "ci"}
    first = results.figures["all"]["skill"]["board"][0]["player"]
    token = "a token"

    Player.objects.filter(pk=first).update(token_hash=hash_of(token))
    client.cookies[COOKIE] = get_cookie_signer(salt=COOKIE + SALT).sign(token)
    assert "1 you" in text_of(client.get(PAGE).content)


def test_one_confidence_is_left_out_with_a_word(client: Client, pairs: list[PoemPair]) -> None:
    measured([replace(one, confidence=2) for one in answers(pairs)])
    assert "left out: only one confidence was used" in text_of(client.get(PAGE).content)


def test_json_and_csv_hold_what_was_measured(client: Client, pairs: list[PoemPair]) -> None:
    results = measured(answers(pairs))
    found = client.get("/turing/results.json").json()
    wanted = results.figures["unflagged"]
    assert found["measured_at"] is not None
    assert found["scopes"]["unflagged"]["detection"]["d_prime"] == wanted["detection"]["d_prime"]
    assert [row["confidence"] for row in found["scopes"]["all"]["calibration"]] == [1, 2, 3]
    rows = list(csv.reader(io.StringIO(client.get("/turing/results.csv").content.decode("utf-8-sig"))))
    values = {(scope, figure): value for scope, figure, value in rows}
    d_prime = float(values["unflagged", "detection.d_prime.value"])
    assert d_prime == pytest.approx(wanted["detection"]["d_prime"]["value"])


def test_the_surface_is_looked_at_again_only_when_other_pairs_are_played(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = build_pairs(61)
    results = measured(answers(pairs[:60]))
    looked: list[int] = []
    monkeypatch.setattr(surface, "superficial", lambda humans, machines: looked.append(len(humans)))
    record([Answered(player=1000, game=1000, number=1, pair=pairs[0], selected=False)])
    in_a_minute()
    assert measure(Results.objects.get())
    assert Results.objects.get().figures["all"]["superficial"] == results.figures["all"]["superficial"]
    assert looked == []
    record([Answered(player=1001, game=1001, number=1, pair=pairs[60], selected=False)])
    in_a_minute()
    assert measure(Results.objects.get())
    assert looked == [61]


def test_what_form_alone_tells_stands_beside_what_players_reach(client: Client, db: None) -> None:
    pairs = build_pairs(60)
    for pair in pairs:
        Candidate.objects.filter(pk=pair.machine_id).update(
            text="山中山中山，山中山中山。\n山中山中山，山中山中山。"
        )
    figures = measured(answers(pairs)).figures["all"]["superficial"]
    assert figures["pairs"] > 50
    assert figures["share"] > 0.95
    assert "the best classifier that sees the texts’ surface only 100.0 %" in text_of(
        client.get(PAGE).content
    )
    assert client.get("/turing/results.json").json()["scopes"]["all"]["superficial"] == figures


def test_skills_are_of_first_meetings_with_a_pair_whose_answer_nobody_had_told(pairs: list[PoemPair]) -> None:
    first = [Answered(0, 0, place + 1, pairs[place], selected=True, flag=Flag.HASTY) for place in range(5)]
    again = [Answered(0, 1, place + 1, pairs[place], selected=False, is_repeat=True) for place in range(5)]
    results = measured([*first, *again])
    found = latest_answers(results, Scope.ALL)
    assert (len(found.pairs), bool(found.right.any())) == (5, False)
    assert len(latest_answers(results, Scope.UNFLAGGED).pairs) == 0
