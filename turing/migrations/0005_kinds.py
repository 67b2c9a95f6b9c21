"""Rounds of one text and of a boundary, and pairs whose machine text begins as the human one."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

SCOPES = [("all", "all records"), ("unflagged", "without flagged records")]
SIDES = [("left", "on the left"), ("right", "on the right")]
# What was drawn, and what is set when a round is answered; the step goes on by one sentence at a time until then.
DRAWN_BEFORE = "game_id number pair_id human_side is_repeat kind"
DRAWN = f"{DRAWN_BEFORE} takeover"
SAID_BEFORE = "choice shown_at answered_at confidence known flag"
SAID = f"{SAID_BEFORE} step"


def row(fields, of):
    return f"({', '.join(f'{of}.{name}' for name in fields.split())})"


def guards(drawn, said, answered):
    return f"""
    DROP TRIGGER drawn_round_stays ON turing_round;
    DROP TRIGGER answered_round_stays ON turing_round;
    CREATE TRIGGER drawn_round_stays BEFORE UPDATE ON turing_round FOR EACH ROW
        WHEN ({row(drawn, "OLD")} IS DISTINCT FROM {row(drawn, "NEW")}) EXECUTE FUNCTION turing_round_stays();
    CREATE TRIGGER answered_round_stays BEFORE UPDATE ON turing_round FOR EACH ROW
        WHEN (OLD.{answered} IS NOT NULL AND {row(said, "OLD")} IS DISTINCT FROM {row(said, "NEW")})
        EXECUTE FUNCTION turing_round_stays();
    """


STEPS = """
CREATE FUNCTION turing_steps_by_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'round % goes on by one sentence at a time', OLD.id USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER round_steps_by_one BEFORE UPDATE ON turing_round FOR EACH ROW
    WHEN (NEW.step IS DISTINCT FROM OLD.step AND NEW.step <> OLD.step + 1) EXECUTE FUNCTION turing_steps_by_one();
"""
NO_STEPS = "DROP TRIGGER round_steps_by_one ON turing_round; DROP FUNCTION turing_steps_by_one;"


def changed(model, name, condition):
    return [
        migrations.RemoveConstraint(model, name),
        migrations.AddConstraint(model, models.CheckConstraint(condition=condition, name=name)),
    ]


class Migration(migrations.Migration):
    dependencies = [("turing", "0004_results_of_rounds")]

    operations = [
        migrations.CreateModel(
            name="BoundaryTally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("scope", models.CharField(choices=SCOPES, max_length=9)),
                ("takeover", models.PositiveSmallIntegerField()),
                ("said", models.PositiveSmallIntegerField()),
                ("answered", models.PositiveIntegerField()),
                (
                    "results",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="turing.results",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("results", "scope", "takeover", "said"), name="boundary_tally_once"
                    ),
                    models.CheckConstraint(
                        condition=Q(("scope__in", ["all", "unflagged"])), name="boundary_tally_scope_known"
                    ),
                ],
            },
        ),
        migrations.AddField("poempair", "takeover", models.PositiveSmallIntegerField(editable=False, null=True)),
        migrations.RemoveConstraint("poempair", "pair_number_once"),
        migrations.AddConstraint(
            "poempair",
            models.UniqueConstraint(
                condition=Q(("takeover__isnull", True)), fields=("genre", "number"), name="pair_number_once"
            ),
        ),
        migrations.AddConstraint(
            "poempair",
            models.UniqueConstraint(
                condition=Q(("takeover__isnull", False)), fields=("genre", "number"), name="boundary_number_once"
            ),
        ),
        migrations.AddConstraint(
            "poempair", models.CheckConstraint(condition=Q(("takeover__gte", 2)), name="pair_begins_human")
        ),
        migrations.AlterField("round", "human_side", models.CharField(choices=SIDES, max_length=5, null=True)),
        migrations.AddField("round", "takeover", models.PositiveSmallIntegerField(null=True)),
        migrations.AddField("round", "step", models.PositiveSmallIntegerField(null=True)),
        *changed(
            "round",
            "round_choice_has_time",
            Q(choice__isnull=True, answered_at__isnull=True, known__isnull=True)
            | Q(choice__isnull=False, answered_at__isnull=False, known__isnull=False)
            | Q(kind="boundary", answered_at__isnull=False, known__isnull=False),
        ),
        *changed(
            "round",
            "round_confidence_with_choice",
            Q(confidence__isnull=True) | Q(answered_at__isnull=False),
        ),
        *changed(
            "round", "round_counted_if_answered", Q(is_counted=False) | Q(answered_at__isnull=False)
        ),
        migrations.AddConstraint(
            "round",
            models.CheckConstraint(
                condition=Q(
                    kind="boundary",
                    human_side__isnull=True,
                    choice__isnull=True,
                    takeover__gte=2,
                    step__gte=2,
                    takeover__isnull=False,
                    step__isnull=False,
                )
                | Q(~Q(kind="boundary"), human_side__isnull=False, takeover__isnull=True, step__isnull=True),
                name="round_is_of_its_kind",
            ),
        ),
        migrations.RemoveIndex("round", "round_of_pair"),
        migrations.AddIndex(
            "round",
            models.Index(
                fields=["pair", "kind"],
                include=["answered_at", "choice", "human_side", "step", "takeover"],
                name="round_of_pair",
            ),
        ),
        migrations.RemoveIndex("round", "round_uncounted"),
        migrations.AddIndex(
            "round",
            models.Index(
                fields=["answered_at"],
                condition=Q(is_counted=False, answered_at__isnull=False),
                name="round_uncounted",
            ),
        ),
        migrations.RunSQL(
            guards(DRAWN, SAID, "answered_at"), guards(DRAWN_BEFORE, SAID_BEFORE, "choice")
        ),
        migrations.RunSQL(STEPS, NO_STEPS),
    ]
