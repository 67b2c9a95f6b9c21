"""No new account and no new study has a name that differs from another one's by case only; those that do stay."""

from django.conf import settings
from django.db import migrations

# A name with a slash stands for a person who has no account, in the words of published records.
APART = """
CREATE FUNCTION annotations_name_apart() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    name text := to_jsonb(NEW) ->> TG_ARGV[0];
    twin text;
BEGIN
    IF name LIKE '%/%' OR (TG_OP = 'UPDATE' AND to_jsonb(OLD) ->> TG_ARGV[0] = name) THEN
        RETURN NEW;
    END IF;
    -- Of two at once the later one sees the name of the earlier one.
    PERFORM pg_advisory_xact_lock(hashtext(TG_TABLE_NAME), hashtext(upper(name)));
    EXECUTE format(
        'SELECT %1$I FROM %2$I WHERE upper(%1$I) = upper($1) AND %1$I <> $1 AND id <> $2 LIMIT 1',
        TG_ARGV[0], TG_TABLE_NAME
    ) INTO twin USING name, NEW.id;
    IF twin IS NOT NULL THEN
        RAISE EXCEPTION 'there is % already, and case does not tell names apart', twin
            USING ERRCODE = 'unique_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE INDEX annotations_username_upper ON auth_user (upper(username));
CREATE TRIGGER annotations_name_apart BEFORE INSERT OR UPDATE OF username ON auth_user
    FOR EACH ROW EXECUTE FUNCTION annotations_name_apart('username');
CREATE TRIGGER annotations_name_apart BEFORE INSERT OR UPDATE OF slug ON annotations_study
    FOR EACH ROW EXECUTE FUNCTION annotations_name_apart('slug');
"""
APART_BACK = """
DROP TRIGGER annotations_name_apart ON annotations_study;
DROP TRIGGER annotations_name_apart ON auth_user;
DROP INDEX annotations_username_upper;
DROP FUNCTION annotations_name_apart();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("annotations", "0015_planned_effect_and_analysis"),
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [migrations.RunSQL(APART, APART_BACK)]
