"""Every sum belongs to results, and every round is of a kind, which is drawn with it and stays."""

import django.db.models.deletion
from django.db import migrations, models

KINDS = [("pairs", "two texts"), ("text", "one text"), ("boundary", "where the machine begins")]
# What makes a sum the only one of its results.
ONCE = {
    "pairtally": ("pair_tally_once", ("results", "scope", "pair")),
    "playertally": ("player_tally_once", ("results", "scope", "player")),
    "roundtally": ("round_tally_once", ("results", "scope", "day", "number")),
    "daytally": ("day_tally_once", ("results", "scope", "day")),
}
STAYS = """
DROP TRIGGER drawn_round_stays ON turing_round;
CREATE TRIGGER drawn_round_stays BEFORE UPDATE ON turing_round FOR EACH ROW
    WHEN ((OLD.game_id, OLD.number, OLD.pair_id, OLD.human_side, OLD.is_repeat{old})
        IS DISTINCT FROM (NEW.game_id, NEW.number, NEW.pair_id, NEW.human_side, NEW.is_repeat{new}))
    EXECUTE FUNCTION turing_round_stays();
"""


def steps_of(name):
    constraint, fields = ONCE[name]
    return [
        migrations.AlterField(
            name,
            "results",
            models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="turing.results"
            ),
        ),
        migrations.RemoveConstraint(name, constraint),
        migrations.AddConstraint(name, models.UniqueConstraint(fields=fields, name=constraint)),
    ]


class Migration(migrations.Migration):
    dependencies = [("turing", "0003_results")]

    operations = [
        *(step for name in ONCE for step in steps_of(name)),
        migrations.AddField("round", "kind", models.CharField(choices=KINDS, default="pairs", max_length=8)),
        migrations.AddConstraint(
            "round",
            models.CheckConstraint(
                condition=models.Q(("kind__in", ["pairs", "text", "boundary"])), name="round_kind_known"
            ),
        ),
        migrations.RemoveIndex("round", "round_of_pair"),
        migrations.AddIndex(
            "round",
            models.Index(fields=["pair", "kind"], include=["choice", "human_side"], name="round_of_pair"),
        ),
        migrations.RunSQL(STAYS.format(old=", OLD.kind", new=", NEW.kind"), STAYS.format(old="", new="")),
    ]
