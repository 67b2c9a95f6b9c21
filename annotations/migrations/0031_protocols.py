"""What evaluators are asked on a page is a study's protocol, and blocks of a prompt's texts may share a page."""

import annotations.models.bounds
import annotations.protocols.table
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

# What spans tables: the criterion is of the study of the enrolment, and the texts stand on the evaluator's page.
JUDGEMENT_FITS = """
CREATE FUNCTION annotations_judgement_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    texts integer;
BEGIN
    SELECT count(*) INTO texts FROM annotations_placement
    WHERE enrolment_id = NEW.enrolment_id AND page_id = NEW.page_id;
    IF texts = 0 THEN
        RAISE EXCEPTION 'page % is none of enrolment %', NEW.page_id, NEW.enrolment_id USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (
        SELECT FROM annotations_enrolment enrolment
        JOIN annotations_criterion criterion ON criterion.study_id = enrolment.study_id
        WHERE enrolment.id = NEW.enrolment_id AND criterion.id = NEW.criterion_id
    ) THEN
        RAISE EXCEPTION 'criterion % is not of the study of enrolment %', NEW.criterion_id, NEW.enrolment_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.preference IS NOT NULL AND texts <> 2 THEN
        RAISE EXCEPTION 'a preference is between two texts, page % has %', NEW.page_id, texts
            USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM unnest(NEW.places) place GROUP BY place HAVING count(*) > 1 OR place NOT BETWEEN 0 AND texts - 1)
    THEN
        RAISE EXCEPTION 'an order names each text of page % once, got %', NEW.page_id, NEW.places
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER judgement_fits BEFORE INSERT OR UPDATE ON annotations_judgement
    FOR EACH ROW EXECUTE FUNCTION annotations_judgement_fits();
"""
NO_JUDGEMENT_FITS = """
DROP TRIGGER judgement_fits ON annotations_judgement;
DROP FUNCTION annotations_judgement_fits();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('annotations', '0030_method_labels'),
        ('generation', '0013_empty_texts'),
    ]

    operations = [
        migrations.CreateModel(
            name='Judgement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('preference', models.SmallIntegerField(null=True)),
                ('both_bad', models.BooleanField(default=False)),
                ('places', django.contrib.postgres.fields.ArrayField(base_field=models.SmallIntegerField(), null=True, size=None)),
                ('client_order', models.BigIntegerField(default=0)),
                ('saved_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='answerchange',
            name='change_is_rating_or_pick',
        ),
        migrations.AddField(
            model_name='answerchange',
            name='both_bad',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='answerchange',
            name='places',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.SmallIntegerField(), null=True, size=None),
        ),
        migrations.AddField(
            model_name='answerchange',
            name='preference',
            field=models.SmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='study',
            name='candidates_per_page',
            field=models.PositiveSmallIntegerField(blank=True, null=True, validators=[annotations.models.bounds.AtLeast(2, 26), annotations.models.bounds.AtMost(2, 26)]),
        ),
        migrations.AddField(
            model_name='study',
            name='preference_scale',
            field=models.CharField(choices=[('choice', 'left, equally good, right, both bad'), ('steps', 'five steps from left to right')], default='choice', max_length=6, verbose_name='Answers where two texts are compared'),
        ),
        migrations.AddField(
            model_name='study',
            name='protocol',
            field=models.CharField(choices=annotations.protocols.table.protocol_choices, default='ratings', max_length=20, verbose_name='Protocol'),
        ),
        migrations.AlterField(
            model_name='answerchange',
            name='candidate',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='generation.candidate'),
        ),
        migrations.AddConstraint(
            model_name='answerchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(models.Q(models.Q(('criterion__isnull', True), ('score__isnull', True)), models.Q(('criterion__isnull', False), ('score__isnull', False)), _connector='OR'), ('candidate__isnull', False), ('places__isnull', True), ('preference__isnull', True)), models.Q(models.Q(models.Q(('places__isnull', True), ('preference__gte', -2), ('preference__isnull', False), ('preference__lte', 2)), models.Q(('both_bad', False), ('places__isnull', False), ('preference__isnull', True)), _connector='OR'), ('candidate__isnull', True), ('criterion__isnull', False), ('score__isnull', True)), _connector='OR'), name='change_is_one_answer'),
        ),
        migrations.AddConstraint(
            model_name='study',
            constraint=models.CheckConstraint(condition=models.Q(('protocol', ''), _negated=True), name='study_protocol_given'),
        ),
        migrations.AddConstraint(
            model_name='study',
            constraint=models.CheckConstraint(condition=models.Q(('preference_scale__in', ['choice', 'steps'])), name='study_preference_scale_known'),
        ),
        migrations.AddConstraint(
            model_name='study',
            constraint=models.CheckConstraint(condition=models.Q(('candidates_per_page__isnull', True), ('candidates_per_page__gte', 2), _connector='OR'), name='study_page_has_two_candidates'),
        ),
        migrations.AddField(
            model_name='judgement',
            name='criterion',
            field=models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, to='annotations.criterion'),
        ),
        migrations.AddField(
            model_name='judgement',
            name='enrolment',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='judgements', to='annotations.enrolment'),
        ),
        migrations.AddField(
            model_name='judgement',
            name='page',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='annotations.page'),
        ),
        migrations.AddConstraint(
            model_name='judgement',
            constraint=models.UniqueConstraint(fields=('enrolment', 'page', 'criterion'), name='judgement_once'),
        ),
        migrations.AddConstraint(
            model_name='judgement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('places__isnull', True), ('preference__gte', -2), ('preference__isnull', False), ('preference__lte', 2)), models.Q(('both_bad', False), ('places__isnull', False), ('preference__isnull', True)), _connector='OR'), name='judgement_is_one_answer'),
        ),
        migrations.AddConstraint(
            model_name='judgement',
            constraint=models.CheckConstraint(condition=models.Q(('both_bad', False), ('preference', 0), _connector='OR'), name='judgement_both_bad_prefers_none'),
        ),
        migrations.RunSQL(JUDGEMENT_FITS, NO_JUDGEMENT_FITS),
    ]
