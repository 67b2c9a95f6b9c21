"""A plan may name groups of evaluators to be compared, and what comparisons of texts are adjusted for."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("annotations", "0052_scores_that_wait")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="analysisplan",
            name="group_comparisons",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="analysisplan",
            name="covariates",
            field=models.JSONField(blank=True, null=True),
        ),
    ]
