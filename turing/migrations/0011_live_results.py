"""Results of live conversations as a row that is measured, and where their people came from."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("turing", "0010_room_names")]

    operations = [
        migrations.AddField(
            "seat", "origin", models.CharField(blank=True, default="", editable=False, max_length=16)
        ),
        migrations.CreateModel(
            name="LiveResults",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(
                        default=1, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("figures", models.JSONField(default=dict)),
                ("verdicts", models.PositiveIntegerField(default=0)),
                ("broken_off", models.PositiveIntegerField(default=0)),
                ("measured_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=Q(pk=1), name="live_results_once")],
            },
        ),
    ]
