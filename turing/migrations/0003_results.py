"""Results by kind of game, and the answers of each player by what was shown, said and how sure."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

KINDS = [("pairs", "two texts"), ("text", "one text"), ("boundary", "where the machine begins")]
SCOPES = [("all", "all records"), ("unflagged", "without flagged records")]
CELLS = 16

# What was counted before had no cells: they are counted here, once.
CELL = """
8 * (round.human_side = 'right')::int + 4 * (round.choice = 'right')::int + coalesce(round.confidence, 0)
"""
COUNTS = ", ".join(f"count(*) FILTER (WHERE cell = {cell})" for cell in range(CELLS))
FILL_PLAYERS = f"""
UPDATE turing_playertally tally SET cells = found.cells
FROM (
    SELECT player_id, scope, ARRAY[{COUNTS}] AS cells
    FROM (
        SELECT game.player_id, scope.name AS scope, {CELL} AS cell
        FROM turing_round round JOIN turing_game game ON game.id = round.game_id
        JOIN (VALUES ('all'), ('unflagged')) AS scope (name) ON scope.name = 'all' OR round.flag = ''
        WHERE round.is_counted
    ) answer GROUP BY player_id, scope
) found
WHERE tally.player_id = found.player_id AND tally.scope = found.scope
"""  # noqa: S608 - put together from constants
SUMS = ", ".join(f"sum(cells[{i}]::bigint)" for i in range(1, CELLS + 1))
PRODUCTS = ", ".join(
    f"sum(cells[{i}]::bigint * cells[{j}])" for i in range(1, CELLS + 1) for j in range(i, CELLS + 1)
)
FILL_CELLS = f"""
INSERT INTO turing_celltally (results_id, scope, cells, products)
SELECT results_id, scope, ARRAY[{SUMS}], ARRAY[{PRODUCTS}] FROM turing_playertally GROUP BY results_id, scope
"""  # noqa: S608
TALLIES = ("pairtally", "playertally", "roundtally", "daytally")


def make_results(apps, schema_editor):
    """Make the results of what was counted before, all of which is of pairs."""
    if apps.get_model("turing", "DayTally").objects.exists():
        results = apps.get_model("turing", "Results").objects.create(kind="pairs")
        for name in TALLIES:
            apps.get_model("turing", name).objects.update(results=results)


def results_key(**options):
    return models.ForeignKey(
        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="turing.results", **options
    )


def cells_field(**options):
    return django.contrib.postgres.fields.ArrayField(
        base_field=models.PositiveIntegerField(), size=CELLS, **options
    )


def big_array(size):
    return django.contrib.postgres.fields.ArrayField(base_field=models.PositiveBigIntegerField(), size=size)


class Migration(migrations.Migration):
    dependencies = [("turing", "0002_guards")]

    operations = [
        migrations.CreateModel(
            name="Results",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=KINDS, max_length=8)),
                ("figures", models.JSONField(default=dict)),
                ("start", models.JSONField(default=dict)),
                ("measured", models.PositiveBigIntegerField(default=0)),
                ("measured_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("kind",), name="results_once"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["pairs", "text", "boundary"])), name="results_kind_known"
                    ),
                ],
            },
        ),
        *(migrations.AddField(name, "results", results_key(null=True)) for name in TALLIES),
        migrations.AddField("playertally", "cells", cells_field(default=[0] * CELLS), preserve_default=False),
        migrations.CreateModel(
            name="CellTally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("scope", models.CharField(choices=SCOPES, max_length=9)),
                ("cells", big_array(CELLS)),
                ("products", big_array(136)),
                ("results", results_key()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("results", "scope"), name="cell_tally_once"),
                    models.CheckConstraint(
                        condition=models.Q(("scope__in", ["all", "unflagged"])), name="cell_tally_scope_known"
                    ),
                ],
            },
        ),
        migrations.RunPython(make_results, migrations.RunPython.noop),
        migrations.RunSQL(FILL_PLAYERS, migrations.RunSQL.noop),
        migrations.RunSQL(FILL_CELLS, migrations.RunSQL.noop),
    ]
