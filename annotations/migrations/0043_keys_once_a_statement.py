"""The keys of placements and ratings are looked up once a statement instead of once a row, a million in a minute.

A statement locks what its rows refer to as a foreign key does (FOR KEY SHARE), but by whole pages, evaluators and
criteria; whoever removes what is referred to locks the same row against it (FOR UPDATE) and looks whether anything
still refers to it, at the end of the transaction, because a cascade deletes in an order of its own.
"""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

guards = import_module("annotations.migrations.0002_guards")
elsewhere = import_module("annotations.migrations.0027_ratings_from_elsewhere")
sums = import_module("annotations.migrations.0037_page_sums")

REPLACED = ("placement_stands_on_page", "rating_of_placed_candidate")
KEYS = [key for key in guards.COLUMN_KEYS if key[0] in REPLACED]
DROP_KEYS = "".join(
    f"ALTER TABLE {child.split()[0]} DROP CONSTRAINT {name};\n" for name, child, _parent in KEYS
)
KEEP_KEYS = "".join(
    f"ALTER TABLE {child.split()[0]} ADD CONSTRAINT {name} FOREIGN KEY {child[child.index('(') :]}"
    f" REFERENCES {parent} DEFERRABLE INITIALLY DEFERRED;\n"
    for name, child, parent in KEYS
)
# A plan is kept for the connection, so that of a first import of many rows must serve the save of one as well: each row
# is looked up by an index, whatever the statistics say.
BY_INDEX = "SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off"
PLACEMENTS_STAND = f"""
CREATE FUNCTION annotations_placements_stand() RETURNS trigger LANGUAGE plpgsql {BY_INDEX} AS $$
DECLARE
    wrong record;
BEGIN
    PERFORM FROM annotations_enrolment enrolment
        WHERE id IN (SELECT enrolment_id FROM added) FOR KEY SHARE OF enrolment;
    PERFORM FROM annotations_page page WHERE id IN (SELECT page_id FROM added) FOR KEY SHARE OF page;
    SELECT added.page_id, added.candidate_id, added.enrolment_id, enrolment.id AS enrolled INTO wrong
    FROM added
    LEFT JOIN annotations_enrolment enrolment ON enrolment.id = added.enrolment_id
    LEFT JOIN annotations_pagecandidate shown
        ON shown.page_id = added.page_id AND shown.candidate_id = added.candidate_id
    WHERE enrolment.id IS NULL OR shown.id IS NULL
    LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF wrong.enrolled IS NULL THEN
        RAISE EXCEPTION 'placement_of_enrolment: there is no enrolment %', wrong.enrolment_id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'placement_of_enrolment';
    END IF;
    RAISE EXCEPTION 'placement_stands_on_page: candidate % is not on page %', wrong.candidate_id, wrong.page_id
        USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'placement_stands_on_page';
END $$;
CREATE TRIGGER placements_inserted_stand AFTER INSERT ON annotations_placement
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION annotations_placements_stand();
CREATE TRIGGER placements_updated_stand AFTER UPDATE ON annotations_placement
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION annotations_placements_stand();
"""
# As in `0027_ratings_from_elsewhere`, with what the two keys of a rating held.
RATINGS_FIT = (
    elsewhere.RATINGS_FIT[: elsewhere.RATINGS_FIT.index("CREATE TRIGGER")]
    .replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    .replace("LANGUAGE plpgsql AS", f"LANGUAGE plpgsql {BY_INDEX} AS")
    .replace(
        "BEGIN\n",
        """BEGIN
    PERFORM FROM annotations_enrolment enrolment
        WHERE id IN (SELECT enrolment_id FROM added) FOR KEY SHARE OF enrolment;
    PERFORM FROM annotations_criterion criterion
        WHERE id IN (SELECT criterion_id FROM added) FOR KEY SHARE OF criterion;
""",
    )
    .replace(
        "enrolment.source INTO wrong",
        "enrolment.source,\n           added.candidate_id, placement.id AS placed INTO wrong",
    )
    .replace(
        "    WHERE criterion.id IS NULL\n",
        """    LEFT JOIN annotations_placement placement
        ON placement.enrolment_id = added.enrolment_id AND placement.candidate_id = added.candidate_id
    WHERE criterion.id IS NULL OR placement.id IS NULL
""",
    )
    .replace(
        "    IF wrong.off_scale AND wrong.source",
        """    IF wrong.placed IS NULL THEN
        RAISE EXCEPTION 'rating_of_placed_candidate: enrolment % is not shown candidate %',
            wrong.enrolment_id, wrong.candidate_id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'rating_of_placed_candidate';
    END IF;
    IF wrong.off_scale AND wrong.source""",
    )
)
RATINGS_FIT_BACK = elsewhere.RATINGS_FIT[: elsewhere.RATINGS_FIT.index("CREATE TRIGGER")].replace(
    "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
)
# By table: the columns that are referred to, what is locked against new rows, and which table refers by which columns.
REFERRED = {
    "enrolment": (["id"], "", "placement", ["enrolment_id"]),
    "criterion": (["id"], "", "rating", ["criterion_id"]),
    "pagecandidate": (
        ["page_id", "candidate_id"],
        "PERFORM FROM annotations_page WHERE id = OLD.page_id FOR UPDATE;",
        "placement",
        ["page_id", "candidate_id"],
    ),
    "placement": (
        ["enrolment_id", "candidate_id"],
        "PERFORM FROM annotations_enrolment WHERE id = OLD.enrolment_id FOR UPDATE;",
        "rating",
        ["enrolment_id", "candidate_id"],
    ),
}


def is_unused(table: str, columns: list[str], lock: str, child: str, referring: list[str]) -> str:
    """Return the SQL that keeps a row of a table while a row of `child` refers to it."""
    key = " AND ".join(f"{column} = OLD.{column}" for column in columns)
    refers = " AND ".join(f"{one} = OLD.{column}" for one, column in zip(referring, columns, strict=True))
    moved = " OR ".join(f"OLD.{column} <> NEW.{column}" for column in columns)
    return f"""
CREATE FUNCTION annotations_{table}_is_unused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {lock}
    IF EXISTS (SELECT FROM annotations_{child} WHERE {refers})
        AND NOT EXISTS (SELECT FROM annotations_{table} WHERE {key}) THEN
        RAISE EXCEPTION '{table}_is_unused: a {child} refers to {table} %', OLD.id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = '{table}_is_unused';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER {table}_is_unused AFTER DELETE ON annotations_{table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION annotations_{table}_is_unused();
CREATE CONSTRAINT TRIGGER {table}_moves_unused AFTER UPDATE ON annotations_{table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ({moved}) EXECUTE FUNCTION annotations_{table}_is_unused();
"""


KEPT = "".join(is_unused(table, *of) for table, of in REFERRED.items())
NOT_KEPT = "".join(
    f"DROP TRIGGER {table}_is_unused ON annotations_{table};\n"
    f"DROP TRIGGER {table}_moves_unused ON annotations_{table};\n"
    f"DROP FUNCTION annotations_{table}_is_unused();\n"
    for table in REFERRED
)
# What this transaction has marked already and nobody has summed up since needs no second mark: nobody else sees it.
MARKED = "NOT (xmin = pg_current_xact_id()::xid AND summed_at_change IS DISTINCT FROM changes) AND "
RATINGS_CHANGED = sums.FUNCTIONS[
    : sums.FUNCTIONS.index("CREATE FUNCTION annotations_page_answers_changed")
].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
MARK_ONCE = RATINGS_CHANGED.replace("LANGUAGE plpgsql AS", f"LANGUAGE plpgsql {BY_INDEX} AS").replace(
    "WHERE (enrolment_id", f"WHERE {MARKED}(enrolment_id"
)


class Migration(migrations.Migration):
    dependencies = [
        ("annotations", "0042_error_spans"),
    ]

    operations = [
        migrations.AlterField(
            model_name="placement",
            name="enrolment",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="placements",
                to="annotations.enrolment",
            ),
        ),
        migrations.AlterField(
            model_name="rating",
            name="criterion",
            field=models.ForeignKey(
                db_constraint=False, on_delete=django.db.models.deletion.RESTRICT, to="annotations.criterion"
            ),
        ),
        migrations.RunSQL(DROP_KEYS, KEEP_KEYS),
        migrations.RunSQL(
            PLACEMENTS_STAND,
            "DROP TRIGGER placements_inserted_stand ON annotations_placement;"
            "DROP TRIGGER placements_updated_stand ON annotations_placement;"
            "DROP FUNCTION annotations_placements_stand();",
        ),
        migrations.RunSQL(RATINGS_FIT, RATINGS_FIT_BACK),
        migrations.RunSQL(KEPT, NOT_KEPT),
        migrations.RunSQL(MARK_ONCE, RATINGS_CHANGED),
    ]
