"""Errors that evaluators mark in texts, their categories and severities, and criteria that are reckoned from them."""

import annotations.models.texts_by_language
import annotations.protocols.table
import django.core.validators
import django.db.models.constraints
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

# Deferred like Django's own keys, because a cascade deletes in an order of its own.
COLUMN_KEYS = """
ALTER TABLE annotations_marking ADD CONSTRAINT marking_of_placed_candidate FOREIGN KEY (enrolment_id, candidate_id)
    REFERENCES annotations_placement (enrolment_id, candidate_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE annotations_span ADD CONSTRAINT span_of_marking FOREIGN KEY (enrolment_id, candidate_id)
    REFERENCES annotations_marking (enrolment_id, candidate_id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
"""
NO_COLUMN_KEYS = """
ALTER TABLE annotations_span DROP CONSTRAINT span_of_marking;
ALTER TABLE annotations_marking DROP CONSTRAINT marking_of_placed_candidate;
"""
# Statement by statement: a text is saved with all its spans. Of what PostgreSQL stores, char_length counts code points.
SPANS_FIT = """
CREATE FUNCTION annotations_spans_fit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    SELECT added.*, char_length(candidate.text) AS length, category.id AS known_category, category.is_missing,
           severity.id AS known_severity INTO wrong
    FROM added
    LEFT JOIN annotations_enrolment enrolment ON enrolment.id = added.enrolment_id
    LEFT JOIN generation_candidate candidate ON candidate.id = added.candidate_id
    LEFT JOIN annotations_errorcategory category
        ON category.id = added.category_id AND category.study_id = enrolment.study_id
    LEFT JOIN annotations_errorseverity severity
        ON severity.id = added.severity_id AND severity.study_id = enrolment.study_id
    WHERE category.id IS NULL OR severity.id IS NULL OR added."end" > char_length(candidate.text)
       OR CASE WHEN category.is_missing THEN added."start" <> added."end"
               ELSE (added."start" < added."end") IS NOT TRUE END
    LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF wrong.known_category IS NULL OR wrong.known_severity IS NULL THEN
        RAISE EXCEPTION 'category % or severity % is not of the study of enrolment %',
            wrong.category_id, wrong.severity_id, wrong.enrolment_id USING ERRCODE = 'check_violation';
    END IF;
    IF wrong."end" > wrong.length THEN
        RAISE EXCEPTION 'span % to % lies beyond the % characters of candidate %',
            wrong."start", wrong."end", wrong.length, wrong.candidate_id USING ERRCODE = 'check_violation';
    END IF;
    RAISE EXCEPTION 'span % to % is % of category %', wrong."start", wrong."end",
        CASE WHEN wrong.is_missing THEN 'no place, which is all that something missing has,' ELSE 'empty, and' END,
        wrong.category_id USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER spans_inserted_fit AFTER INSERT ON annotations_span
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION annotations_spans_fit();
CREATE TRIGGER spans_updated_fit AFTER UPDATE ON annotations_span
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION annotations_spans_fit();
"""
NO_SPANS_FIT = """
DROP TRIGGER spans_inserted_fit ON annotations_span;
DROP TRIGGER spans_updated_fit ON annotations_span;
DROP FUNCTION annotations_spans_fit();
"""
# The sums of a page count its markings, as `0037_page_sums` has it of ratings.
EVENTS = (("insert", "NEW"), ("update", "NEW"), ("delete", "OLD"))
MARK_PAGES = "".join(
    f"CREATE TRIGGER marking_marks_page_{event} AFTER {event.upper()} ON annotations_marking REFERENCING {which} TABLE"
    " AS changed FOR EACH STATEMENT EXECUTE FUNCTION annotations_ratings_changed();\n"
    for event, which in EVENTS
)
NO_MARK_PAGES = "".join(f"DROP TRIGGER marking_marks_page_{event} ON annotations_marking;\n" for event, _ in EVENTS)


class Migration(migrations.Migration):

    dependencies = [
        ('annotations', '0041_checklists'),
        ('generation', '0014_openings'),
    ]

    operations = [
        migrations.CreateModel(
            name='ErrorCategory',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('key', models.CharField(max_length=40, validators=[django.core.validators.RegexValidator('^[a-z0-9][a-z0-9_-]*\\Z', 'A key has small English letters, digits, - and _ alone.')])),
                ('label', annotations.models.texts_by_language.TextsField(default=annotations.models.texts_by_language.TextsByLanguage, error_messages={'blank': 'Give the category a name.'}, max_length=80)),
                ('description', annotations.models.texts_by_language.TextsField(blank=True, default=annotations.models.texts_by_language.TextsByLanguage, max_length=300)),
                ('weight', models.FloatField(default=1, validators=[django.core.validators.MinValueValidator(0, 'A weight is at least 0.'), django.core.validators.MaxValueValidator(1000, 'A weight is at most 1000.')])),
                ('penalties', models.JSONField(blank=True, default=dict)),
                ('is_missing', models.BooleanField(default=False)),
            ],
            options={
                'verbose_name_plural': 'error categories',
                'ordering': ['number'],
            },
        ),
        migrations.CreateModel(
            name='ErrorSeverity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('key', models.CharField(max_length=40, validators=[django.core.validators.RegexValidator('^[a-z0-9][a-z0-9_-]*\\Z', 'A key has small English letters, digits, - and _ alone.')])),
                ('label', annotations.models.texts_by_language.TextsField(default=annotations.models.texts_by_language.TextsByLanguage, error_messages={'blank': 'Give the severity a name.'}, max_length=80)),
                ('weight', models.FloatField(validators=[django.core.validators.MinValueValidator(0, 'A weight is at least 0.'), django.core.validators.MaxValueValidator(1000, 'A weight is at most 1000.')])),
            ],
            options={
                'verbose_name_plural': 'error severities',
                'ordering': ['number'],
            },
        ),
        migrations.CreateModel(
            name='Marking',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_done', models.BooleanField(default=False)),
                ('client_order', models.BigIntegerField(default=0)),
                ('saved_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name='Span',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('start', models.PositiveIntegerField(null=True)),
                ('end', models.PositiveIntegerField(null=True)),
                ('note', models.CharField(blank=True, max_length=300)),
            ],
            options={
                'ordering': ['number'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='answerchange',
            name='change_is_one_answer',
        ),
        migrations.AddField(
            model_name='answerchange',
            name='marking',
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name='criterion',
            name='derived',
            field=models.CharField(blank=True, choices=annotations.protocols.table.derived_choices, db_default='', default='', max_length=40),
        ),
        migrations.AddConstraint(
            model_name='answerchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(models.Q(models.Q(('criterion__isnull', True), ('item__isnull', True), ('score__isnull', True), ('turn__isnull', True)), models.Q(('criterion__isnull', False), ('item__isnull', True), ('score__isnull', False)), models.Q(('criterion__isnull', True), ('item__isnull', False), ('score__isnull', False), ('turn__isnull', True)), _connector='OR'), ('candidate__isnull', False), ('marking__isnull', True), ('places__isnull', True), ('preference__isnull', True)), models.Q(('candidate__isnull', False), ('criterion__isnull', True), ('item__isnull', True), ('marking__isnull', False), ('places__isnull', True), ('preference__isnull', True), ('score__isnull', True), ('turn__isnull', True)), models.Q(models.Q(models.Q(('places__isnull', True), ('preference__gte', -2), ('preference__isnull', False), ('preference__lte', 2)), models.Q(('both_bad', False), ('places__isnull', False), ('preference__isnull', True)), _connector='OR'), ('candidate__isnull', True), ('criterion__isnull', False), ('item__isnull', True), ('marking__isnull', True), ('score__isnull', True), ('turn__isnull', True)), _connector='OR'), name='change_is_one_answer'),
        ),
        migrations.AddField(
            model_name='errorcategory',
            name='study',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='error_categories', to='annotations.study'),
        ),
        migrations.AddField(
            model_name='errorseverity',
            name='study',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='severities', to='annotations.study'),
        ),
        migrations.AddField(
            model_name='marking',
            name='candidate',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, to='generation.candidate'),
        ),
        migrations.AddField(
            model_name='marking',
            name='enrolment',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='markings', to='annotations.enrolment'),
        ),
        migrations.AddField(
            model_name='span',
            name='candidate',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, to='generation.candidate'),
        ),
        migrations.AddField(
            model_name='span',
            name='category',
            field=models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, to='annotations.errorcategory'),
        ),
        migrations.AddField(
            model_name='span',
            name='enrolment',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='spans', to='annotations.enrolment'),
        ),
        migrations.AddField(
            model_name='span',
            name='severity',
            field=models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, to='annotations.errorseverity'),
        ),
        migrations.AddConstraint(
            model_name='errorcategory',
            constraint=models.UniqueConstraint(fields=('study', 'key'), name='category_key_once'),
        ),
        migrations.AddConstraint(
            model_name='errorcategory',
            constraint=models.UniqueConstraint(fields=('study', 'number'), name='category_number_once'),
        ),
        migrations.AddConstraint(
            model_name='errorcategory',
            constraint=models.CheckConstraint(condition=models.Q(('weight__gte', 0), ('weight__lte', 1000)), name='category_weight_within_bounds'),
        ),
        migrations.AddConstraint(
            model_name='errorcategory',
            constraint=models.CheckConstraint(condition=models.Q(('label', {}), _negated=True), name='category_label_given'),
        ),
        migrations.AddConstraint(
            model_name='errorseverity',
            constraint=models.UniqueConstraint(fields=('study', 'key'), name='severity_key_once'),
        ),
        migrations.AddConstraint(
            model_name='errorseverity',
            constraint=models.UniqueConstraint(fields=('study', 'number'), name='severity_number_once'),
        ),
        migrations.AddConstraint(
            model_name='errorseverity',
            constraint=models.CheckConstraint(condition=models.Q(('weight__gte', 0), ('weight__lte', 1000)), name='severity_weight_within_bounds'),
        ),
        migrations.AddConstraint(
            model_name='errorseverity',
            constraint=models.CheckConstraint(condition=models.Q(('label', {}), _negated=True), name='severity_label_given'),
        ),
        migrations.AddConstraint(
            model_name='marking',
            constraint=models.UniqueConstraint(fields=('enrolment', 'candidate'), name='marking_once'),
        ),
        migrations.AddConstraint(
            model_name='span',
            constraint=models.UniqueConstraint(deferrable=django.db.models.constraints.Deferrable['DEFERRED'], fields=('enrolment', 'candidate', 'number'), name='span_number_once'),
        ),
        migrations.AddConstraint(
            model_name='span',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('end__isnull', True), ('start__isnull', True)), models.Q(('end__isnull', False), ('start__isnull', False), ('start__lte', models.F('end'))), _connector='OR'), name='span_starts_before_it_ends'),
        ),
        migrations.AddConstraint(
            model_name='span',
            constraint=models.CheckConstraint(condition=models.Q(('number__lt', 100)), name='span_number_within_bounds'),
        ),
        migrations.RunSQL(COLUMN_KEYS, NO_COLUMN_KEYS),
        migrations.RunSQL(SPANS_FIT, NO_SPANS_FIT),
        migrations.RunSQL(MARK_PAGES, NO_MARK_PAGES),
    ]
