"""Error spans from elsewhere: a third kind of import."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies: ClassVar = [("annotations", "0048_keys_by_foreign_keys")]

    operations: ClassVar = [
        migrations.RemoveConstraint(model_name="ratingimport", name="rating_import_kind_known"),
        migrations.AlterField(
            model_name="ratingimport",
            name="kind",
            field=models.CharField(
                choices=[
                    ("ratings", "ratings of single texts"),
                    ("pairs", "comparisons of two texts"),
                    ("spans", "errors marked in texts"),
                ],
                default="ratings",
                max_length=7,
            ),
        ),
        migrations.AddConstraint(
            model_name="ratingimport",
            constraint=models.CheckConstraint(
                condition=Q(kind__in=["ratings", "pairs", "spans"]), name="rating_import_kind_known"
            ),
        ),
    ]
