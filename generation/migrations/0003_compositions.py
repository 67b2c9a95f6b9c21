import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0002_run_prompts'),
    ]

    operations = [
        migrations.CreateModel(
            name='Composition',
            fields=[
                ('run_prompt', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='composition', serialize=False, to='generation.runprompt')),
            ],
        ),
        migrations.CreateModel(
            name='Allowance',
            fields=[
                ('key', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('used_until', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['used_until'], name='generation_allowance_until')],
            },
        ),
    ]
