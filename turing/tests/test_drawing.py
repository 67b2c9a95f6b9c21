from __future__ import annotations

from collections import Counter
from random import Random

import pytest
import scipy.stats
from django.contrib.auth.models import User
from django.test import Client

from turing.game.play import NoPairs, draw_pairs, draw_rounds
from turing.game.players import hash_of
from turing.models import Chat, Game, Kind, Player, PoemPair, Round
from turing.rooms.rooms import open_room
from turing.tests.cast import build_conversations, build_pairs, play_game
from turing.tests.live_cast import begun


@pytest.fixture
def player(db: None) -> Player:
    return Player.objects.create(token_hash=hash_of("token"))


def drawn(player: Player, rng: Random, genre: str = "poem") -> list[tuple[int, bool]]:
    """Draw a game's pairs and keep them as seen."""
    game = Game.objects.create(player=player)
    draw_rounds(game, genre, "", rng)
    return list(game.rounds.order_by("number").values_list("pair", "is_repeat"))


def test_no_pair_comes_again_while_others_remain(player: Player) -> None:
    build_pairs(23)
    rng = Random(1)
    games = [drawn(player, rng) for _ in range(5)]
    seen = [pair for game in games for pair, _ in game]
    assert len(set(seen[:20])) == 20
    # Three are left for the fifth game; the other two come again, and are marked.
    assert Counter(is_repeat for _, is_repeat in games[4]) == {False: 3, True: 2}
    assert all(not is_repeat for game in games[:4] for _, is_repeat in game)
    assert {pair for pair, is_repeat in games[4] if not is_repeat}.isdisjoint(seen[:20])


def test_the_other_players_games_do_not_matter(player: Player) -> None:
    build_pairs(5)
    drawn(Player.objects.create(token_hash=hash_of("other")), Random(1))
    assert all(not is_repeat for _, is_repeat in drawn(player, Random(2)))


def test_all_players_of_an_account_count_as_one(player: Player, alice: object) -> None:
    build_pairs(10)
    Player.objects.update(user=alice)
    first = drawn(player, Random(1))
    laptop = Player.objects.create(token_hash=hash_of("laptop"), user=alice)  # type: ignore[misc]
    assert {pair for pair, _ in first}.isdisjoint(pair for pair, _ in drawn(laptop, Random(2)))


@pytest.mark.parametrize("kind", [Kind.CHATS, Kind.CHAT])
@pytest.mark.parametrize("role", ["interrogator", "witness"])
def test_nobody_is_asked_about_a_conversation_that_they_held(alice: User, kind: Kind, role: str) -> None:
    pairs = build_conversations(6)
    _chat, *seats = begun(1)
    Chat.objects.update(pair=pairs[0])
    who = next(seat.player for seat in seats if seat.role == role)
    stranger = Player.objects.create(token_hash=hash_of("stranger"), user=alice)
    room = open_room("Course", kind, "chat", pairs=6)
    own = pairs[0].pk
    for player, may in ((who, False), (stranger, True)):
        met = set()
        for seed in range(12):
            for inside in (None, room):
                met |= {pair for pair, _ in draw_pairs(player, "chat", Random(seed), kind=kind, room=inside)}
        assert (own in met) == may
    # Nor where pairs must come again, nor by another device of the account.
    game = Game.objects.create(player=who)
    draw_rounds(game, "chat", "", Random(1), kind)
    again = draw_pairs(who, "chat", Random(2), kind=kind)
    assert all(repeated for _, repeated in again) and own not in {pair for pair, _ in again}
    Player.objects.filter(pk=who.pk).update(user=alice)
    assert own not in {pair for pair, _ in draw_pairs(stranger, "chat", Random(3), kind=kind)}
    pairs[1].is_withdrawn = True
    pairs[1].save()
    with pytest.raises(NoPairs):
        draw_pairs(stranger, "chat", Random(4), kind=kind)


def test_every_pair_is_as_likely_as_any_other(player: Player) -> None:
    build_pairs(40)
    # Numbers that are not in play must not favour their neighbours.
    PoemPair.objects.filter(number__in=[3, 4, 5, 20]).update(is_withdrawn=True)
    rng = Random(5)
    counts = Counter(pair for _ in range(400) for pair, _ in draw_pairs(player, "poem", rng))
    assert len(counts) == 36
    assert scipy.stats.chisquare(list(counts.values())).pvalue > 0.01


def test_sides_are_drawn_by_chance(player: Player) -> None:
    build_pairs(5)
    rng = Random(7)
    for _ in range(120):
        drawn(player, rng)
    left = Round.objects.filter(human_side="left").count()
    assert scipy.stats.binomtest(left, 600).pvalue > 0.01


def test_withdrawn_pairs_and_other_genres_are_not_drawn(player: Player) -> None:
    pairs = build_pairs(12)
    PoemPair.objects.filter(number__lt=7).update(is_withdrawn=True)
    in_play = {pair.pk for pair in pairs[7:]}
    assert {pair for pair, _ in draw_pairs(player, "poem", Random(3))} == in_play


def test_fewer_pairs_than_rounds_make_no_game(player: Player) -> None:
    build_pairs(4)
    with pytest.raises(NoPairs):
        draw_pairs(player, "poem", Random(1))


def test_drawing_from_many_pairs_takes_two_queries(player: Player, django_assert_num_queries: object) -> None:
    build_pairs(60)
    with django_assert_num_queries(2):  # type: ignore[operator]
        draw_pairs(player, "poem", Random(1))


def test_a_player_meets_every_pair_once_before_any_twice(client: Client, db: None) -> None:
    build_pairs(15)
    games = [play_game(client) for _ in range(3)]
    assert Round.objects.filter(game__in=games).values("pair").distinct().count() == 15
