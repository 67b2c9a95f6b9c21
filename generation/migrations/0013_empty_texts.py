from django.db import migrations, models


class Migration(migrations.Migration):
    """Records of studies may hold candidates without a text, which evaluators rated."""

    dependencies = [("generation", "0012_engine_answers")]

    operations = [
        migrations.RemoveConstraint("candidate", "candidate_text_given"),
        migrations.AlterField("candidate", "text", models.TextField(blank=True)),
    ]
