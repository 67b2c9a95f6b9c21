"""The keys of placements and ratings are foreign keys again.

Triggers that looked them up once a statement (`0043_keys_once_a_statement`) took a fifth off the time of an import; they
were four functions more to read, and a plan kept for few rows could take the square of many. A page's sums are still
marked once a transaction.
"""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

once = import_module("annotations.migrations.0043_keys_once_a_statement")
ordered = import_module("annotations.migrations.0046_keys_in_their_order")

DROP_PLACEMENTS_STAND = """
DROP TRIGGER placements_inserted_stand ON annotations_placement;
DROP TRIGGER placements_updated_stand ON annotations_placement;
DROP FUNCTION annotations_placements_stand();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("annotations", "0047_quality_control"),
    ]

    operations = [
        migrations.RunSQL(once.NOT_KEPT, once.KEPT),
        migrations.RunSQL(once.RATINGS_FIT_BACK, ordered.in_order(once.RATINGS_FIT)),
        migrations.RunSQL(DROP_PLACEMENTS_STAND, ordered.in_order(once.PLACEMENTS_STAND)),
        migrations.RunSQL(once.KEEP_KEYS, once.DROP_KEYS),
        migrations.AlterField(
            model_name="rating",
            name="criterion",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.RESTRICT, to="annotations.criterion"
            ),
        ),
        migrations.AlterField(
            model_name="placement",
            name="enrolment",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="placements",
                to="annotations.enrolment",
            ),
        ),
    ]
