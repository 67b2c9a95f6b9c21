"""Pairs, rounds and tallies of a game by SQL, right by construction, and the same figures counted from the rounds."""

from __future__ import annotations

PAIRS = [
    """
    INSERT INTO generation_prompt (genre, text, description, external_id, parts, turns, tags)
    SELECT %(genre_of_prompt)s, '题' || n, '', '', '[]'::jsonb, '[]'::jsonb, '{}'::jsonb
    FROM generate_series(1, %(pairs)s) n
    """,
    """
    INSERT INTO generation_candidate (run_id, prompt_id, text, notes)
    SELECT run.id, prompt.id,
           CASE WHEN %(genre)s = 'chat' THEN 'Q: ' || prompt.text || E'\\nA: 我是' || run.id || '号。'
                ELSE prompt.text || '第一句，这是第二句。' || E'\\n第三句' || run.id || '号，这是第四句。' END,
           '{}'::jsonb
    FROM generation_prompt prompt, generation_generationrun run
    """,
    # The poets are as unequal as those of the Quan Tang Shi: half of the pairs are of the first one in sixteen.
    """
    INSERT INTO turing_sourcetext (source_id, title, author, dynasty, form, text, original_title, original_author,
                                   original_text, candidate_id)
    SELECT 'bench-' || id, '题', '诗人' || floor(400 * power(random(), 4)), '唐',
           (ARRAY['jueju5', 'jueju7', 'lushi5', 'lushi7', 'old-style'])[1 + id %% 5], '文', '', '', '', id
    FROM generation_candidate WHERE run_id = %(human)s
    """,
    """
    INSERT INTO turing_poempair (genre, number, human_id, machine_id, is_withdrawn, is_trio, takeover)
    SELECT %(genre)s, row_number() OVER (ORDER BY human.id) - 1, human.id, machine.id, false, %(genre)s = 'chat',
           CASE WHEN %(kind)s = 'boundary' THEN 2 + human.id %% 3 END
    FROM generation_candidate human JOIN generation_candidate machine USING (prompt_id)
    WHERE human.run_id = %(human)s AND machine.run_id = %(machine)s
    """,
]
ROUNDS = [
    # What is filled in here is right by construction, and half of the time would go into checking it.
    """
    DO $$ DECLARE found record; BEGIN
        FOR found IN SELECT conrelid::regclass AS of_table, conname FROM pg_constraint
            WHERE contype = 'f' AND conrelid::regclass::text IN ('turing_round', 'turing_game')
        LOOP EXECUTE format('ALTER TABLE %%s DROP CONSTRAINT %%I', found.of_table, found.conname); END LOOP;
    END $$
    """,
    "INSERT INTO turing_player (token_hash) SELECT lpad(to_hex(n), 64, '0') FROM generate_series(1, %(players)s) n",
    """
    INSERT INTO turing_game (uuid, player_id, origin)
    SELECT gen_random_uuid(), player.id, left(md5((player.id / 3)::text), 16)
    FROM turing_player player, generate_series(1, %(rounds_of_player)s / 5)
    ORDER BY player.id
    """,
    # A player plays on one day and has no pair twice: 17 is prime to the numbers of pairs that are asked for.
    """
    INSERT INTO turing_round (game_id, number, pair_id, human_side, is_repeat, shown_at, choice, answered_at, known,
                              flag, is_counted, kind, confidence, takeover, step)
    SELECT drawn.game_id, drawn.number, pair.id, CASE WHEN pair.takeover IS NULL THEN drawn.human_side END, false,
           drawn.at - interval '9 seconds',
           CASE WHEN pair.takeover IS NOT NULL THEN NULL
                WHEN drawn.luck < 0.36 + 0.2 * (pair.number * 37 %% 101) / 101.0
                THEN CASE drawn.human_side WHEN 'left' THEN 'right' ELSE 'left' END ELSE drawn.human_side END,
           drawn.at, false, CASE WHEN drawn.hasty < 0.05 THEN 'hasty' ELSE '' END, true, %(kind)s,
           CASE WHEN drawn.hasty < 0.7 THEN 1 + floor(3 * drawn.luck) ELSE NULL END, pair.takeover,
           pair.takeover + CASE WHEN drawn.luck < 0.5 + 0.2 * (pair.number * 37 %% 101) / 101.0
                                THEN 1 + floor(2 * drawn.luck)::int ELSE 0 END
    FROM (
        SELECT game.id AS game_id, number, (game.id * 5 + number) * 17 %% %(pairs)s AS pair,
               CASE WHEN random() < 0.5 THEN 'left' ELSE 'right' END AS human_side, random() AS luck, random() AS hasty,
               '2026-01-01 08:00Z'::timestamptz + (game.player_id * %(days)s / (%(players)s + 1)) * interval '1 day'
                   + (game.id %% 4 * 5 + number) * interval '10 seconds' AS at
        FROM turing_game game, generate_series(1, 5) number
    ) drawn JOIN turing_poempair pair ON pair.number = drawn.pair
    """,
]
# Each answered round in each scope that it is in.
ANSWERS = """
SELECT results.id AS results_id, scope.name AS scope, game.player_id, answered.game_id, answered.number,
       answered.pair_id,
       (answered.answered_at AT TIME ZONE 'UTC')::date AS day,
       coalesce(answered.choice <> answered.human_side, answered.step <> answered.takeover)::int AS selected,
       coalesce(answered.choice = 'left', false)::int AS chose_left, answered.takeover, answered.step,
       coalesce(8 * (answered.human_side = 'right')::int + 4 * (answered.choice = 'right')::int, 0)
           + coalesce(answered.confidence, 0) AS cell
FROM turing_round answered JOIN turing_game game ON game.id = answered.game_id
JOIN turing_results results ON results.kind = answered.kind
JOIN (VALUES ('all'), ('unflagged')) AS scope (name) ON scope.name = 'all' OR answered.flag = ''
WHERE answered.answered_at IS NOT NULL
"""
CELLS = 16
PER_CELL = ", ".join(f"count(*) FILTER (WHERE cell = {cell})" for cell in range(CELLS))
SUMS = ", ".join(f"sum(cells[{i}]::bigint)" for i in range(1, CELLS + 1))
PRODUCTS = ", ".join(
    f"sum(cells[{i}]::bigint * cells[{j}])" for i in range(1, CELLS + 1) for j in range(i, CELLS + 1)
)
TALLIES = [
    "INSERT INTO turing_results (kind, figures, start, measured) VALUES (%(kind)s, '{}', '{}', 0)",
    f"CREATE TEMPORARY TABLE answer AS {ANSWERS}",
    """
    INSERT INTO turing_pairtally (results_id, pair_id, scope, answered, selected)
    SELECT results_id, pair_id, scope, count(*), sum(selected) FROM answer GROUP BY results_id, pair_id, scope
    """,
    """
    INSERT INTO turing_roundtally (results_id, day, number, scope, answered, selected, chose_left)
    SELECT results_id, day, number, scope, count(*), sum(selected), sum(chose_left)
    FROM answer GROUP BY results_id, day, number, scope
    """,
    f"""
    INSERT INTO turing_playertally (
        results_id, player_id, scope, answered, selected, new_answered, new_selected, first_selected, cells
    )
    SELECT results_id, player_id, scope, n, s, n, s, first_selected, cells FROM (
        SELECT results_id, player_id, scope, sum(n) AS n, sum(s) AS s,
               (array_agg(s ORDER BY game_id) FILTER (WHERE n = 5))[1] AS first_selected
        FROM (
            SELECT results_id, player_id, scope, game_id, count(*) AS n, sum(selected) AS s
            FROM answer GROUP BY results_id, player_id, scope, game_id
        ) of_game GROUP BY results_id, player_id, scope
    ) of_player JOIN (
        SELECT player_id, scope, ARRAY[{PER_CELL}] AS cells FROM answer GROUP BY player_id, scope
    ) of_cells USING (player_id, scope)
    """,  # noqa: S608
    f"""
    INSERT INTO turing_celltally (results_id, scope, cells, products)
    SELECT results_id, scope, ARRAY[{SUMS}], ARRAY[{PRODUCTS}] FROM turing_playertally GROUP BY results_id, scope
    """,  # noqa: S608
    # A pair's sums at the end of a day, less those at the end of the day before: what the day has added.
    """
    INSERT INTO turing_daytally (
        results_id, day, scope, answered, selected, players, pairs, player_nn, player_ns, player_ss, pair_nn,
        pair_ns, pair_ss, both_nn, both_ns, both_ss, first_games, first_selected, first_selected_squares
    )
    SELECT (SELECT id FROM turing_results), day, scope, by_pair.n, by_pair.s, by_player.clusters,
           by_pair.clusters, by_player.nn, by_player.ns,
           by_player.ss, by_pair.nn, by_pair.ns, by_pair.ss, by_pair.n, by_pair.s, by_pair.s,
           by_player.games, by_player.first, by_player.squares
    FROM (
        SELECT day, scope, sum(n) AS n, sum(s) AS s, count(*) FILTER (WHERE all_n = n) AS clusters,
               sum(all_n ^ 2 - (all_n - n) ^ 2) AS nn, sum(all_n * all_s - (all_n - n) * (all_s - s)) AS ns,
               sum(all_s ^ 2 - (all_s - s) ^ 2) AS ss
        FROM (
            SELECT day, scope, n, s, sum(n) OVER upto AS all_n, sum(s) OVER upto AS all_s FROM (
                SELECT day, scope, pair_id, count(*) AS n, sum(selected) AS s FROM answer GROUP BY day, scope, pair_id
            ) of_day WINDOW upto AS (PARTITION BY scope, pair_id ORDER BY day)
        ) of_pair GROUP BY day, scope
    ) by_pair JOIN (
        SELECT day, scope, count(*) AS clusters, sum(answered ^ 2) AS nn, sum(answered * selected) AS ns,
               sum(selected ^ 2) AS ss, count(first_selected) AS games, coalesce(sum(first_selected), 0) AS first,
               coalesce(sum(first_selected ^ 2), 0) AS squares
        FROM turing_playertally JOIN (SELECT DISTINCT player_id, day FROM answer) played USING (player_id)
        GROUP BY day, scope
    ) by_player USING (day, scope)
    """,
    """
    INSERT INTO turing_boundarytally (results_id, scope, takeover, said, answered)
    SELECT results_id, scope, takeover, step, count(*) FROM answer WHERE takeover IS NOT NULL
    GROUP BY results_id, scope, takeover, step
    """,
    """
    INSERT INTO turing_origintally (results_id, scope, of, origin, games, selected, squares)
    SELECT results_id, scope, 'address', origin, count(*), sum(first_selected), sum(first_selected ^ 2)
    FROM turing_playertally JOIN (SELECT DISTINCT player_id, origin FROM turing_game) game USING (player_id)
    WHERE first_selected IS NOT NULL GROUP BY results_id, scope, origin
    """,
    "DROP TABLE answer",
]
CLUSTERS = f"""
SELECT scope, count(*), sum(n ^ 2), sum(n * s), sum(s ^ 2), sum(n), sum(s)
FROM (SELECT scope, count(*) AS n, sum(selected) AS s FROM ({ANSWERS}) answer GROUP BY scope, %s) of_cluster
GROUP BY scope
"""  # noqa: S608 - put together from constants
BY_FORM = f"""
SELECT scope, coalesce(form, ''), count(*), sum(selected)
FROM ({ANSWERS}) answer JOIN turing_poempair pair ON pair.id = pair_id
JOIN turing_sourcetext source ON source.candidate_id = pair.human_id GROUP BY scope, form
"""  # noqa: S608
BY_ROUND = f"""
SELECT scope, number, count(*), sum(selected), sum(chose_left) FROM ({ANSWERS}) answer GROUP BY scope, number
"""  # noqa: S608
