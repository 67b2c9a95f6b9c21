from django.db import migrations, models


class Migration(migrations.Migration):
    """A prompt of a run may have short sentences that stand already and are gone on from."""

    dependencies = [("generation", "0013_empty_texts")]

    operations = [
        migrations.AddField("runprompt", "opening", models.TextField(blank=True, default="")),
    ]
