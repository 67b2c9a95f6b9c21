"""Finished conversations beside texts: two of them, or one."""

from django.db import migrations, models
from django.db.models import Q

KINDS = [
    ("pairs", "two texts"),
    ("text", "one text"),
    ("boundary", "where the machine begins"),
    ("chats", "two conversations"),
    ("chat", "one conversation"),
]
GENRES = [("poem", "poem"), ("qa", "question and answer"), ("chat", "conversation")]


def pair_fits(genre):
    return f"""
CREATE OR REPLACE FUNCTION turing_pair_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    human_prompt bigint := (SELECT prompt_id FROM generation_candidate WHERE id = NEW.human_id);
BEGIN
    IF human_prompt IS DISTINCT FROM (SELECT prompt_id FROM generation_candidate WHERE id = NEW.machine_id) THEN
        RAISE EXCEPTION 'candidates % and % are not of one prompt', NEW.human_id, NEW.machine_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF {genre} IS DISTINCT FROM (SELECT genre FROM generation_prompt WHERE id = human_prompt) THEN
        RAISE EXCEPTION 'the prompt of candidate % is not of genre %', NEW.human_id, NEW.genre
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


def changed(model, name, condition):
    return [
        migrations.RemoveConstraint(model, name),
        migrations.AddConstraint(model, models.CheckConstraint(condition=condition, name=name)),
    ]


KIND_KNOWN = Q(kind__in=[key for key, _ in KINDS])
GENRE_KNOWN = Q(genre__in=[key for key, _ in GENRES])


class Migration(migrations.Migration):
    dependencies = [("turing", "0006_rooms")]

    operations = [
        migrations.AlterField("room", "kind", models.CharField(choices=KINDS, max_length=8)),
        migrations.AlterField("round", "kind", models.CharField(choices=KINDS, default="pairs", max_length=8)),
        migrations.AlterField("results", "kind", models.CharField(choices=KINDS, max_length=8)),
        migrations.AlterField("room", "genre", models.CharField(choices=GENRES, max_length=8)),
        migrations.AlterField("poempair", "genre", models.CharField(choices=GENRES, max_length=8)),
        migrations.AddField("poempair", "is_trio", models.BooleanField(default=False, editable=False)),
        *changed("room", "room_kind_known", KIND_KNOWN),
        *changed("room", "room_genre_known", GENRE_KNOWN),
        *changed("round", "round_kind_known", KIND_KNOWN),
        *changed("results", "results_kind_known", KIND_KNOWN),
        *changed("poempair", "pair_genre_known", GENRE_KNOWN),
        migrations.AddConstraint(
            "poempair",
            models.CheckConstraint(condition=Q(is_trio=False) | Q(genre="chat"), name="pair_trio_of_conversations"),
        ),
        migrations.RunSQL(
            pair_fits("(CASE NEW.genre WHEN 'chat' THEN 'text' ELSE NEW.genre END)"), pair_fits("NEW.genre")
        ),
    ]
