"""What the triggers of ratings and placements look up begins with the rows of the statement, whatever is planned.

A plan that was made for few rows and kept for the connection took the square of many. A list of keys is worked out
first, and a left join without hashes can only look each row up.
"""

from importlib import import_module

from django.db import migrations

once = import_module("annotations.migrations.0043_keys_once_a_statement")


def in_order(sql: str) -> str:
    """Return functions that find what they lock by a list of keys."""
    for column in ("enrolment_id", "page_id", "criterion_id"):
        sql = sql.replace(
            f"id IN (SELECT {column} FROM added)", f"id = ANY (ARRAY(SELECT DISTINCT {column} FROM added))"
        )
    return sql


PLACEMENTS_STAND = once.PLACEMENTS_STAND[: once.PLACEMENTS_STAND.index("CREATE TRIGGER")].replace(
    "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
)
RATINGS_CHANGED = f"""
CREATE OR REPLACE FUNCTION annotations_ratings_changed() RETURNS trigger LANGUAGE plpgsql {once.BY_INDEX} AS $$
BEGIN
    UPDATE annotations_pagesums SET changes = changes + 1 WHERE {once.MARKED}id = ANY (ARRAY(
        SELECT DISTINCT sums.id
        FROM changed
        LEFT JOIN annotations_placement placement
            ON placement.enrolment_id = changed.enrolment_id AND placement.candidate_id = changed.candidate_id
        LEFT JOIN annotations_pagesums sums
            ON sums.enrolment_id = placement.enrolment_id AND sums.page_id = placement.page_id));
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('annotations', '0045_job_letters'),
    ]

    operations = [
        migrations.RunSQL(in_order(PLACEMENTS_STAND), PLACEMENTS_STAND),
        migrations.RunSQL(in_order(once.RATINGS_FIT), once.RATINGS_FIT),
        migrations.RunSQL(RATINGS_CHANGED, once.MARK_ONCE),
    ]
