"""What players answered to pairs that they had not met before, counted beside all of their answers."""

from django.db import migrations, models
from django.db.models import F, Q

# As `turing.results.counting` counts from now on.
COUNT = """
UPDATE turing_playertally tally SET new_answered = found.n, new_selected = found.s
FROM (
    SELECT results.id AS results_id, scope.name AS scope, game.player_id, count(*) AS n,
           count(*) FILTER (WHERE coalesce(round.choice <> round.human_side, round.step <> round.takeover)) AS s
    FROM turing_round round
    JOIN turing_game game ON game.id = round.game_id
    LEFT JOIN turing_room room ON room.id = game.room_id
    JOIN turing_results results
        ON results.kind = round.kind
        AND (results.room_id = game.room_id OR results.room_id IS NULL AND room.is_simulated IS NOT TRUE)
    JOIN (VALUES ('all'), ('unflagged')) AS scope (name) ON scope.name = 'all' OR round.flag = ''
    WHERE round.is_counted AND NOT round.is_repeat
    GROUP BY results.id, scope.name, game.player_id
) found
WHERE tally.results_id = found.results_id AND tally.scope = found.scope AND tally.player_id = found.player_id
"""


class Migration(migrations.Migration):
    dependencies = [("turing", "0011_live_results")]

    operations = [
        migrations.AddField("playertally", "new_answered", models.PositiveIntegerField(db_default=0)),
        migrations.AddField("playertally", "new_selected", models.PositiveIntegerField(db_default=0)),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "playertally",
            models.CheckConstraint(
                condition=Q(new_selected__lte=F("new_answered"), new_answered__lte=F("answered")),
                name="player_tally_new",
            ),
        ),
    ]
