"""Prompts have parts, turns, tags and an id of their owner's; what they say tells them apart."""

from django.db import migrations, models
from django.db.models import Q, TextField
from django.db.models.functions import MD5, Cast


class Migration(migrations.Migration):
    dependencies = [("generation", "0009_held_out_losses")]

    operations = [
        migrations.RemoveConstraint("prompt", "prompt_once"),
        migrations.RemoveConstraint("prompt", "prompt_text_given"),
        migrations.AlterField("prompt", "text", models.TextField(blank=True)),
        migrations.AddField("prompt", "external_id", models.CharField(blank=True, max_length=200, default=""), preserve_default=False),
        migrations.AddField("prompt", "parts", models.JSONField(blank=True, default=list)),
        migrations.AddField("prompt", "turns", models.JSONField(blank=True, default=list)),
        migrations.AddField("prompt", "tags", models.JSONField(blank=True, default=dict)),
        migrations.AddConstraint(
            "prompt",
            models.UniqueConstraint(
                "genre",
                MD5("text"),
                MD5("description"),
                "external_id",
                MD5(Cast("parts", TextField())),
                MD5(Cast("turns", TextField())),
                MD5(Cast("tags", TextField())),
                name="prompt_once",
            ),
        ),
        migrations.AddConstraint(
            "prompt",
            models.CheckConstraint(
                condition=~Q(text="") | ~Q(parts=[]) | ~Q(turns=[]), name="prompt_says_something"
            ),
        ),
    ]
