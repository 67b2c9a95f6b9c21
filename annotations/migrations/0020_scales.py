"""Scales from 0, below 0 and downwards, scores with decimals, and studies that ask for no best text.

`criterion_zero_is_no_score` goes: it kept every scale above 0, because the platform this follows stored a cleared star
as 0. That 0 is refused all the same where the scale begins at 1 (`rating_fits`); on a slider from 0 to 100, or where
faults are counted, 0 is a score like others.
"""

from django.db import migrations, models

import annotations.models.numbers

# PostgreSQL changes no type of a column that a trigger names.
KEEPS_SCALE = """
CREATE TRIGGER rated_criterion_keeps_scale
    BEFORE UPDATE OF minimum, maximum, {columns}study_id ON annotations_criterion FOR EACH ROW
    WHEN ((OLD.minimum, OLD.maximum, {old}OLD.study_id) IS DISTINCT FROM
          (NEW.minimum, NEW.maximum, {new}NEW.study_id))
    EXECUTE FUNCTION annotations_rated_criterion_keeps_scale();
"""
KEEPS_SCALE_BEFORE = KEEPS_SCALE.format(columns="", old="", new="")
KEEPS_SCALE_NOW = KEEPS_SCALE.format(
    columns="lower_is_better, ", old="OLD.lower_is_better, ", new="NEW.lower_is_better, "
)
NO_KEEPS_SCALE = "DROP TRIGGER rated_criterion_keeps_scale ON annotations_criterion"

WHOLE = """
CREATE FUNCTION annotations_rating_is_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT source FROM annotations_enrolment WHERE id = NEW.enrolment_id) <> 'imported' THEN
        RAISE EXCEPTION 'only an imported record may hold a score with decimals: %', NEW.score
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rating_is_whole BEFORE INSERT OR UPDATE ON annotations_rating FOR EACH ROW
    WHEN (NEW.score <> floor(NEW.score)) EXECUTE FUNCTION annotations_rating_is_whole();
"""
NO_WHOLE = "DROP TRIGGER rating_is_whole ON annotations_rating; DROP FUNCTION annotations_rating_is_whole();"

# Where only ratings were imported nobody was asked for a pick.
WITHOUT_PICKS = """
UPDATE annotations_study study SET has_best_picks = false
WHERE EXISTS (SELECT FROM annotations_enrolment WHERE study_id = study.id)
  AND NOT EXISTS (SELECT FROM annotations_enrolment WHERE study_id = study.id AND source <> 'imported')
  AND NOT EXISTS (
      SELECT FROM annotations_bestchoice choice JOIN annotations_enrolment one ON one.id = choice.enrolment_id
      WHERE one.study_id = study.id)
"""


class Migration(migrations.Migration):
    dependencies = [("annotations", "0019_rendering_and_languages")]

    operations = [
        migrations.RunSQL(NO_KEEPS_SCALE, KEEPS_SCALE_BEFORE),
        migrations.RemoveConstraint(model_name="criterion", name="criterion_zero_is_no_score"),
        *(
            migrations.AlterField("criterion", name, annotations.models.numbers.NumberField(default=default))
            for name, default in (("minimum", 1), ("maximum", 5))
        ),
        migrations.AddField("criterion", "lower_is_better", models.BooleanField(default=False)),
        migrations.RunSQL(KEEPS_SCALE_NOW, NO_KEEPS_SCALE),
        migrations.AddConstraint(
            "criterion",
            models.CheckConstraint(
                condition=models.Q(minimum__gte=-1_000_000_000, maximum__lte=1_000_000_000),
                name="criterion_scale_within_bounds",
            ),
        ),
        migrations.AlterField("rating", "score", annotations.models.numbers.NumberField()),
        migrations.AddConstraint(
            "rating",
            models.CheckConstraint(
                condition=models.Q(score__gte=-1_000_000_000, score__lte=1_000_000_000),
                name="rating_score_within_bounds",
            ),
        ),
        migrations.AlterField("answerchange", "score", annotations.models.numbers.NumberField(null=True)),
        migrations.RunSQL(WHOLE, NO_WHOLE),
        migrations.AddField(
            "study",
            "has_best_picks",
            models.BooleanField(default=True, verbose_name="Ask for the best text of each page"),
        ),
        migrations.RunSQL(WITHOUT_PICKS, migrations.RunSQL.noop),
    ]
