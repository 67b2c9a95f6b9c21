import django.db.models.deletion
from django.conf import settings
from django.contrib.sessions.serializers import JSONSerializer
from django.core import signing
from django.db import migrations, models
from django.utils import timezone

# How Django signs the sessions of its own store, and this site those of its.
SALT = "django.contrib.sessions.SessionStore"


def keep_sessions(apps, schema_editor):
    """Let whoever is logged in stay so."""
    old, new = apps.get_model("sessions", "Session"), apps.get_model("evalsite", "Session")
    moved = []
    for session in old.objects.filter(expire_date__gt=timezone.now()):
        try:
            user = signing.loads(session.session_data, salt=SALT, serializer=JSONSerializer).get("_auth_user_id")
        except signing.BadSignature:
            continue
        moved.append(
            new(
                session_key=session.session_key,
                session_data=session.session_data,
                expire_date=session.expire_date,
                user_id=user,
            )
        )
    new.objects.bulk_create(moved, batch_size=1000)
    old.objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("evalsite", "0001_api_tokens"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "session_key",
                    models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="session key"),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"verbose_name": "session", "verbose_name_plural": "sessions", "abstract": False},
        ),
        migrations.RunPython(keep_sessions, migrations.RunPython.noop),
    ]
