"""Counting answered rounds into the tallies: the only writer of them, so that each answer is counted exactly once.

The results are read from `RoundTally`, `PairTally`, `PlayerTally` and `DayTally`; what they mean is said there. They
are behind by the answers that nobody has counted yet (`Round.is_counted`): the workers count every few seconds
(evalsite/celery.py), and `count_answers` may be called at any time.
"""

from __future__ import annotations

from django.db import connection, transaction

from turing.models import ROUNDS_IN_GAME

BATCH = 20_000
# Any number that nothing else in this database locks.
LOCK = 7_305_001

OLDEST_DAY = """
SELECT (min(answered_at) AT TIME ZONE 'UTC')::date FROM turing_round WHERE NOT is_counted AND choice IS NOT NULL
"""

# One statement: every part reads the tallies as they were before it. An (old + new)² - old² is new (2 old + new).
COUNT = """
WITH claimed AS (
    UPDATE turing_round SET is_counted = true
    WHERE id IN (
        SELECT id FROM turing_round
        WHERE NOT is_counted AND choice IS NOT NULL
          AND answered_at < (%(day)s::date + 1)::timestamp AT TIME ZONE 'UTC'
        ORDER BY answered_at LIMIT %(limit)s
    )
    RETURNING id, game_id, number, pair_id, is_repeat, choice, human_side, flag
),
answer AS (
    SELECT scope.name AS scope, game.player_id, claimed.game_id, claimed.number, claimed.pair_id, claimed.is_repeat,
           (claimed.choice <> claimed.human_side)::int AS selected, (claimed.choice = 'left')::int AS chose_left
    FROM claimed
    JOIN turing_game game ON game.id = claimed.game_id
    JOIN (VALUES ('all'), ('unflagged')) AS scope (name) ON scope.name = 'all' OR claimed.flag = ''
),
by_pair AS (
    SELECT scope, pair_id, count(*) AS n, sum(selected) AS s FROM answer GROUP BY scope, pair_id
),
pair_growth AS (
    SELECT scope, count(*) FILTER (WHERE old.id IS NULL) AS new,
           sum(n * (2 * coalesce(old.answered, 0) + n)) AS nn,
           sum(n * coalesce(old.selected, 0) + s * coalesce(old.answered, 0) + n * s) AS ns,
           sum(s * (2 * coalesce(old.selected, 0) + s)) AS ss
    FROM by_pair LEFT JOIN turing_pairtally old USING (pair_id, scope) GROUP BY scope
),
pairs_saved AS (
    INSERT INTO turing_pairtally AS tally (pair_id, scope, answered, selected)
    SELECT pair_id, scope, n, s FROM by_pair
    ON CONFLICT (pair_id, scope) DO UPDATE
        SET answered = tally.answered + excluded.answered, selected = tally.selected + excluded.selected
),
completed AS (
    SELECT touched.scope, touched.player_id, max(round.answered_at) AS at,
           count(*) FILTER (WHERE round.choice <> round.human_side) AS selected
    FROM (SELECT DISTINCT scope, player_id, game_id FROM answer) touched
    JOIN turing_round round ON round.game_id = touched.game_id AND round.choice IS NOT NULL
        AND (touched.scope = 'all' OR round.flag = '')
        AND (round.is_counted OR round.id IN (SELECT id FROM claimed))
    GROUP BY touched.scope, touched.player_id, touched.game_id HAVING count(*) = %(rounds)s
),
first_game AS (
    SELECT DISTINCT ON (scope, player_id) scope, player_id, selected FROM completed ORDER BY scope, player_id, at
),
by_player AS (
    SELECT scope, player_id, count(*) AS n, sum(answer.selected) AS s, min(first_game.selected) AS first_selected
    FROM answer LEFT JOIN first_game USING (scope, player_id) GROUP BY scope, player_id
),
player_growth AS (
    SELECT scope, count(*) FILTER (WHERE old.id IS NULL) AS new,
           sum(n * (2 * coalesce(old.answered, 0) + n)) AS nn,
           sum(n * coalesce(old.selected, 0) + s * coalesce(old.answered, 0) + n * s) AS ns,
           sum(s * (2 * coalesce(old.selected, 0) + s)) AS ss,
           count(by_player.first_selected) FILTER (WHERE old.first_selected IS NULL) AS first_games,
           coalesce(sum(by_player.first_selected) FILTER (WHERE old.first_selected IS NULL), 0) AS first_selected,
           coalesce(sum(by_player.first_selected ^ 2) FILTER (WHERE old.first_selected IS NULL), 0) AS first_squares
    FROM by_player LEFT JOIN turing_playertally old USING (player_id, scope) GROUP BY scope
),
players_saved AS (
    INSERT INTO turing_playertally AS tally (player_id, scope, answered, selected, first_selected)
    SELECT player_id, scope, n, s, first_selected FROM by_player
    ON CONFLICT (player_id, scope) DO UPDATE
        SET answered = tally.answered + excluded.answered, selected = tally.selected + excluded.selected,
            first_selected = coalesce(tally.first_selected, excluded.first_selected)
),
by_both AS (
    SELECT scope, player_id, pair_id, count(*) AS n, sum(selected) AS s, bool_or(is_repeat) AS is_repeat
    FROM answer GROUP BY scope, player_id, pair_id
),
both_growth AS (
    SELECT scope, sum(by_both.n * (2 * old.n + by_both.n)) AS nn,
           sum(by_both.n * old.s + by_both.s * old.n + by_both.n * by_both.s) AS ns,
           sum(by_both.s * (2 * old.s + by_both.s)) AS ss
    FROM by_both CROSS JOIN LATERAL (
        -- Only a repeated pair can have an answer by this player already.
        SELECT count(*) AS n, count(*) FILTER (WHERE round.choice <> round.human_side) AS s
        FROM turing_game game JOIN turing_round round ON round.game_id = game.id
        WHERE by_both.is_repeat AND game.player_id = by_both.player_id AND round.pair_id = by_both.pair_id
          AND round.is_counted AND (by_both.scope = 'all' OR round.flag = '')
    ) old GROUP BY scope
),
rounds_saved AS (
    INSERT INTO turing_roundtally AS tally (day, number, scope, answered, selected, chose_left)
    SELECT %(day)s, number, scope, count(*), sum(selected), sum(chose_left) FROM answer GROUP BY number, scope
    ON CONFLICT (scope, day, number) DO UPDATE
        SET answered = tally.answered + excluded.answered, selected = tally.selected + excluded.selected,
            chose_left = tally.chose_left + excluded.chose_left
),
day_saved AS (
    INSERT INTO turing_daytally AS tally (
        day, scope, answered, selected, players, pairs, player_nn, player_ns, player_ss, pair_nn, pair_ns, pair_ss,
        both_nn, both_ns, both_ss, first_games, first_selected, first_selected_squares
    )
    SELECT %(day)s, scope, total.n, total.s, player.new, pair.new, player.nn, player.ns, player.ss, pair.nn, pair.ns,
           pair.ss, both_.nn, both_.ns, both_.ss, player.first_games, player.first_selected, player.first_squares
    FROM (SELECT scope, count(*) AS n, sum(selected) AS s FROM answer GROUP BY scope) total
    JOIN player_growth player USING (scope) JOIN pair_growth pair USING (scope) JOIN both_growth both_ USING (scope)
    ON CONFLICT (scope, day) DO UPDATE SET
        answered = tally.answered + excluded.answered, selected = tally.selected + excluded.selected,
        players = tally.players + excluded.players, pairs = tally.pairs + excluded.pairs,
        player_nn = tally.player_nn + excluded.player_nn, player_ns = tally.player_ns + excluded.player_ns,
        player_ss = tally.player_ss + excluded.player_ss, pair_nn = tally.pair_nn + excluded.pair_nn,
        pair_ns = tally.pair_ns + excluded.pair_ns, pair_ss = tally.pair_ss + excluded.pair_ss,
        both_nn = tally.both_nn + excluded.both_nn, both_ns = tally.both_ns + excluded.both_ns,
        both_ss = tally.both_ss + excluded.both_ss, first_games = tally.first_games + excluded.first_games,
        first_selected = tally.first_selected + excluded.first_selected,
        first_selected_squares = tally.first_selected_squares + excluded.first_selected_squares
)
SELECT count(*) FROM claimed
"""


def count_answers(batch: int = BATCH) -> int:
    """Add all answers not counted yet to the tallies and return how many; 0 while another process is counting."""
    total = 0
    while counted := _count_batch(batch):
        total += counted
    return total


@transaction.atomic
def _count_batch(limit: int) -> int:
    """Count at most `limit` answers of the oldest day that has any."""
    with connection.cursor() as cursor:
        # The statement after the lock sees what the last holder wrote, since each has a snapshot of its own.
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(OLDEST_DAY)
        (day,) = cursor.fetchone()
        if day is None:
            return 0
        cursor.execute(COUNT, {"day": day, "limit": limit, "rounds": ROUNDS_IN_GAME})
        return int(cursor.fetchone()[0])
