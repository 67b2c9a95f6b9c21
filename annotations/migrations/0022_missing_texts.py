from django.db import migrations, models


class Migration(migrations.Migration):
    """A study may declare that its methods lack texts for some prompts."""

    dependencies = [("annotations", "0021_texts_by_language")]

    operations = [
        migrations.AddField(
            "study",
            "allows_missing_texts",
            models.BooleanField(default=False, verbose_name="Methods may lack texts for some prompts"),
        ),
    ]
