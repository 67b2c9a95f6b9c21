"""Rooms with their own pool and results, and where first games came from."""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

KINDS = [("pairs", "two texts"), ("text", "one text"), ("boundary", "where the machine begins")]
SCOPES = [("all", "all records"), ("unflagged", "without flagged records")]
KEY = ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))
ROOM_STAYS = """
CREATE TRIGGER game_stays_in_room BEFORE UPDATE ON turing_game FOR EACH ROW
    WHEN (OLD.room_id IS DISTINCT FROM NEW.room_id) EXECUTE FUNCTION turing_round_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("turing", "0005_kinds"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="Room",
            fields=[
                KEY,
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("name", models.CharField(max_length=100)),
                ("kind", models.CharField(choices=KINDS, max_length=8)),
                ("genre", models.CharField(choices=[("poem", "poem"), ("qa", "question and answer")], max_length=8)),
                ("takes_names", models.BooleanField(default=False)),
                ("closes_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="turing_rooms",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(kind__in=["pairs", "text", "boundary"]), name="room_kind_known"
                    ),
                    models.CheckConstraint(condition=Q(genre__in=["poem", "qa"]), name="room_genre_known"),
                    models.CheckConstraint(condition=~Q(name=""), name="room_is_named"),
                ]
            },
        ),
        migrations.CreateModel(
            name="RoomPair",
            fields=[
                KEY,
                ("number", models.PositiveIntegerField()),
                (
                    "pair",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="turing.poempair"
                    ),
                ),
                (
                    "room",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pool",
                        to="turing.room",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["room", "number"], name="room_pair_number_once"),
                    models.UniqueConstraint(fields=["room", "pair"], name="room_pair_once"),
                ]
            },
        ),
        migrations.CreateModel(
            name="RoomName",
            fields=[
                KEY,
                ("name", models.CharField(max_length=40)),
                (
                    "player",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="turing.player"
                    ),
                ),
                (
                    "room",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="names",
                        to="turing.room",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["room", "player"], name="room_name_once"),
                    models.CheckConstraint(condition=~Q(name=""), name="room_name_given"),
                ]
            },
        ),
        migrations.AddField(
            "game",
            "room",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="games", to="turing.room"
            ),
        ),
        migrations.AddField(
            "game", "origin", models.CharField(blank=True, default="", editable=False, max_length=16)
        ),
        migrations.RunSQL(ROOM_STAYS, "DROP TRIGGER game_stays_in_room ON turing_game;"),
        migrations.AddField(
            "results",
            "room",
            models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="results", to="turing.room"
            ),
        ),
        migrations.RemoveConstraint("results", "results_once"),
        migrations.AddConstraint(
            "results",
            models.UniqueConstraint(condition=Q(room__isnull=True), fields=["kind"], name="results_once"),
        ),
        migrations.CreateModel(
            name="OriginTally",
            fields=[
                KEY,
                ("scope", models.CharField(choices=SCOPES, max_length=9)),
                ("of", models.CharField(choices=[("address", "address"), ("room", "room")], max_length=7)),
                ("origin", models.CharField(max_length=20)),
                ("games", models.PositiveIntegerField()),
                ("selected", models.PositiveIntegerField()),
                ("squares", models.PositiveIntegerField()),
                (
                    "results",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="turing.results",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["results", "scope", "of", "origin"], name="origin_tally_once"
                    ),
                    models.CheckConstraint(
                        condition=Q(of__in=["address", "room"]), name="origin_tally_of_known"
                    ),
                    models.CheckConstraint(
                        condition=Q(scope__in=["all", "unflagged"]), name="origin_tally_scope_known"
                    ),
                ],
                "indexes": [
                    models.Index(
                        fields=["results", "scope", "of", "-games"], name="origin_tally_largest"
                    )
                ],
            },
        ),
    ]
