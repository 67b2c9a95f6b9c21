"""Checklists, ratings of single turns, reasons and corrected texts, each with what spans tables."""

import annotations.models.numbers
import annotations.models.texts_by_language
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

# Answers are about texts that stand on the evaluator's pages, and go with these.
PLACED = {
    "checklistanswer": "checklist_answer_of_placed_candidate",
    "turnrating": "turn_rating_of_placed_candidate",
}
FITS = """
CREATE FUNCTION annotations_checklist_answer_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM annotations_placement placement
        JOIN annotations_enrolment enrolment ON enrolment.id = placement.enrolment_id
        JOIN annotations_checklistitem item ON item.study_id = enrolment.study_id
            AND (item.page_id IS NULL OR item.page_id = placement.page_id)
        WHERE placement.enrolment_id = NEW.enrolment_id AND placement.candidate_id = NEW.candidate_id
          AND item.id = NEW.item_id AND (NEW.answer <> 3 OR item.may_not_apply)
    ) THEN
        RAISE EXCEPTION 'item % takes no answer % about candidate % of enrolment %',
            NEW.item_id, NEW.answer, NEW.candidate_id, NEW.enrolment_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER checklist_answer_fits BEFORE INSERT OR UPDATE ON annotations_checklistanswer
    FOR EACH ROW EXECUTE FUNCTION annotations_checklist_answer_fits();

CREATE FUNCTION annotations_checklist_item_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.page_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM annotations_page page JOIN annotations_subtask subtask ON subtask.id = page.subtask_id
        WHERE page.id = NEW.page_id AND subtask.study_id = NEW.study_id
    ) THEN
        RAISE EXCEPTION 'page % is not of study %', NEW.page_id, NEW.study_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER checklist_item_fits BEFORE INSERT OR UPDATE ON annotations_checklistitem
    FOR EACH ROW EXECUTE FUNCTION annotations_checklist_item_fits();

CREATE FUNCTION annotations_turn_rating_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM annotations_placement placement
        JOIN annotations_enrolment enrolment ON enrolment.id = placement.enrolment_id
        JOIN annotations_criterion criterion ON criterion.study_id = enrolment.study_id
        JOIN annotations_pagecandidate shown
            ON shown.page_id = placement.page_id AND shown.candidate_id = placement.candidate_id
        WHERE placement.enrolment_id = NEW.enrolment_id AND placement.candidate_id = NEW.candidate_id
          AND criterion.id = NEW.criterion_id AND criterion.rates_turns AND NEW.turn <= shown.turns
          AND NEW.score BETWEEN criterion.minimum AND criterion.maximum AND NEW.score = floor(NEW.score)
    ) THEN
        RAISE EXCEPTION 'criterion % takes no score % for turn % of candidate % of enrolment %',
            NEW.criterion_id, NEW.score, NEW.turn, NEW.candidate_id, NEW.enrolment_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER turn_rating_fits BEFORE INSERT OR UPDATE ON annotations_turnrating
    FOR EACH ROW EXECUTE FUNCTION annotations_turn_rating_fits();

CREATE FUNCTION annotations_written_answer_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM annotations_placement placement
        WHERE placement.enrolment_id = NEW.enrolment_id AND placement.page_id = NEW.page_id
          AND (NEW.candidate_id IS NULL OR placement.candidate_id = NEW.candidate_id)
    ) THEN
        RAISE EXCEPTION 'page % of enrolment % has no candidate %', NEW.page_id, NEW.enrolment_id, NEW.candidate_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER written_answer_fits BEFORE INSERT OR UPDATE ON annotations_writtenanswer
    FOR EACH ROW EXECUTE FUNCTION annotations_written_answer_fits();
"""
FITTED = ("checklist_answer", "checklist_item", "turn_rating", "written_answer")
# What marks a page's kept sums (`0037_page_sums`) as those of before.
MARKED = {
    "checklistanswer": "annotations_ratings_changed",
    "turnrating": "annotations_ratings_changed",
    "checklistitem": "annotations_questions_changed",
}
MARKS = [
    (f"{table}_marks_page_{event.lower()}", event, table, which, function)
    for table, function in MARKED.items()
    for event, which in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
]
CREATE = (
    "".join(
        f"ALTER TABLE annotations_{table} ADD CONSTRAINT {name} FOREIGN KEY (enrolment_id, candidate_id)"
        " REFERENCES annotations_placement (enrolment_id, candidate_id) DEFERRABLE INITIALLY DEFERRED;\n"
        for table, name in PLACED.items()
    )
    + FITS
    + "".join(
        f"CREATE TRIGGER {name} AFTER {event} ON annotations_{table} REFERENCING {which} TABLE AS changed"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {function}();\n"
        for name, event, table, which, function in MARKS
    )
)
DROP = (
    "".join(f"DROP TRIGGER {name} ON annotations_{table};\n" for name, _, table, _, _ in MARKS)
    + "".join(
        f"DROP TRIGGER {name}_fits ON annotations_{name.replace('_', '')};\n"
        f"DROP FUNCTION annotations_{name}_fits();\n"
        for name in FITTED
    )
    + "".join(f"ALTER TABLE annotations_{table} DROP CONSTRAINT {name};\n" for table, name in PLACED.items())
)


class Migration(migrations.Migration):

    dependencies = [
        ('annotations', '0040_enrolments_by_their_keys'),
        ('generation', '0014_openings'),
    ]

    operations = [
        migrations.CreateModel(
            name='ChecklistAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('answer', models.PositiveSmallIntegerField(choices=[(1, 'yes'), (2, 'no'), (3, 'does not apply')])),
                ('client_order', models.BigIntegerField(default=0)),
                ('saved_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name='ChecklistItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('text', annotations.models.texts_by_language.TextsField(default=annotations.models.texts_by_language.TextsByLanguage, max_length=500)),
                ('weight', models.FloatField(default=1, validators=[django.core.validators.MinValueValidator(0.001), django.core.validators.MaxValueValidator(1000.0)])),
                ('may_not_apply', models.BooleanField(default=True)),
            ],
            options={
                'ordering': [models.OrderBy(models.F('page'), nulls_first=True), 'number'],
            },
        ),
        migrations.CreateModel(
            name='TurnRating',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('turn', models.PositiveSmallIntegerField()),
                ('score', annotations.models.numbers.NumberField()),
                ('client_order', models.BigIntegerField(default=0)),
                ('saved_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name='WrittenAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('reason', 'reason'), ('correction', 'corrected text')], max_length=10)),
                ('text', models.TextField(blank=True)),
                ('client_order', models.BigIntegerField()),
                ('saved_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='answerchange',
            name='change_is_one_answer',
        ),
        migrations.AddField(
            model_name='answerchange',
            name='turn',
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='criterion',
            name='rates_turns',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='pagecandidate',
            name='turns',
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='study',
            name='has_corrections',
            field=models.BooleanField(default=False, verbose_name='Texts may be corrected'),
        ),
        migrations.AddField(
            model_name='study',
            name='reasons',
            field=models.CharField(choices=[('none', 'nowhere'), ('page', 'once a page'), ('candidate', 'for each text')], default='none', max_length=9, verbose_name='Reasons may be written'),
        ),
        migrations.AddConstraint(
            model_name='study',
            constraint=models.CheckConstraint(condition=models.Q(('reasons__in', ['none', 'page', 'candidate'])), name='study_reasons_known'),
        ),
        migrations.AddField(
            model_name='checklistanswer',
            name='candidate',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, to='generation.candidate'),
        ),
        migrations.AddField(
            model_name='checklistanswer',
            name='enrolment',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='checklist_answers', to='annotations.enrolment'),
        ),
        migrations.AddField(
            model_name='checklistitem',
            name='page',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='checklist_items', to='annotations.page'),
        ),
        migrations.AddField(
            model_name='checklistitem',
            name='study',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='checklist_items', to='annotations.study'),
        ),
        migrations.AddField(
            model_name='checklistanswer',
            name='item',
            field=models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, related_name='answers', to='annotations.checklistitem'),
        ),
        migrations.AddField(
            model_name='answerchange',
            name='item',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.RESTRICT, to='annotations.checklistitem'),
        ),
        migrations.AddConstraint(
            model_name='answerchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(models.Q(models.Q(('criterion__isnull', True), ('item__isnull', True), ('score__isnull', True), ('turn__isnull', True)), models.Q(('criterion__isnull', False), ('item__isnull', True), ('score__isnull', False)), models.Q(('criterion__isnull', True), ('item__isnull', False), ('score__isnull', False), ('turn__isnull', True)), _connector='OR'), ('candidate__isnull', False), ('places__isnull', True), ('preference__isnull', True)), models.Q(models.Q(models.Q(('places__isnull', True), ('preference__gte', -2), ('preference__isnull', False), ('preference__lte', 2)), models.Q(('both_bad', False), ('places__isnull', False), ('preference__isnull', True)), _connector='OR'), ('candidate__isnull', True), ('criterion__isnull', False), ('item__isnull', True), ('score__isnull', True), ('turn__isnull', True)), _connector='OR'), name='change_is_one_answer'),
        ),
        migrations.AddField(
            model_name='turnrating',
            name='candidate',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, to='generation.candidate'),
        ),
        migrations.AddField(
            model_name='turnrating',
            name='criterion',
            field=models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, to='annotations.criterion'),
        ),
        migrations.AddField(
            model_name='turnrating',
            name='enrolment',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='turn_ratings', to='annotations.enrolment'),
        ),
        migrations.AddField(
            model_name='writtenanswer',
            name='candidate',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to='generation.candidate'),
        ),
        migrations.AddField(
            model_name='writtenanswer',
            name='enrolment',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='written_answers', to='annotations.enrolment'),
        ),
        migrations.AddField(
            model_name='writtenanswer',
            name='page',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='annotations.page'),
        ),
        migrations.AddConstraint(
            model_name='checklistitem',
            constraint=models.UniqueConstraint(fields=('study', 'page', 'number'), name='checklist_item_number_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='checklistitem',
            constraint=models.CheckConstraint(condition=models.Q(('weight__gte', 0.001), ('weight__lte', 1000.0)), name='checklist_item_weight_within_bounds'),
        ),
        migrations.AddConstraint(
            model_name='checklistitem',
            constraint=models.CheckConstraint(condition=models.Q(('text', {}), _negated=True), name='checklist_item_text_given'),
        ),
        migrations.AddConstraint(
            model_name='checklistanswer',
            constraint=models.UniqueConstraint(fields=('enrolment', 'candidate', 'item'), name='checklist_answer_once'),
        ),
        migrations.AddConstraint(
            model_name='checklistanswer',
            constraint=models.CheckConstraint(condition=models.Q(('answer__in', [1, 2, 3])), name='checklist_answer_known'),
        ),
        migrations.AddConstraint(
            model_name='turnrating',
            constraint=models.UniqueConstraint(fields=('enrolment', 'candidate', 'criterion', 'turn'), name='turn_rating_once'),
        ),
        migrations.AddConstraint(
            model_name='turnrating',
            constraint=models.CheckConstraint(condition=models.Q(('turn__gte', 1)), name='turn_rating_turn_from_1'),
        ),
        migrations.AddConstraint(
            model_name='writtenanswer',
            constraint=models.UniqueConstraint(fields=('enrolment', 'page', 'candidate', 'kind', 'client_order'), name='written_answer_version_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='writtenanswer',
            constraint=models.CheckConstraint(condition=models.Q(('kind', 'reason'), models.Q(('candidate__isnull', False), ('kind', 'correction')), _connector='OR'), name='written_answer_kind_known'),
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
