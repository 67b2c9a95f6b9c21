import annotations.models.texts_by_language
from django.db import migrations, models

TEXTS = {
    "annotations_study": ["title", "instructions", "consent"],
    "annotations_criterion": ["label", "question", "low", "high"],
    "annotations_evaluatorgroup": ["name"],
}
TOGETHER = """{name} = jsonb_strip_nulls(jsonb_build_object('en', nullif({name}_en, ''), 'zh-hans', nullif({name}_zh, '')))"""
APART = "{name}_en = coalesce({name} ->> 'en', ''), {name}_zh = coalesce({name} ->> 'zh-hans', '')"

QUESTIONS = """
UPDATE annotations_study study SET questions = (
    SELECT jsonb_agg({question} ORDER BY place) FROM jsonb_array_elements(study.questions) WITH ORDINALITY AS one (q, place)
) WHERE questions <> '[]'
"""
QUESTION_TOGETHER = """(q - 'label_en' - 'label_zh') || jsonb_build_object('label', jsonb_strip_nulls(jsonb_build_object(
    'en', nullif(q ->> 'label_en', ''), 'zh-hans', nullif(q ->> 'label_zh', ''))))"""
QUESTION_APART = """(q - 'label') || jsonb_build_object(
    'label_en', coalesce(q -> 'label' ->> 'en', ''), 'label_zh', coalesce(q -> 'label' ->> 'zh-hans', ''))"""


def every_text(move):
    return [
        f"UPDATE {table} SET {', '.join(move.format(name=name) for name in names)}" for table, names in TEXTS.items()
    ]


class Migration(migrations.Migration):
    """Put the columns of a text in English and in Chinese into one text by language."""

    dependencies = [
        ('annotations', '0020_scales'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='criterion',
            name='criterion_label_given',
        ),
        migrations.RemoveConstraint(
            model_name='evaluatorgroup',
            name='group_name_given',
        ),
        migrations.RemoveConstraint(
            model_name='study',
            name='study_title_given',
        ),
        migrations.AddField(
            model_name='criterion',
            name='high',
            field=annotations.models.texts_by_language.TextsField(blank=True, default=annotations.models.texts_by_language.TextsByLanguage, max_length=120),
        ),
        migrations.AddField(
            model_name='criterion',
            name='label',
            field=annotations.models.texts_by_language.TextsField(default=annotations.models.texts_by_language.TextsByLanguage, error_messages={'blank': 'Give the criterion a name.'}, max_length=80),
        ),
        migrations.AddField(
            model_name='criterion',
            name='low',
            field=annotations.models.texts_by_language.TextsField(blank=True, default=annotations.models.texts_by_language.TextsByLanguage, max_length=120),
        ),
        migrations.AddField(
            model_name='criterion',
            name='question',
            field=annotations.models.texts_by_language.TextsField(blank=True, default=annotations.models.texts_by_language.TextsByLanguage, max_length=300),
        ),
        migrations.AddField(
            model_name='evaluatorgroup',
            name='name',
            field=annotations.models.texts_by_language.TextsField(default=annotations.models.texts_by_language.TextsByLanguage, error_messages={'blank': 'Give the group a name.'}, max_length=80),
        ),
        migrations.AddField(
            model_name='study',
            name='consent',
            field=annotations.models.texts_by_language.TextsField(blank=True, default=annotations.models.texts_by_language.TextsByLanguage),
        ),
        migrations.AddField(
            model_name='study',
            name='instructions',
            field=annotations.models.texts_by_language.TextsField(blank=True, default=annotations.models.texts_by_language.TextsByLanguage),
        ),
        migrations.AddField(
            model_name='study',
            name='title',
            field=annotations.models.texts_by_language.TextsField(default=annotations.models.texts_by_language.TextsByLanguage, error_messages={'blank': 'Give the study a title.'}, max_length=200),
        ),
        migrations.RunSQL(
            [*every_text(TOGETHER), QUESTIONS.format(question=QUESTION_TOGETHER)],
            [*every_text(APART), QUESTIONS.format(question=QUESTION_APART)],
        ),
        migrations.RemoveField(
            model_name='criterion',
            name='high_en',
        ),
        migrations.RemoveField(
            model_name='criterion',
            name='high_zh',
        ),
        migrations.RemoveField(
            model_name='criterion',
            name='label_en',
        ),
        migrations.RemoveField(
            model_name='criterion',
            name='label_zh',
        ),
        migrations.RemoveField(
            model_name='criterion',
            name='low_en',
        ),
        migrations.RemoveField(
            model_name='criterion',
            name='low_zh',
        ),
        migrations.RemoveField(
            model_name='criterion',
            name='question_en',
        ),
        migrations.RemoveField(
            model_name='criterion',
            name='question_zh',
        ),
        migrations.RemoveField(
            model_name='evaluatorgroup',
            name='name_en',
        ),
        migrations.RemoveField(
            model_name='evaluatorgroup',
            name='name_zh',
        ),
        migrations.RemoveField(
            model_name='study',
            name='consent_en',
        ),
        migrations.RemoveField(
            model_name='study',
            name='consent_zh',
        ),
        migrations.RemoveField(
            model_name='study',
            name='instructions_en',
        ),
        migrations.RemoveField(
            model_name='study',
            name='instructions_zh',
        ),
        migrations.RemoveField(
            model_name='study',
            name='title_en',
        ),
        migrations.RemoveField(
            model_name='study',
            name='title_zh',
        ),
        migrations.AddConstraint(
            model_name='criterion',
            constraint=models.CheckConstraint(condition=models.Q(('label', {}), _negated=True), name='criterion_label_given'),
        ),
        migrations.AddConstraint(
            model_name='evaluatorgroup',
            constraint=models.CheckConstraint(condition=models.Q(('name', {}), _negated=True), name='group_name_given'),
        ),
        migrations.AddConstraint(
            model_name='study',
            constraint=models.CheckConstraint(condition=models.Q(('title', {}), _negated=True), name='study_title_given'),
        ),
    ]
