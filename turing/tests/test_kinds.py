"""The kinds of game beside pairs: one text, and the sentence at which a machine takes over."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.test import Client

from generation.models import RunPrompt
from turing.models import BoundaryTally, Game, Kind, PoemPair, Results, Round
from turing.pairs.files import import_pairs, write_pairs
from turing.pairs.normalising import sentences
from turing.pairs.pairing import misplaced, queue_pairs
from turing.results.counting import count_answers
from turing.tests.cast import address_of, begin_game, build_boundaries, build_pairs
from turing.tests.test_results_page import text_of

TEXT, BOUNDARY = "/turing/text/", "/turing/boundary/"


@pytest.fixture
def texts(db: None) -> list[PoemPair]:
    return build_pairs()


@pytest.fixture
def boundaries(db: None) -> list[PoemPair]:
    return build_boundaries()


@pytest.fixture
def third_sentences(db: None) -> list[PoemPair]:
    """Poems that a machine takes over at the third sentence, whichever five are drawn."""
    return build_boundaries(turns=[3])


def play_text(client: Client, game: Game, number: int, *, right: bool = True) -> Round:
    client.get(address_of(game, number))
    one = Round.objects.get(game=game, number=number)
    choice = one.human_side if right else {"left": "right", "right": "left"}[str(one.human_side)]
    client.post(address_of(game, number), {"choice": choice})
    return Round.objects.get(pk=one.pk)


def play_boundary(client: Client, game: Game, number: int, *, said: int | None = None) -> Round:
    """Step through a text up to the sentence to be said (the true one if none is given), and say so."""
    client.get(address_of(game, number))
    one = Round.objects.get(game=game, number=number)
    wanted = said or one.takeover or 0
    for step in range(2, wanted):
        client.post(address_of(game, number), {"act": "next", "step": step})
    client.post(address_of(game, number), {"act": "here", "step": wanted})
    return Round.objects.get(pk=one.pk)


def test_one_text_shows_the_human_one_or_the_machine_s_and_never_both(
    client: Client, texts: list[PoemPair]
) -> None:
    game = begin_game(client, start=TEXT)
    assert set(game.rounds.values_list("kind", flat=True)) == {Kind.TEXT}
    for number in range(1, 6):
        page = client.get(address_of(game, number)).content.decode()
        one = game.rounds.select_related("pair__human", "pair__machine").get(number=number)
        human, machine = (
            all(line in page for line in text.text.split("\n")) for text in (one.pair.human, one.pair.machine)
        )
        assert (human, machine) == ((True, False) if one.human_side == "left" else (False, True))
        play_text(client, game, number)


def test_one_text_is_told_to_be_a_human_s_or_the_machine_s(client: Client, texts: list[PoemPair]) -> None:
    game = begin_game(client, start=TEXT)
    for number in range(1, 6):
        one = play_text(client, game, number, right=number % 2 == 0)
        told = text_of(client.get(address_of(game, number)).content)
        assert one.is_right() == (number % 2 == 0)
        is_human = one.human_side == "left"
        wanted = (
            "Right." if number % 2 == 0 else f"Wrong: that was {'a human' if is_human else 'the machine'}."
        )
        assert wanted in told
        assert ("〔唐〕 无名诗人" in told.replace("〕无", "〕 无")) == is_human
        assert "You are the first to answer here." in told
    assert "2 of 5 right" in text_of(client.get(f"/turing/games/{game.uuid}/").content)


def test_games_of_each_kind_are_gone_on_with_by_themselves(
    client: Client, texts: list[PoemPair], boundaries: list[PoemPair]
) -> None:
    games = {start: begin_game(client, start=start) for start in ("/turing/", TEXT, BOUNDARY)}
    assert len({game.pk for game in games.values()}) == 3
    for start, game in games.items():
        assert begin_game(client, start=start) == game


def test_a_text_that_was_seen_in_one_kind_is_not_drawn_in_another_while_others_remain(
    client: Client, texts: list[PoemPair]
) -> None:
    first, second = begin_game(client), begin_game(client, start=TEXT)
    assert not set(first.rounds.values_list("pair")) & set(second.rounds.values_list("pair"))


def test_a_boundary_is_looked_for_sentence_by_sentence(client: Client, boundaries: list[PoemPair]) -> None:
    game = begin_game(client, start=BOUNDARY)
    one = game.rounds.select_related("pair__machine").get(number=1)
    whole = sentences(one.pair.machine.text, "poem")
    for step in (2, 3, 4):
        page = client.get(address_of(game, 1)).content.decode()
        assert [sentence in page for sentence in whole] == [place < step for place in range(4)]
        assert f"Sentence {step} of 4" in text_of(page.encode())
        assert ('value="next"' in page) == (step < 4)
        client.post(address_of(game, 1), {"act": "next", "step": step})
    # After the last sentence there is none.
    assert Round.objects.get(pk=one.pk).step == 4


def test_a_press_that_is_sent_twice_shows_one_sentence_more(
    client: Client, boundaries: list[PoemPair]
) -> None:
    game = begin_game(client, start=BOUNDARY)
    client.get(address_of(game, 1))
    for _ in range(2):
        client.post(address_of(game, 1), {"act": "next", "step": 2})
    assert game.rounds.get(number=1).step == 3
    # Nor is an answer taken for a sentence that is not the last one shown.
    client.post(address_of(game, 1), {"act": "here", "step": 2})
    assert not game.rounds.get(number=1).is_answered()


@pytest.mark.parametrize(
    ("late", "points", "word"), [(0, 5, "To the sentence."), (1, 4, "Too late."), (-1, 0, "Too early.")]
)
def test_points_are_five_less_the_lateness_and_none_for_who_is_early(
    client: Client, third_sentences: list[PoemPair], late: int, points: int, word: str
) -> None:
    game = begin_game(client, start=BOUNDARY)
    number = game.rounds.filter(takeover=3)[0]
    for earlier in range(1, number.number):
        play_boundary(client, game, earlier)
    one = play_boundary(client, game, number.number, said=3 + late)
    assert one.is_answered()
    told = text_of(client.get(address_of(game, number.number)).content)
    assert f"{word} {points} points" in told
    assert "the machine, from here" in told


def test_a_boundary_game_ends_with_its_points(client: Client, boundaries: list[PoemPair]) -> None:
    game = begin_game(client, start=BOUNDARY)
    for number in range(1, 6):
        play_boundary(client, game, number)
    told = text_of(client.get(f"/turing/games/{game.uuid}/").content)
    assert "25 of 25 points" in told
    assert "I found where the machine begins: 25 of 25 points." in told


@pytest.mark.parametrize(
    "body",
    [
        {"act": "here"},
        {"act": "here", "step": "x"},
        {"act": "back", "step": "2"},
        {"act": "here", "step": "1"},
    ],
)
def test_what_says_nothing_of_a_boundary_is_refused_with_a_word(
    client: Client, boundaries: list[PoemPair], body: dict[str, str]
) -> None:
    game = begin_game(client, start=BOUNDARY)
    client.get(address_of(game, 1))
    response = client.post(address_of(game, 1), body)
    assert response.status_code == 400
    assert "Say whether the machine begins here, or go on." in response.content.decode()


def test_a_side_is_no_answer_about_a_boundary_and_a_step_none_about_a_side(
    client: Client, texts: list[PoemPair], boundaries: list[PoemPair]
) -> None:
    pairs, boundary = begin_game(client), begin_game(client, start=BOUNDARY)
    for game, body in ((pairs, {"act": "here", "step": 2}), (boundary, {"choice": "left"})):
        client.get(address_of(game, 1))
        client.post(address_of(game, 1), body)
        assert not game.rounds.get(number=1).is_answered()


@pytest.mark.parametrize("fields", [{"takeover": 4}, {"step": 5}, {"human_side": "left"}, {"choice": "left"}])
def test_the_database_holds_what_a_boundary_is(
    client: Client, third_sentences: list[PoemPair], fields: dict[str, Any]
) -> None:
    game = begin_game(client, start=BOUNDARY)
    one = game.rounds.filter(takeover=3)[0]
    with pytest.raises(DatabaseError), transaction.atomic():
        Round.objects.filter(pk=one.pk).update(**fields)


def test_results_of_a_boundary_are_shares_distance_and_points_by_true_place(
    client: Client, boundaries: list[PoemPair]
) -> None:
    game = begin_game(client, start=BOUNDARY)
    answers = [play_boundary(client, game, number, said=None if number < 3 else 4) for number in range(1, 6)]
    count_answers()
    exact = sum(one.step == one.takeover for one in answers)
    found = client.get("/turing/results/boundary.json").json()["scopes"]["all"]["boundary"]
    assert (found["total"], found["exact"]) == (5, exact)
    assert found["distance"] == pytest.approx(
        sum((one.step or 0) - (one.takeover or 0) for one in answers) / 5
    )
    assert {row["true"] for row in found["by_true"]} == {one.takeover for one in answers}
    text = text_of(client.get("/turing/results/boundary/").content)
    assert "By true place" in text and "Share to the sentence" in text
    assert sum(BoundaryTally.objects.filter(scope="all").values_list("answered", flat=True)) == 5
    # The results of pairs are none of it.
    assert "Nobody has played yet." in client.get("/turing/results/").content.decode()


def test_results_of_one_text_are_of_their_own_kind(client: Client, texts: list[PoemPair]) -> None:
    game = begin_game(client, start=TEXT)
    answers = [play_text(client, game, number, right=number != 2) for number in range(1, 6)]
    count_answers()
    assert Results.objects.get().kind == Kind.TEXT
    text = text_of(client.get("/turing/results/text/").content)
    assert "Share of right answers 80.0 %" in text
    humans = [one for one in answers if one.human_side == "left"]
    taken = sum(not one.is_right() for one in humans)
    if humans:
        assert f"Human texts taken for a machine’s {100 * taken / len(humans):.1f} %" in text
    assert client.get("/turing/results/text.json").json()["scopes"]["all"]["records"] == 5
    assert Client().get("/api/v1/turing/results/?kind=text").json()["scopes"]["all"]["records"] == 5
    assert Client().get("/api/v1/turing/results/?kind=chess").status_code == 400


def test_workers_are_asked_to_go_on_from_a_human_beginning_at_a_drawn_sentence(
    texts: list[PoemPair],
) -> None:
    (run,) = queue_pairs(12, method="inverse_prompting_st", boundary=True, seed=5)
    openings = {
        one.prompt_id: one.opening for one in RunPrompt.objects.filter(run=run.pk).select_related("prompt")
    }
    lengths = set()
    for human in run.humans.select_related("prompt"):
        assert human.text.replace("\n", "").startswith(openings[human.prompt_id])
        lengths.add(len(sentences(openings[human.prompt_id], "poem")))
    assert lengths == {1, 2, 3}


def test_a_text_that_does_not_begin_as_the_human_one_is_no_boundary(boundaries: list[PoemPair]) -> None:
    pair = PoemPair.objects.select_related("human__prompt", "machine__prompt").filter(takeover=3)[0]
    assert misplaced(pair.human, pair.machine, 3) == ""
    assert "another one before sentence 4" in misplaced(pair.human, pair.machine, 4)
    assert "is the human's own" in misplaced(pair.human, pair.machine, 2)
    assert "cannot begin at sentence 9" in misplaced(pair.human, pair.machine, 9)


def test_files_of_pairs_hold_boundaries(boundaries: list[PoemPair], tmp_path: Any) -> None:
    path = tmp_path / "pairs.jsonl"
    assert write_pairs(path, None).pairs == 12
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert sorted({row["takeover"] for row in rows}) == [2, 3, 4]
    beginning, end = "山中一夜雨，", "\n寒烟接古津，人归落雁前。"
    rows[0] |= {
        "human": f"{beginning}树杪百重泉。{end}",
        "machine": f"{beginning}独坐听松声。{end}",
        "takeover": 2,
        "source": "another",
    }
    path.write_text(json.dumps(rows[0], ensure_ascii=False) + "\n", encoding="utf-8")
    (made,) = import_pairs(path).pairs
    assert (made.takeover, made.number) == (2, 12)


@pytest.fixture
def as_carol(db: None) -> Client:
    carol = Client()
    carol.force_login(User.objects.create_user("carol", is_staff=True))
    return carol


def test_staff_have_texts_written_by_a_button_once_however_often_it_is_pressed(
    as_carol: Client, texts: list[PoemPair]
) -> None:
    page = as_carol.get("/turing/texts/").content.decode()
    nonce = re.findall('name="nonce" value="([^"]+)"', page)[0]
    body = {"boundary": "yes", "count": "3", "seed": "1", "nonce": nonce}
    for _ in range(2):
        assert as_carol.post("/turing/texts/", body).status_code == 302
    assert RunPrompt.objects.exclude(opening="").count() == 3
    told = text_of(as_carol.get("/turing/texts/").content)
    assert "3 texts are queued; each is put into play when it is finished." in told
    assert "3 texts are being written or wait for a worker." in told
    too_many = as_carol.post("/turing/texts/", {**body, "count": "5000", "nonce": ""})
    assert too_many.status_code == 400
    assert "import_quantangshi" in too_many.content.decode()
