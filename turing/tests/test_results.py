"""The results are those of the rounds, though only the tallies are read; published totals give golden numbers."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from stats.game.selection import SelectionRate, first_game_shares, selection_rate, side_bias, wilson_interval
from stats.game.selection import SelectionRecords as Records
from stats.sequences import share_sequence
from turing.models import Flag, Form, PoemPair, Round, Scope, SourceText
from turing.results.figures import FEWEST_PAIRS_OF_POET, breakdown, extreme_pairs, live_results
from turing.tests.cast import build_pairs
from turing.tests.results_cast import Answered, published_game, record


@pytest.fixture
def pairs(db: None) -> list[PoemPair]:
    return build_pairs(20)


def simulated(pairs: list[PoemPair], players: int = 70, seed: int = 4) -> list[Answered]:
    """Return one to three games of each player; some are broken off, some rounds flagged, some pairs seen again."""
    rng = random.Random(seed)
    ease = [rng.gauss(0, 0.15) for _ in pairs]
    rounds, game = [], 0
    for player in range(players):
        seen: set[int] = set()
        for _ in range(rng.randint(1, 3)):
            drawn = rng.sample(range(len(pairs)), 5 if rng.random() < 0.8 else 3)
            for number, pair in enumerate(drawn, start=1):
                rounds.append(
                    Answered(
                        player=player,
                        game=game,
                        number=number,
                        pair=pairs[pair],
                        selected=rng.random() < 0.4 + ease[pair],
                        chose_left=rng.random() < 0.6,
                        flag=Flag.HASTY if rng.random() < 0.1 else "",
                        day=player // 20,
                        is_repeat=pair in seen,
                    )
                )
            seen.update(drawn)
            game += 1
    return rounds


def as_records(rounds: list[Answered]) -> Records:
    columns = [
        np.array(column)
        for column in zip(
            *(
                (one.player, one.pair.pk, one.game, one.number, one.selected, one.chose_left)
                for one in rounds
            ),
            strict=True,
        )
    ]
    return Records(*columns)


def in_scope(rounds: list[Answered], scope: Scope) -> list[Answered]:
    return rounds if scope == Scope.ALL else [one for one in rounds if not one.flag]


def rate_of(rounds: list[Answered]) -> SelectionRate:
    records = as_records(rounds)
    return selection_rate(records.selected, records.players, records.pairs)


def test_published_totals_give_the_published_rate_and_the_golden_interval(pairs: list[PoemPair]) -> None:
    record(published_game(pairs))
    found = live_results().scopes[Scope.ALL]
    assert (found.rate.players, found.rate.total, found.rate.selected) == (755, 4592, 2132)
    assert found.rate.rate == pytest.approx(0.4643, abs=5e-5)
    # The figures of the specification, to the digits it prints.
    assert found.rate.wilson == pytest.approx((0.449897, 0.478734), abs=5e-7)
    assert found.rate.exact_p == pytest.approx(1.382541e-6, rel=5e-7)
    assert np.exp(found.log_e) == pytest.approx(2278.57, abs=5e-3)
    assert found.record_sequence.ci == pytest.approx((0.43686, 0.49185), abs=5e-6)
    assert found.rate.d_prime == pytest.approx(0.1268, abs=5e-5)
    assert found.sequence.units == 755
    assert found.verdict == "distinguishable"


@pytest.mark.parametrize("scope", Scope)
def test_rate_is_that_of_the_rounds(pairs: list[PoemPair], scope: Scope) -> None:
    rounds = simulated(pairs)
    record(rounds)
    found, expected = live_results().scopes[scope].rate, rate_of(in_scope(rounds, scope))
    assert found.clustered is not None and expected.clustered is not None
    for name in ("selected", "total", "players", "pairs", "rate", "wilson", "exact_p", "d_prime"):
        assert getattr(found, name) == getattr(expected, name)
    for name in ("se_first", "se_second", "se_iid", "df"):
        assert getattr(found.clustered, name) == pytest.approx(getattr(expected.clustered, name), rel=1e-9)
    # Larger by the repeats that are not counted, in its third digit at most.
    assert expected.clustered.se <= found.clustered.se < expected.clustered.se * 1.005


@pytest.mark.parametrize("scope", Scope)
def test_sequence_is_that_of_the_first_completed_games(pairs: list[PoemPair], scope: Scope) -> None:
    rounds = simulated(pairs)
    record(rounds)
    found = live_results().scopes[scope]
    shares = first_game_shares(as_records(in_scope(rounds, scope)))
    expected = share_sequence(shares)
    assert (found.sequence.units, found.sequence.method) == (len(shares), "asymptotic")
    assert found.sequence.ci == pytest.approx(expected.ci, rel=1e-9)


def test_each_day_has_the_sequence_of_its_end(pairs: list[PoemPair]) -> None:
    rounds = simulated(pairs)
    record(rounds)
    moments = live_results().scopes[Scope.ALL].moments
    assert [moment.day.isoformat() for moment in moments] == [f"2026-03-0{day}" for day in (1, 2, 3, 4)]
    for number, moment in enumerate(moments):
        shares = first_game_shares(as_records([one for one in rounds if one.day <= number]))
        assert moment.sequence.ci == pytest.approx(share_sequence(shares).ci, rel=1e-9)


def test_flagged_records_are_left_out_of_one_scope_only(pairs: list[PoemPair]) -> None:
    one = Answered(player=0, game=0, number=1, pair=pairs[0], selected=True)
    record([one, replace(one, number=2, pair=pairs[1], flag=Flag.MANY)])
    live = live_results()
    assert live.flagged == 1
    assert [live.scopes[scope].rate.total for scope in Scope] == [2, 1]


def test_nothing_answered_has_no_rate(db: None) -> None:
    live, parts = live_results(), breakdown()
    assert live.scopes[Scope.ALL].rate.rate is None
    assert live.scopes[Scope.ALL].sequence.ci == (0.0, 1.0)
    assert live.scopes[Scope.ALL].moments == ()
    assert (parts.by_form, parts.by_poet, parts.by_round) == ((), (), ())
    assert extreme_pairs(live)[Scope.ALL].hardest == ()


def test_forms_come_in_their_order_with_their_own_records(pairs: list[PoemPair]) -> None:
    SourceText.objects.filter(candidate__in=[pair.human_id for pair in pairs[:5]]).update(form=Form.LUSHI7)
    rounds = simulated(pairs)
    record(rounds)
    groups = breakdown().by_form
    assert [(group.key, group.pairs) for group in groups] == [("jueju5", 15), ("lushi7", 5)]
    for scope in Scope:
        of_lushi = [one for one in in_scope(rounds, scope) if one.pair in pairs[:5]]
        share = groups[1].shares[scope]
        assert (share.selected, share.total) == (sum(one.selected for one in of_lushi), len(of_lushi))


def test_interval_of_a_form_is_robust_to_pairs(pairs: list[PoemPair]) -> None:
    # Two pairs of 400 records with 172 and 188 selections, of 800 players: se = .02, t with one degree of freedom.
    record(
        Answered(player, player, 1, pairs[player % 2], selected=player // 2 < (172, 188)[player % 2])
        for player in range(800)
    )
    share = breakdown().by_form[0].shares[Scope.ALL]
    assert share.rate == 0.45
    assert share.ci == pytest.approx((0.45 - 12.706205 * 0.02, 0.45 + 12.706205 * 0.02), abs=1e-6)


def test_poet_of_few_pairs_is_not_named(pairs: list[PoemPair]) -> None:
    few, enough = pairs[: FEWEST_PAIRS_OF_POET - 1], pairs[5 : 5 + FEWEST_PAIRS_OF_POET]
    SourceText.objects.update(author="")
    for poet, of_poet in (("少", few), ("足", enough)):
        SourceText.objects.filter(candidate__in=[pair.human_id for pair in of_poet]).update(author=poet)
    record(simulated(pairs))
    assert [(group.key, group.pairs) for group in breakdown().by_poet] == [("足", FEWEST_PAIRS_OF_POET)]


def test_rounds_and_sides_are_counted_by_scope(pairs: list[PoemPair]) -> None:
    rounds = simulated(pairs)
    record(rounds)
    parts = breakdown()
    assert [group.key for group in parts.by_round] == ["1", "2", "3", "4", "5"]
    for scope in Scope:
        kept = in_scope(rounds, scope)
        fourth = [one for one in kept if one.number == 4]
        share = parts.by_round[3].shares[scope]
        assert (share.selected, share.total) == (sum(one.selected for one in fourth), len(fourth))
        assert share.ci == wilson_interval(share.selected, share.total)
        assert parts.left.shares[scope].rate == side_bias(as_records(kept)).estimate


def test_two_lucky_answers_do_not_make_a_pair_the_hardest(pairs: list[PoemPair]) -> None:
    lucky = [Answered(player, player, 1, pairs[0], selected=True) for player in range(2)]
    hard = [Answered(player, player, 1, pairs[1], selected=player % 20 > 0) for player in range(10, 110)]
    easy = [Answered(player, player, 1, pairs[2], selected=player % 20 == 0) for player in range(200, 300)]
    record(lucky + hard + easy)
    found = extreme_pairs(live_results())[Scope.ALL]
    assert [pair.total for pair in found.hardest] == [100, 2, 100]
    assert (found.hardest[0].title, found.hardest[0].rate) == (pairs[1].human.prompt.text, 0.95)
    # Of so few pairs none is left over for the other list.
    assert found.easiest == ()


def test_no_pair_is_both_hard_and_easy(pairs: list[PoemPair]) -> None:
    rounds = simulated(pairs)
    record(rounds)
    found = extreme_pairs(live_results())[Scope.UNFLAGGED]
    of_hardest = [one for one in rounds if one.pair.number == found.hardest[0].number and not one.flag]
    assert found.hardest[0].total == len(of_hardest)
    assert found.hardest[0].selected == sum(one.selected for one in of_hardest)
    numbers = [pair.number for pair in (*found.hardest, *found.easiest)]
    assert len(numbers) == len(set(numbers)) == 20


def test_queries_do_not_grow_with_what_was_played(pairs: list[PoemPair]) -> None:
    def queries() -> list[str]:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            live = live_results()
            breakdown()
            extreme_pairs(live)
        return [query["sql"] for query in captured.captured_queries]

    record(simulated(pairs, players=5))
    few = queries()
    record([replace(one, player=one.player + 1000) for one in simulated(pairs, players=60, seed=9)])
    many = queries()
    assert len(few) == len(many) == 2 + 2 + 5
    assert not [sql for sql in many if Round._meta.db_table + '"' in sql]
