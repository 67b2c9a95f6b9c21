"""Nobody in a room has the name of somebody else, and rooms of simulated players stay closed."""

from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Now

from turing.rooms.names import key_of


def fill_keys(apps, schema_editor):
    seen = set()
    for one in apps.get_model("turing", "RoomName").objects.order_by("pk"):
        key = key_of(one.name) or f"name {one.pk}"
        # Whoever came second keeps the name that they have had.
        one.key = f"{key} {one.pk}" if (one.room_id, key) in seen else key
        seen.add((one.room_id, key))
        one.save(update_fields=["key"])


def close_simulated(apps, schema_editor):
    apps.get_model("turing", "Room").objects.filter(is_simulated=True, closes_at=None).update(closes_at=Now())


class Migration(migrations.Migration):
    dependencies = [("turing", "0009_simulated_rooms")]

    operations = [
        migrations.AddField("roomname", "key", models.CharField(default="", max_length=200), preserve_default=False),
        migrations.RunPython(fill_keys, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(close_simulated, migrations.RunPython.noop, elidable=True),
        migrations.AddConstraint(
            "roomname", models.UniqueConstraint(fields=["room", "key"], name="room_name_of_one")
        ),
        migrations.AddConstraint(
            "room",
            models.CheckConstraint(
                condition=Q(is_simulated=False) | Q(closes_at__isnull=False), name="room_simulated_is_closed"
            ),
        ),
    ]
