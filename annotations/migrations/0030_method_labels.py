from django.db import migrations, models


class Migration(migrations.Migration):
    """A study may call a method otherwise than the method is called elsewhere."""

    dependencies = [("annotations", "0029_jobs")]

    operations = [
        migrations.AddField("studymethod", "label", models.CharField(blank=True, default="", max_length=120)),
        migrations.AddConstraint(
            "studymethod",
            models.UniqueConstraint(
                fields=["study", "label"],
                condition=models.Q(("label", ""), _negated=True),
                name="study_method_label_once",
            ),
        ),
    ]
