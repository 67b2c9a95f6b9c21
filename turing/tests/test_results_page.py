"""The page of the results: the sums for anybody, single pairs for staff only."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation

from turing.models import PoemPair, SourceText
from turing.tests.cast import build_pairs
from turing.tests.results_cast import Answered, published_game, record
from turing.tests.test_results import simulated

PAGE = "/turing/results/"
ROWS = ["/turing/rounds.csv", "/turing/rounds.jsonl", "/turing/pairs.csv", "/turing/pairs.jsonl"]


@pytest.fixture
def pairs(db: None) -> list[PoemPair]:
    return build_pairs(30)


@pytest.fixture
def as_carol(db: None) -> Client:
    carol = Client()
    carol.force_login(User.objects.create_user("carol", is_staff=True))
    return carol


def text_of(page: bytes) -> str:
    """Return what a reader sees, in a row."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.decode()).replace("\N{NO-BREAK SPACE}", " ").split())


def test_anybody_sees_the_published_totals(client: Client, pairs: list[PoemPair]) -> None:
    record(published_game(pairs))
    text = text_of(client.get(PAGE).content)
    assert "Records 4,592 4,592 Players 755 755" in text
    assert "Machine’s text selected 2,132 2,132 Human text selected 2,460 2,460" in text
    assert "Selection rate of the machine 46.4 % 46.4 % Selection rate of the human 53.6 % 53.6 %" in text
    # The golden intervals of the specification, as percentages.
    assert "Wilson’s 95 % interval 45.0 to 47.9 % 45.0 to 47.9 %" in text
    assert "95 % confidence sequence of the records 43.7 to 49.2 % 43.7 to 49.2 %" in text
    assert "e-value against one half 2,278.57 2,278.57" in text
    assert "less than one half: they can tell." in text


def test_page_says_nothing_of_single_pairs_to_players(client: Client, pairs: list[PoemPair]) -> None:
    # A poet of one pair would be a single pair too.
    SourceText.objects.filter(candidate=pairs[0].human_id).update(author="只此一首")
    record(simulated(pairs))
    told = b"".join(
        client.get(address).content
        for address in (PAGE, f"{PAGE}live/", "/turing/results.json", "/turing/results.csv")
    ).decode()
    assert "无名诗人" in told
    assert "只此一首" not in told
    for pair in pairs:
        assert pair.human.prompt.text not in told
        assert pair.human.text not in told and pair.machine.text not in told


def test_staff_see_the_hardest_and_the_easiest_pairs(as_carol: Client, pairs: list[PoemPair]) -> None:
    record(simulated(pairs))
    text = text_of(as_carol.get(PAGE).content)
    assert "Hardest pairs" in text and "Easiest pairs" in text
    assert sum(pair.human.prompt.text in text for pair in pairs) >= 20


@pytest.mark.parametrize("address", ROWS)
def test_rows_are_for_staff(client: Client, as_carol: Client, pairs: list[PoemPair], address: str) -> None:
    assert client.get(address).status_code == 302
    player = Client()
    player.force_login(User.objects.create_user("alice"))
    assert player.get(address).status_code == 404
    assert as_carol.get(address).status_code == 200


@pytest.mark.parametrize("address", ["/turing/results.xml", "/turing/rounds.json", "/turing/games.csv"])
def test_unknown_file_is_not_found(as_carol: Client, address: str) -> None:
    assert as_carol.get(address).status_code == 404


@pytest.mark.parametrize("address", [PAGE, f"{PAGE}live/", "/turing/results.json", "/turing/rounds.csv"])
def test_results_are_only_read(as_carol: Client, address: str) -> None:
    assert as_carol.post(address).status_code == 405


def test_page_before_the_first_answer_says_how_to_begin(client: Client, db: None) -> None:
    page = client.get(PAGE).content.decode()
    assert "Nobody has played yet." in page
    assert 'href="/turing/"' in page
    assert client.get("/turing/results.json").json()["scopes"]["all"]["selection_rate"] is None


def test_first_answers_have_a_page_of_dashes_and_no_error(client: Client, pairs: list[PoemPair]) -> None:
    record(simulated(pairs, players=1)[:2])
    text = text_of(client.get(PAGE).content)
    assert "Nothing to say yet No player has completed a game yet." in text
    assert "95 % interval, clustered by player and pair –" in text


def test_live_part_changes_with_every_counted_answer(client: Client, pairs: list[PoemPair]) -> None:
    rounds = simulated(pairs, players=8)
    record(rounds[:10])
    states = [
        re.findall('data-state="([^"]+)"', client.get(f"{PAGE}live/").content.decode()) for _ in range(2)
    ]
    assert states[0] == states[1]
    record([one for one in simulated(pairs, players=9, seed=8) if one.player == 8 and one.number == 1])
    assert re.findall('data-state="([^"]+)"', client.get(f"{PAGE}live/").content.decode()) != states[0]


def test_page_has_no_style_or_script_of_its_own(as_carol: Client, pairs: list[PoemPair]) -> None:
    record(simulated(pairs))
    page = as_carol.get(PAGE).content.decode()
    assert not re.search(r"<style|\sstyle=|<script(?![^>]* src=)|\son\w+=", page)


def test_page_takes_the_same_number_of_queries_however_much_was_played(
    client: Client, pairs: list[PoemPair], django_assert_num_queries: pytest.FixtureRequest
) -> None:
    for rounds in (simulated(pairs, players=3), []):
        record(rounds)
        with django_assert_num_queries(5):  # type: ignore[operator]
            client.get(PAGE)
        with django_assert_num_queries(2):  # type: ignore[operator]
            client.get(f"{PAGE}live/")


def test_words_are_of_the_reader(client: Client, pairs: list[PoemPair]) -> None:
    record(simulated(pairs))
    with translation.override("zh-hans"):
        expected = translation.gettext("Selection rate of the machine")
    page = client.get(PAGE, headers={"Accept-Language": "zh-CN"}).content.decode()
    assert '<html lang="zh-hans">' in page
    assert expected in page


def test_one_player_is_one_in_the_words_under_the_plot(client: Client, pairs: list[PoemPair]) -> None:
    rounds = [Answered(0, 0, place + 1, pairs[place], selected=False) for place in range(5)]
    record(rounds)
    text = text_of(client.get("/turing/results/").content)
    assert "from the first completed game of one player. Dashed" in text
    record([Answered(1, 0, place + 1, pairs[place], selected=False) for place in range(5)])
    text = text_of(client.get("/turing/results/").content)
    assert "from the first completed games of 2 players. Dashed" in text
