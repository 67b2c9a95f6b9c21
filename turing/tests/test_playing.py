from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from turing.game import pages
from turing.models import Flag, Game, Genre, PoemPair, Round, Side, SourceText
from turing.tests.cast import address_of, begin_game, build_pairs, play_game, play_round

pytestmark = pytest.mark.usefixtures("pairs")


def body(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_a_game_is_played_to_its_end(client: Client) -> None:
    game = play_game(client, "rrwrr")
    page = body(client, f"/turing/games/{game.uuid}/")
    assert re.search(r'<h1 class="display">\s*4 of 5 right\s*</h1>', page)
    assert "●●○●●" in page
    assert "You are hard to take in." in page
    assert Round.objects.answered().count() == 5


def test_all_rounds_are_drawn_before_the_first_is_shown(client: Client) -> None:
    game = begin_game(client)
    rounds = game.rounds.all()
    assert sorted(one.number for one in rounds) == [1, 2, 3, 4, 5]
    assert len({one.pair_id for one in rounds}) == 5
    assert all(one.human_side in Side.values and one.shown_at is None for one in rounds)


def test_a_new_game_leads_to_its_first_round(client: Client) -> None:
    game = begin_game(client)
    assert client.get(f"/turing/games/{game.uuid}/").headers["Location"] == address_of(game, 1)


def test_the_truth_comes_after_the_choice_and_not_before(client: Client) -> None:
    game = begin_game(client)
    before = body(client, address_of(game, 1))
    assert "无名诗人" not in before
    assert "seal" not in re.sub(r"seal\.svg", "", before)
    play_round(client, game, 1)
    after = body(client, address_of(game, 1))
    assert "无名诗人" in after
    assert "Right." in after


def test_each_text_stands_on_its_drawn_side(client: Client) -> None:
    game = begin_game(client)
    for one in game.rounds.select_related("pair__human", "pair__machine").order_by("number"):
        page = body(client, address_of(game, one.number))
        sheets = page.split('class="sheet-of-text"')[1:]
        at = 0 if one.human_side == Side.LEFT else 1
        assert all(line in sheets[at] for line in one.pair.human.text.split("\n"))
        assert all(line in sheets[1 - at] for line in one.pair.machine.text.split("\n"))
        assert [sheet.count('value="left"') for sheet in sheets] == [1, 0]
        play_round(client, game, one.number)


def test_a_wrong_choice_is_said_to_be_wrong(client: Client) -> None:
    game = begin_game(client)
    one = play_round(client, game, 1, right=False)
    assert not one.is_right()
    assert "Wrong: that was the machine." in body(client, address_of(game, 1))


def test_a_second_choice_changes_nothing(client: Client) -> None:
    game = begin_game(client)
    first = play_round(client, game, 1)
    response = client.post(address_of(game, 1), {"choice": Side(str(first.human_side)).other})
    assert response.status_code == 302
    again = Round.objects.get(pk=first.pk)
    assert (again.choice, again.answered_at) == (first.choice, first.answered_at)


def test_a_choice_for_a_round_that_was_never_shown_is_not_stored(client: Client) -> None:
    game = begin_game(client)
    client.post(address_of(game, 1), {"choice": "left"})
    assert not Round.objects.answered().exists()


@pytest.mark.parametrize("sent", [{}, {"choice": "middle"}, {"choice": "left", "confidence": "9"}])
def test_what_is_no_choice_is_refused_with_the_page(client: Client, sent: dict[str, str]) -> None:
    game = begin_game(client)
    client.get(address_of(game, 1))
    response = client.post(address_of(game, 1), sent)
    assert response.status_code == 400
    assert "Press one of the two texts." in response.content.decode()
    assert not Round.objects.answered().exists()


def test_confidence_and_knowing_the_text_are_kept_where_they_are_said(client: Client) -> None:
    game = begin_game(client)
    said = play_round(client, game, 1, confidence="3", known="on")
    unsaid = play_round(client, game, 2)
    assert (said.confidence, said.known) == (3, True)
    assert (unsaid.confidence, unsaid.known) == (None, False)


def test_a_later_round_leads_back_to_the_one_to_be_played(client: Client) -> None:
    game = begin_game(client)
    assert client.get(address_of(game, 4)).headers["Location"] == address_of(game, 1)
    assert Round.objects.get(game=game, number=4).shown_at is None


def test_the_time_starts_when_the_round_is_first_shown(client: Client) -> None:
    game = begin_game(client)
    client.head(address_of(game, 1))
    assert Round.objects.get(game=game, number=1).shown_at is None
    client.get(address_of(game, 1))
    first = Round.objects.get(game=game, number=1).shown_at
    client.get(address_of(game, 1))
    assert Round.objects.get(game=game, number=1).shown_at == first


def test_a_game_that_is_not_finished_is_gone_on_with(client: Client) -> None:
    game = begin_game(client)
    play_round(client, game, 1)
    assert "Go on with your game" in body(client, "/turing/")
    assert begin_game(client) == game
    assert Game.objects.count() == 1


def test_a_game_is_found_by_nobody_else(client: Client, other_client: Client) -> None:
    game = begin_game(client)
    client.get(address_of(game, 1))
    begin_game(other_client)
    for address in (f"/turing/games/{game.uuid}/", address_of(game, 1)):
        assert other_client.get(address).status_code == 404
        assert Client().get(address).status_code == 404
    other_client.post(address_of(game, 1), {"choice": "left"})
    assert not Round.objects.answered().exists()


def test_a_round_takes_four_queries_from_first_sight_to_truth(client: Client) -> None:
    game = begin_game(client)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        play = client.get(address_of(game, 1))
        client.post(address_of(game, 1), {"choice": "left"})
        truth = client.get(address_of(game, 1))
    assert play.status_code == truth.status_code == 200
    assert len(queries) <= 4, [query["sql"][:80] for query in queries.captured_queries]


def test_the_share_of_right_answers_counts_all_who_had_the_pair(client: Client) -> None:
    PoemPair.objects.filter(number__gte=5).update(is_withdrawn=True)
    first = play_game(Client(), "rrrrr").rounds.get(number=1)
    play_game(Client(), "wwwww")
    game = begin_game(client)
    mine = game.rounds.get(pair=first.pair_id)
    for number in range(1, mine.number + 1):
        play_round(client, game, number, right=False)
    assert "33\N{NO-BREAK SPACE}% of 3 answers to this pair were right." in body(
        client, address_of(game, mine.number)
    )


def test_the_share_of_right_answers_is_of_so_many_that_a_round_costs_no_more_where_millions_had_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    PoemPair.objects.filter(number__gte=5).update(is_withdrawn=True)
    for _ in range(3):
        play_game(Client(), "rrrrr")
    monkeypatch.setattr(pages, "MOST_COUNTED", 2)
    game = begin_game(client)
    play_round(client, game, 1, right=True)
    assert "100\N{NO-BREAK SPACE}% of 2 answers to this pair were right." in body(client, address_of(game, 1))


def test_the_first_player_of_a_pair_is_told_so_whether_right_or_wrong(client: Client) -> None:
    game = begin_game(client)
    for number, right in ((1, True), (2, False)):
        play_round(client, game, number, right=right)
        assert "You are the first to choose between these two." in body(client, address_of(game, number))


def test_an_answer_in_under_two_seconds_is_kept_and_flagged(client: Client) -> None:
    game = begin_game(client)
    assert play_round(client, game, 1).flag == Flag.HASTY
    client.get(address_of(game, 2))
    slow = Round.objects.get(game=game, number=2)
    assert slow.shown_at is not None
    Round.objects.filter(pk=slow.pk).update(shown_at=slow.shown_at - timedelta(seconds=2))
    assert play_round(client, game, 2).flag == ""


def test_the_poet_is_named_with_the_dynasty(client: Client) -> None:
    SourceText.objects.update(author="王维", dynasty="唐")
    game = begin_game(client)
    play_round(client, game, 1)
    assert "〔唐〕王维" in body(client, address_of(game, 1))


def test_answers_to_questions_are_played_with_their_own_words(client: Client) -> None:
    build_pairs(5, genre=Genre.QA)
    assert "Play with answers" in body(client, "/turing/")
    game = begin_game(client, Genre.QA)
    page = body(client, address_of(game, 1))
    assert "Which answer did a human write?" in page
    assert "poem" not in page.lower()
    assert set(game.rounds.values_list("pair__genre", flat=True)) == {"qa"}


def test_without_pairs_nothing_can_be_begun(client: Client) -> None:
    PoemPair.objects.update(is_withdrawn=True)
    assert "There is nothing to play with yet." in body(client, "/turing/")
    response = client.post("/turing/", {"genre": "poem"}, follow=True)
    assert "There is nothing to play with yet." in response.content.decode()
    assert not Game.objects.exists()


def test_a_genre_that_does_not_exist_leads_back(client: Client) -> None:
    assert client.post("/turing/", {"genre": "song"}).headers["Location"] == "/turing/"


def test_the_home_page_has_a_door_to_the_game(client: Client) -> None:
    assert 'href="/turing/"' in body(client, "/")
