"""Groups, links and invitations stay in their study, and answers that were withdrawn were answers."""

from django.db import migrations

# Deferred like Django's own keys, because a cascade deletes in an order of its own.
COLUMN_KEYS = [
    (
        "enrolment_in_group_of_study",
        "annotations_enrolment (study_id, group_id)",
        "annotations_evaluatorgroup (study_id, id)",
    ),
    (
        "enrolment_by_link_of_study",
        "annotations_enrolment (study_id, open_link_id)",
        "annotations_openlink (study_id, id)",
    ),
    (
        "invitation_to_group_of_study",
        "annotations_invitation (study_id, group_id)",
        "annotations_evaluatorgroup (study_id, id)",
    ),
    (
        "invitation_used_in_study",
        "annotations_invitation (study_id, used_by_id)",
        "annotations_enrolment (study_id, id)",
    ),
    (
        "open_link_to_group_of_study",
        "annotations_openlink (study_id, group_id)",
        "annotations_evaluatorgroup (study_id, id)",
    ),
]

# As in 0004, and with the answers of which only their number is left.
PLAN_FITS = """
CREATE OR REPLACE FUNCTION annotations_plan_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM annotations_criterion criterion
        WHERE criterion.id = NEW.primary_criterion_id AND criterion.study_id = NEW.study_id
    ) THEN
        RAISE EXCEPTION 'criterion % is not of the study of the plan', NEW.primary_criterion_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF jsonb_typeof(NEW.comparisons) <> 'array' OR NEW.comparisons = '[]' THEN
        RAISE EXCEPTION 'a plan compares at least one pair of methods' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (
        SELECT 1 FROM jsonb_array_elements(NEW.comparisons) pair
        WHERE pair ->> 2 IS NOT NULL OR 2 <> (
            SELECT count(*) FROM annotations_studymethod study_method
            JOIN generation_method method ON method.id = study_method.method_id
            WHERE study_method.study_id = NEW.study_id AND method.key IN (pair ->> 0, pair ->> 1)
        )
    ) THEN
        RAISE EXCEPTION 'a comparison of the plan is not of two methods of its study'
            USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (
        SELECT 1 FROM annotations_enrolment enrolment
        WHERE enrolment.study_id = NEW.study_id AND enrolment.source <> 'simulated' AND (
            {withdrawn}
            EXISTS (SELECT 1 FROM annotations_rating WHERE enrolment_id = enrolment.id)
            OR EXISTS (SELECT 1 FROM annotations_bestchoice WHERE enrolment_id = enrolment.id)
            OR EXISTS (SELECT 1 FROM annotations_answerchange WHERE enrolment_id = enrolment.id)
        )
    ) THEN
        RAISE EXCEPTION 'study % has answers: its plan can no longer be locked', NEW.study_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("annotations", "0009_people_recruiting")]

    operations = [
        *[
            migrations.RunSQL(
                f"ALTER TABLE {child.split()[0]} ADD CONSTRAINT {name} FOREIGN KEY {child[child.index('(') :]} "
                f"REFERENCES {parent} DEFERRABLE INITIALLY DEFERRED",
                f"ALTER TABLE {child.split()[0]} DROP CONSTRAINT {name}",
            )
            for name, child, parent in COLUMN_KEYS
        ],
        migrations.RunSQL(
            PLAN_FITS.format(withdrawn="coalesce(enrolment.answers_removed, 0) > 0 OR"),
            PLAN_FITS.format(withdrawn=""),
        ),
    ]
