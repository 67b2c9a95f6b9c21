"""Uploads of candidates and of ratings wait in one pair of tables; what waits goes on waiting."""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

MOVE = """
    INSERT INTO annotations_waitingupload (uuid, kind, study_id, uploaded_by_id, uploaded_at)
    SELECT uuid, 'candidates', study_id, uploaded_by_id, uploaded_at FROM annotations_waitingfile;

    UPDATE annotations_waitingfile file SET upload_id = upload.id
    FROM annotations_waitingupload upload WHERE upload.uuid = file.uuid;

    -- Of several that wait for one user, as once there could be, the last.
    DELETE FROM annotations_ratinguploadpart part USING annotations_ratingupload old, annotations_ratingupload later
    WHERE part.upload_id = old.id AND old.study_id IS NULL AND later.study_id IS NULL
    AND later.user_id = old.user_id AND later.id > old.id;

    DELETE FROM annotations_ratingupload old USING annotations_ratingupload later
    WHERE old.study_id IS NULL AND later.study_id IS NULL
    AND later.user_id = old.user_id AND later.id > old.id;

    INSERT INTO annotations_waitingupload (uuid, kind, study_id, uploaded_by_id, uploaded_at)
    SELECT uuid, 'ratings', study_id, user_id, created_at FROM annotations_ratingupload;

    INSERT INTO annotations_waitingfile (uuid, study_id, uploaded_by_id, name, content, number, upload_id)
    SELECT gen_random_uuid(), NULL, NULL, part.name, part.content, part.number, upload.id
    FROM annotations_ratinguploadpart part
    JOIN annotations_ratingupload old ON old.id = part.upload_id
    JOIN annotations_waitingupload upload ON upload.uuid = old.uuid;

    SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('annotations', '0034_plan_judge'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='WaitingUpload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('kind', models.CharField(choices=[('candidates', 'candidates'), ('prompts', 'prompts'), ('people', 'people'), ('ratings', 'ratings')], max_length=10)),
                ('uploaded_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('job', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='upload', to='annotations.job')),
                ('study', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='annotations.study')),
                ('uploaded_by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(condition=models.Q(('job', None), models.Q(('kind', 'ratings'), _negated=True)), fields=('study', 'uploaded_by', 'kind'), name='waiting_upload_one_each'),
                    models.UniqueConstraint(condition=models.Q(('job', None), ('kind', 'ratings'), ('study', None)), fields=('uploaded_by',), name='waiting_ratings_one_each'),
                    models.CheckConstraint(condition=models.Q(('kind', 'ratings'), models.Q(('kind__in', ['candidates', 'prompts', 'people']), ('study__isnull', False)), _connector='OR'), name='waiting_upload_is_for_a_study'),
                ],
            },
        ),
        migrations.RemoveConstraint(model_name='waitingfile', name='waiting_file_one_each'),
        migrations.AlterField(
            model_name='waitingfile',
            name='study',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='annotations.study'),
        ),
        migrations.AlterField(
            model_name='waitingfile',
            name='uploaded_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='waitingfile',
            name='number',
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name='waitingfile',
            name='upload',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='files', to='annotations.waitingupload'),
        ),
        migrations.RunSQL(MOVE, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='waitingfile',
            name='upload',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='files', to='annotations.waitingupload'),
        ),
        migrations.RemoveField(model_name='waitingfile', name='study'),
        migrations.RemoveField(model_name='waitingfile', name='uploaded_at'),
        migrations.RemoveField(model_name='waitingfile', name='uploaded_by'),
        migrations.RemoveField(model_name='waitingfile', name='uuid'),
        migrations.AlterModelOptions(name='waitingfile', options={'ordering': ['upload', 'number']}),
        migrations.AddConstraint(
            model_name='waitingfile',
            constraint=models.UniqueConstraint(fields=('upload', 'number'), name='waiting_file_once'),
        ),
        migrations.DeleteModel(name='RatingUploadPart'),
        migrations.DeleteModel(name='RatingUpload'),
    ]
