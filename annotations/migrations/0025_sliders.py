from django.db import migrations, models


class Migration(migrations.Migration):
    """A criterion may be rated with a slider."""

    dependencies = [("annotations", "0024_interface_languages")]

    operations = [
        migrations.AddField("criterion", "is_slider", models.BooleanField(default=False)),
    ]
