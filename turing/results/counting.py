"""Counting answered rounds into the tallies: the only writer of them, so that each answer is counted exactly once.

The results are read from `RoundTally`, `PairTally`, `PlayerTally`, `CellTally` and `DayTally`; what they mean is said
there. They are behind by the answers that nobody has counted yet (`Round.is_counted`): the workers count every few
seconds (evalsite/celery.py), and `count_answers` may be called at any time.
"""

from __future__ import annotations

from django.db import connection, transaction

from turing.models import ROUNDS_IN_GAME
from turing.models.tallies import CELLS

BATCH = 20_000
# Any number that nothing else in this database locks.
LOCK = 7_305_001

# The machine's text was taken for the human one, or the boundary not found to the sentence.
WRONG = "coalesce({0}.choice <> {0}.human_side, {0}.step <> {0}.takeover)"

OLDEST_DAY = """
SELECT (min(answered_at) AT TIME ZONE 'UTC')::date FROM turing_round WHERE NOT is_counted AND answered_at IS NOT NULL
"""

# The results of a kind, or a room, are there once one of its rounds is answered.
UNCOUNTED = "FROM turing_round WHERE NOT is_counted AND answered_at IS NOT NULL"
RESULTS = f"""
INSERT INTO turing_results (kind, figures, start, measured)
SELECT DISTINCT kind, '{{}}'::jsonb, '{{}}'::jsonb, 0 {UNCOUNTED}
ON CONFLICT (kind) WHERE room_id IS NULL DO NOTHING
"""
RESULTS_OF_ROOMS = f"""
INSERT INTO turing_results (kind, room_id, figures, start, measured)
SELECT room.kind, room.id, '{{}}'::jsonb, '{{}}'::jsonb, 0 FROM turing_room room
WHERE room.id IN (SELECT room_id FROM turing_game WHERE id IN (SELECT game_id {UNCOUNTED}))
ON CONFLICT (room_id) DO NOTHING
"""

# The answers that this call counts: they are marked, so that nobody counts them again.
CLAIMED = """
UPDATE turing_round SET is_counted = true
WHERE id IN (
    SELECT id FROM turing_round
    WHERE NOT is_counted AND answered_at IS NOT NULL
      AND answered_at < (%(day)s::date + 1)::timestamp AT TIME ZONE 'UTC'
    ORDER BY answered_at LIMIT %(limit)s
)
RETURNING id, game_id, number, kind, pair_id, is_repeat, choice, human_side, takeover, step,
          confidence, flag
"""

# One row for each of them in each of the results and each scope that it is in.
ANSWER = f"""
SELECT results.id AS results_id, scope.name AS scope, game.player_id, claimed.game_id, claimed.number,
       claimed.pair_id, claimed.is_repeat, {WRONG.format("claimed")}::int AS selected, claimed.takeover, claimed.step,
       coalesce(claimed.choice = 'left', false)::int AS chose_left,
       8 * (claimed.human_side = 'right')::int + 4 * (claimed.choice = 'right')::int
           + coalesce(claimed.confidence, 0) AS cell
FROM claimed
JOIN turing_game game ON game.id = claimed.game_id
LEFT JOIN turing_room room ON room.id = game.room_id
JOIN turing_results results
    ON results.kind = claimed.kind
    AND (results.room_id = game.room_id OR results.room_id IS NULL AND room.is_simulated IS NOT TRUE)
JOIN (VALUES ('all'), ('unflagged')) AS scope (name) ON scope.name = 'all' OR claimed.flag = ''
"""

# For each pair: n new answers with s selections, and how many there were before.
BY_PAIR = """
SELECT results_id, scope, pair_id, n, s, old.id IS NULL AS is_new,
       coalesce(old.answered, 0) AS old_n, coalesce(old.selected, 0) AS old_s
FROM (
    SELECT results_id, scope, pair_id, count(*) AS n, sum(selected) AS s
    FROM answer GROUP BY results_id, scope, pair_id
) found
LEFT JOIN turing_pairtally old USING (results_id, scope, pair_id)
"""

# The games that are complete with these answers, and the selections in each.
COMPLETED = f"""
SELECT touched.results_id, touched.scope, touched.player_id, touched.game_id, max(round.answered_at) AS completed_at,
       count(*) FILTER (WHERE {WRONG.format("round")}) AS selected
FROM (SELECT DISTINCT results_id, scope, player_id, game_id FROM answer) touched
JOIN turing_round round ON round.game_id = touched.game_id AND round.answered_at IS NOT NULL
    AND (touched.scope = 'all' OR round.flag = '')
    AND (round.is_counted OR round.id IN (SELECT id FROM claimed))
GROUP BY touched.results_id, touched.scope, touched.player_id, touched.game_id HAVING count(*) = %(rounds)s
"""

FIRST_GAME = """
SELECT DISTINCT ON (results_id, scope, player_id) results_id, scope, player_id, selected, game_id
FROM completed ORDER BY results_id, scope, player_id, completed_at
"""

# For each player as for each pair, with the answers by cell, and the selections in their first game if it was completed
# just now.
BY_PLAYER = f"""
SELECT results_id, scope, player_id, n, s, new_n, new_s, found.cells, old.id IS NULL AS is_new,
       coalesce(old.answered, 0) AS old_n, coalesce(old.selected, 0) AS old_s,
       coalesce(old.cells::bigint[], array_fill(0::bigint, ARRAY[{CELLS}])) AS old_cells,
       CASE WHEN old.first_selected IS NULL THEN first_game.selected END AS first_selected,
       first_game.game_id AS first_game_id
FROM (
    SELECT results_id, scope, player_id, count(*) AS n, sum(selected) AS s,
           count(*) FILTER (WHERE NOT is_repeat) AS new_n,
           count(*) FILTER (WHERE NOT is_repeat AND selected = 1) AS new_s,
           ARRAY[{", ".join(f"count(*) FILTER (WHERE cell = {cell})" for cell in range(CELLS))}] AS cells
    FROM answer GROUP BY results_id, scope, player_id
) found
LEFT JOIN first_game USING (results_id, scope, player_id)
LEFT JOIN turing_playertally old USING (results_id, scope, player_id)
"""

# For each cell, which is a player and a pair together; only a repeated pair can have an answer by this player already.
BY_CELL = f"""
SELECT results_id, scope, found.n, found.s, old.n AS old_n, old.s AS old_s
FROM (
    SELECT results_id, scope, player_id, pair_id, count(*) AS n, sum(selected) AS s, bool_or(is_repeat) AS is_repeat
    FROM answer GROUP BY results_id, scope, player_id, pair_id
) found
JOIN turing_results results ON results.id = found.results_id
CROSS JOIN LATERAL (
    SELECT count(*), count(*) FILTER (WHERE {WRONG.format("round")})
    FROM turing_game game JOIN turing_round round ON round.game_id = game.id
    WHERE found.is_repeat AND game.player_id = found.player_id AND round.pair_id = found.pair_id
      AND round.kind = results.kind
      AND (results.room_id IS NULL OR results.room_id = game.room_id)
      AND round.is_counted AND (found.scope = 'all' OR round.flag = '')
) AS old (n, s)
"""

# By how much the sums over clusters of n², n s and s² grow: (old + new)² - old² is new (2 old + new).
GROWTH = """
sum(n * (2 * old_n + n)) AS nn,
sum(n * old_s + s * old_n + n * s) AS ns,
sum(s * (2 * old_s + s)) AS ss
"""

# The same growth for the products of the counts in two cells of a player, in the order of `CellTally.products`.
PRODUCT_GROWTH = ", ".join(
    f"sum(cells[{i}] * (old_cells[{j}] + cells[{j}]) + old_cells[{i}] * cells[{j}])"
    for i in range(1, CELLS + 1)
    for j in range(i, CELLS + 1)
)
CELL_GROWTH = ", ".join(f"sum(cells[{cell}])" for cell in range(1, CELLS + 1))

# The first games of players who had none before.
FIRST_GAMES = """
count(first_selected) AS first_games,
coalesce(sum(first_selected), 0) AS first_selected,
coalesce(sum(first_selected ^ 2), 0) AS first_squares
"""

DAY_SUMS = {
    "answered": "total.n",
    "selected": "total.s",
    "players": "player.new",
    "pairs": "pair.new",
    **{f"player_{name}": f"player.{name}" for name in ("nn", "ns", "ss")},
    **{f"pair_{name}": f"pair.{name}" for name in ("nn", "ns", "ss")},
    **{f"both_{name}": f"cell.{name}" for name in ("nn", "ns", "ss")},
    "first_games": "player.first_games",
    "first_selected": "player.first_selected",
    "first_selected_squares": "player.first_squares",
}


def adding(*sums: str) -> str:
    """Return what an upsert into a tally sets: each sum grows by what is inserted."""
    return ", ".join(f"{name} = tally.{name} + excluded.{name}" for name in sums)


def adding_arrays(*sums: str) -> str:
    """Return what an upsert into a tally sets of arrays: each place grows by what is inserted."""
    return ", ".join(
        f"{name} = ARRAY(SELECT old + new FROM unnest(tally.{name}, excluded.{name}) WITH ORDINALITY"
        f" AS places (old, new, place) ORDER BY place)"
        for name in sums
    )


# What is read and written in turn, all in one statement: every part reads the tallies as they were before it.
PARTS = {
    "claimed": CLAIMED,
    "answer": ANSWER,
    "total": "SELECT results_id, scope, count(*) AS n, sum(selected) AS s FROM answer GROUP BY results_id, scope",
    "by_pair": BY_PAIR,
    "completed": COMPLETED,
    "first_game": FIRST_GAME,
    "by_player": BY_PLAYER,
    "by_cell": BY_CELL,
    "pair": f"""
        SELECT results_id, scope, count(*) FILTER (WHERE is_new) AS new, {GROWTH}
        FROM by_pair GROUP BY results_id, scope
    """,
    "player": f"""
        SELECT results_id, scope, count(*) FILTER (WHERE is_new) AS new, {GROWTH}, {FIRST_GAMES}
        FROM by_player GROUP BY results_id, scope
    """,
    "cell": f"SELECT results_id, scope, {GROWTH} FROM by_cell GROUP BY results_id, scope",
    "pairs_saved": f"""
        INSERT INTO turing_pairtally AS tally (results_id, scope, pair_id, answered, selected)
        SELECT results_id, scope, pair_id, n, s FROM by_pair
        ON CONFLICT (results_id, scope, pair_id) DO UPDATE SET {adding("answered", "selected")}
    """,
    "players_saved": f"""
        INSERT INTO turing_playertally AS tally (
            results_id, scope, player_id, answered, selected, new_answered, new_selected, first_selected, cells
        )
        SELECT results_id, scope, player_id, n, s, new_n, new_s, first_selected, cells FROM by_player
        ON CONFLICT (results_id, scope, player_id)
        DO UPDATE SET {adding("answered", "selected", "new_answered", "new_selected")}, {adding_arrays("cells")},
            first_selected = coalesce(tally.first_selected, excluded.first_selected)
    """,
    "cells_saved": f"""
        INSERT INTO turing_celltally AS tally (results_id, scope, cells, products)
        SELECT results_id, scope, ARRAY[{CELL_GROWTH}], ARRAY[{PRODUCT_GROWTH}]
        FROM by_player GROUP BY results_id, scope
        ON CONFLICT (results_id, scope) DO UPDATE SET {adding_arrays("cells", "products")}
    """,
    "boundaries_saved": f"""
        INSERT INTO turing_boundarytally AS tally (results_id, scope, takeover, said, answered)
        SELECT results_id, scope, takeover, step, count(*)
        FROM answer WHERE takeover IS NOT NULL GROUP BY results_id, scope, takeover, step
        ON CONFLICT (results_id, scope, takeover, said) DO UPDATE SET {adding("answered")}
    """,
    "origins_saved": f"""
        INSERT INTO turing_origintally AS tally (results_id, scope, of, origin, games, selected, squares)
        SELECT results_id, scope, source.of, source.origin, count(*), sum(first_selected), sum(first_selected ^ 2)
        FROM by_player JOIN turing_game game ON game.id = first_game_id
        CROSS JOIN LATERAL (
            VALUES ('address', nullif(game.origin, '')), ('room', game.room_id::text)
        ) AS source (of, origin)
        WHERE first_selected IS NOT NULL AND source.origin IS NOT NULL
        GROUP BY results_id, scope, source.of, source.origin
        ON CONFLICT (results_id, scope, of, origin) DO UPDATE SET {adding("games", "selected", "squares")}
    """,
    "rounds_saved": f"""
        INSERT INTO turing_roundtally AS tally (results_id, scope, day, number, answered, selected, chose_left)
        SELECT results_id, scope, %(day)s, number, count(*), sum(selected), sum(chose_left)
        FROM answer GROUP BY results_id, scope, number
        ON CONFLICT (results_id, scope, day, number) DO UPDATE SET {adding("answered", "selected", "chose_left")}
    """,
    "day_saved": f"""
        INSERT INTO turing_daytally AS tally (results_id, scope, day, {", ".join(DAY_SUMS)})
        SELECT results_id, scope, %(day)s, {", ".join(DAY_SUMS.values())}
        FROM total JOIN player USING (results_id, scope) JOIN pair USING (results_id, scope)
            JOIN cell USING (results_id, scope)
        ON CONFLICT (results_id, scope, day) DO UPDATE SET {adding(*DAY_SUMS)}
    """,
}
COUNT = (
    "WITH " + ",".join(f"{name} AS ({sql})" for name, sql in PARTS.items()) + "SELECT count(*) FROM claimed"
)


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
        cursor.execute(RESULTS)
        cursor.execute(RESULTS_OF_ROOMS)
        cursor.execute(COUNT, {"day": day, "limit": limit, "rounds": ROUNDS_IN_GAME})
        return int(cursor.fetchone()[0])
