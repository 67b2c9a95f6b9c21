import django.db.models.deletion
from django.db import migrations, models

# Statement by statement, so that an import of a million ratings is one call. Of the rows that a statement has changed
# (`changed`) each marks its page; where a page has no row of sums, it has no text either.
FUNCTIONS = """
CREATE FUNCTION annotations_ratings_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE annotations_pagesums SET changes = changes + 1 WHERE (enrolment_id, page_id) IN (
        SELECT placement.enrolment_id, placement.page_id
        FROM changed JOIN annotations_placement placement USING (enrolment_id, candidate_id));
    RETURN NULL;
END $$;
CREATE FUNCTION annotations_page_answers_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE annotations_pagesums SET changes = changes + 1
    WHERE (enrolment_id, page_id) IN (SELECT enrolment_id, page_id FROM changed);
    RETURN NULL;
END $$;
CREATE FUNCTION annotations_placements_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO annotations_pagesums AS sums (enrolment_id, page_id)
    SELECT DISTINCT enrolment_id, page_id FROM changed ORDER BY enrolment_id, page_id
    ON CONFLICT (enrolment_id, page_id) DO UPDATE SET changes = sums.changes + 1;
    RETURN NULL;
END $$;
CREATE FUNCTION annotations_placements_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM annotations_pagesums sums WHERE (enrolment_id, page_id) IN (
        SELECT enrolment_id, page_id FROM changed) AND NOT EXISTS (
        SELECT FROM annotations_placement placement
        WHERE placement.enrolment_id = sums.enrolment_id AND placement.page_id = sums.page_id);
    UPDATE annotations_pagesums SET changes = changes + 1
    WHERE (enrolment_id, page_id) IN (SELECT enrolment_id, page_id FROM changed);
    RETURN NULL;
END $$;
CREATE FUNCTION annotations_questions_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE annotations_pagesums SET changes = changes + 1 WHERE enrolment_id IN (
        SELECT enrolment.id FROM changed JOIN annotations_enrolment enrolment USING (study_id));
    RETURN NULL;
END $$;
CREATE FUNCTION annotations_study_asks_otherwise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE annotations_pagesums SET changes = changes + 1
    WHERE enrolment_id IN (SELECT id FROM annotations_enrolment WHERE study_id = NEW.id);
    RETURN NULL;
END $$;
"""
MARKED = {
    "rating": "annotations_ratings_changed",
    "bestchoice": "annotations_page_answers_changed",
    "judgement": "annotations_page_answers_changed",
    "criterion": "annotations_questions_changed",
}
TRIGGERS = [
    (f"{table}_marks_page_{event.lower()}", event, table, which, function)
    for table, function in MARKED.items()
    for event, which in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
] + [
    ("placement_makes_sums", "INSERT", "placement", "NEW", "annotations_placements_made"),
    ("placement_moves_sums", "UPDATE", "placement", "NEW", "annotations_placements_made"),
    ("placement_removes_sums", "DELETE", "placement", "OLD", "annotations_placements_removed"),
]
CREATE = (
    FUNCTIONS
    + "".join(
        f"CREATE TRIGGER {name} AFTER {event} ON annotations_{table} REFERENCING {which} TABLE AS changed"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {function}();\n"
        for name, event, table, which, function in TRIGGERS
    )
    + """
CREATE TRIGGER study_asks_otherwise AFTER UPDATE OF has_best_picks, protocol ON annotations_study FOR EACH ROW
    WHEN (OLD.has_best_picks <> NEW.has_best_picks OR OLD.protocol <> NEW.protocol)
    EXECUTE FUNCTION annotations_study_asks_otherwise();
-- Each answer updates the row of its page: with room beside it no index is touched.
ALTER TABLE annotations_pagesums SET (fillfactor = 70);
INSERT INTO annotations_pagesums (enrolment_id, page_id)
    SELECT DISTINCT enrolment_id, page_id FROM annotations_placement;
"""
)
DROP = (
    "DROP TRIGGER study_asks_otherwise ON annotations_study;\n"
    + "".join(f"DROP TRIGGER {name} ON annotations_{table};\n" for name, _, table, _, _ in TRIGGERS)
    + "".join(
        f"DROP FUNCTION {name}();\n"
        for name in (
            *dict.fromkeys(function for *_, function in TRIGGERS),
            "annotations_study_asks_otherwise",
        )
    )
)


class Migration(migrations.Migration):
    dependencies = [("annotations", "0036_jobs_that_store")]

    operations = [
        migrations.CreateModel(
            name="PageSums",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("changes", models.BigIntegerField(db_default=1)),
                ("summed_at_change", models.BigIntegerField(null=True)),
                ("asked", models.IntegerField(null=True)),
                ("answered", models.IntegerField(null=True)),
                ("is_inconsistent", models.BooleanField(null=True)),
                ("first_at", models.DateTimeField(null=True)),
                ("last_at", models.DateTimeField(null=True)),
                ("longest_seconds", models.FloatField(null=True)),
                ("first_change_at", models.DateTimeField(null=True)),
                ("last_change_at", models.DateTimeField(null=True)),
                (
                    "enrolment",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="annotations.enrolment",
                    ),
                ),
                (
                    "page",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="annotations.page",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("enrolment", "page"), name="page_sums_once")
                ],
            },
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
