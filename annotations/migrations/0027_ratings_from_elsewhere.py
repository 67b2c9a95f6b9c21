"""Ratings that were collected elsewhere, a million in a minute.

The rules of a rating are looked at once a statement instead of once a row, and what a key of two columns holds is no
longer held a second time by a key of each.
"""

from importlib import import_module

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import annotations.models.numbers

guards = import_module("annotations.migrations.0002_guards")
scales = import_module("annotations.migrations.0020_scales")

# A score is on its scale unless an imported record says that it is not, and whole unless it is imported.
RATINGS_FIT = """
CREATE FUNCTION annotations_ratings_fit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    SELECT added.enrolment_id, added.criterion_id, added.score, added.off_scale,
           criterion.id AS known, criterion.minimum, criterion.maximum, enrolment.source INTO wrong
    FROM added
    LEFT JOIN annotations_enrolment enrolment ON enrolment.id = added.enrolment_id
    LEFT JOIN annotations_criterion criterion
        ON criterion.id = added.criterion_id AND criterion.study_id = enrolment.study_id
    WHERE criterion.id IS NULL
       OR (added.score BETWEEN criterion.minimum AND criterion.maximum) = added.off_scale
       OR (enrolment.source <> 'imported' AND (added.off_scale OR added.score <> floor(added.score)))
    LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF wrong.known IS NULL THEN
        RAISE EXCEPTION 'criterion % is not of the study of enrolment %', wrong.criterion_id, wrong.enrolment_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF wrong.off_scale AND wrong.source <> 'imported' THEN
        RAISE EXCEPTION 'only an imported record may hold a score off its scale' USING ERRCODE = 'check_violation';
    END IF;
    IF (wrong.score BETWEEN wrong.minimum AND wrong.maximum) = wrong.off_scale THEN
        RAISE EXCEPTION 'score % does not fit the scale % to % (off_scale is %)',
            wrong.score, wrong.minimum, wrong.maximum, wrong.off_scale USING ERRCODE = 'check_violation';
    END IF;
    RAISE EXCEPTION 'only an imported record may hold a score with decimals: %', wrong.score
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER ratings_inserted_fit AFTER INSERT ON annotations_rating
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION annotations_ratings_fit();
CREATE TRIGGER ratings_updated_fit AFTER UPDATE ON annotations_rating
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION annotations_ratings_fit();
DROP TRIGGER rating_fits ON annotations_rating;
DROP FUNCTION annotations_rating_fits();
DROP TRIGGER rating_is_whole ON annotations_rating;
DROP FUNCTION annotations_rating_is_whole();
"""
RATINGS_FIT_BACK = f"""
DROP TRIGGER ratings_inserted_fit ON annotations_rating;
DROP TRIGGER ratings_updated_fit ON annotations_rating;
DROP FUNCTION annotations_ratings_fit();
{guards.RATING_FITS}
{scales.WHOLE}
"""
# A score again is of a text that its evaluator rated by that criterion: it goes where the rating goes.
REPEATS = """
ALTER TABLE annotations_repeatedrating ADD CONSTRAINT repeated_rating_of_rated_text
    FOREIGN KEY (enrolment_id, candidate_id, criterion_id)
    REFERENCES annotations_rating (enrolment_id, candidate_id, criterion_id) DEFERRABLE INITIALLY DEFERRED
"""
NO_REPEATS = "ALTER TABLE annotations_repeatedrating DROP CONSTRAINT repeated_rating_of_rated_text"



class Migration(migrations.Migration):

    dependencies = [
        ('annotations', '0026_bounds_on_fields'),
        ('generation', '0009_held_out_losses'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='placement',
            name='candidate',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, to='generation.candidate'),
        ),
        migrations.AlterField(
            model_name='placement',
            name='page',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, to='annotations.page'),
        ),
        migrations.AlterField(
            model_name='rating',
            name='candidate',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, to='generation.candidate'),
        ),
        migrations.AlterField(
            model_name='rating',
            name='enrolment',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='ratings', to='annotations.enrolment'),
        ),
        migrations.CreateModel(
            name='RatingImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('ratings', 'ratings of single texts'), ('pairs', 'comparisons of two texts')], default='ratings', max_length=7)),
                ('files', models.JSONField()),
                ('reading', models.JSONField()),
                ('summary', models.JSONField()),
                ('digest', models.CharField(max_length=64)),
                ('names_evaluators', models.BooleanField(default=True)),
                ('has_positions', models.BooleanField(default=False)),
                ('everybody_counts', models.BooleanField(default=True)),
                ('imported_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('imported_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('study', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='rating_import', to='annotations.study')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['ratings', 'pairs'])), name='rating_import_kind_known'), models.CheckConstraint(condition=models.Q(('digest__regex', '^[0-9a-f]{64}$')), name='rating_import_digest_is_sha256')],
            },
        ),
        migrations.CreateModel(
            name='RepeatedRating',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('score', annotations.models.numbers.NumberField()),
                ('candidate', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='generation.candidate')),
                ('criterion', models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, to='annotations.criterion')),
                ('enrolment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='repeated_ratings', to='annotations.enrolment')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('enrolment', 'candidate', 'criterion', 'number'), name='repeated_rating_once'), models.CheckConstraint(condition=models.Q(('number__gte', 2)), name='repeated_rating_follows_the_first'), models.CheckConstraint(condition=models.Q(('score__gte', -1000000000), ('score__lte', 1000000000)), name='repeated_rating_within_bounds')],
            },
        ),
        migrations.RunSQL(REPEATS, NO_REPEATS),
        migrations.RunSQL(RATINGS_FIT, RATINGS_FIT_BACK),
    ]
