"""A study says what it rates, poems or answers, because a draft has no prompts yet that would tell."""

from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def genre_of_the_prompts(apps, schema_editor):
    """Give every study the genre of its first prompt."""
    study, page = apps.get_model("annotations", "Study"), apps.get_model("annotations", "Page")
    first = page.objects.filter(subtask__study=OuterRef("pk")).order_by("pk").values("prompt__genre")[:1]
    study.objects.filter(subtasks__pages__isnull=False).update(genre=Subquery(first))


class Migration(migrations.Migration):
    dependencies = [("annotations", "0007_staff_act_guards")]

    operations = [
        migrations.AddField(
            model_name="study",
            name="genre",
            field=models.CharField(
                choices=[("poem", "poem"), ("qa", "question and answer")], default="poem", max_length=8
            ),
        ),
        migrations.AddConstraint(
            model_name="study",
            constraint=models.CheckConstraint(
                condition=models.Q(genre__in=["poem", "qa"]), name="study_genre_known"
            ),
        ),
        migrations.RunPython(genre_of_the_prompts, migrations.RunPython.noop),
    ]
