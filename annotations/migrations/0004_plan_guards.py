"""A locked plan precedes the first answer and stays as it is; the log of unblindings is only added to."""

from django.db import migrations

PLAN_FITS = """
CREATE FUNCTION annotations_plan_fits() RETURNS trigger LANGUAGE plpgsql AS $$
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
    -- A withdrawn answer was an answer, so the history counts too. Simulated evaluators are a rehearsal.
    IF EXISTS (
        SELECT 1 FROM annotations_enrolment enrolment
        WHERE enrolment.study_id = NEW.study_id AND enrolment.source <> 'simulated' AND (
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
CREATE TRIGGER plan_fits BEFORE INSERT ON annotations_analysisplan
    FOR EACH ROW EXECUTE FUNCTION annotations_plan_fits();
"""

ROW_IS_KEPT = """
CREATE FUNCTION annotations_row_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row of % cannot be changed', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;
"""

# A cascade deletes the rows before their study, so whether the study went with them shows at the end only.
ROW_GOES_WITH_ITS_STUDY = """
CREATE FUNCTION annotations_row_goes_with_its_study() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM annotations_study WHERE id = OLD.study_id) THEN
        RAISE EXCEPTION 'a row of % cannot be deleted without its study', TG_TABLE_NAME
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
"""


def guarded(table: str, name: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER {name}_is_kept BEFORE UPDATE ON annotations_{table}
            FOR EACH ROW EXECUTE FUNCTION annotations_row_is_kept();
        CREATE CONSTRAINT TRIGGER {name}_goes_with_its_study AFTER DELETE ON annotations_{table}
            DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION annotations_row_goes_with_its_study();
        """,
        f"""
        DROP TRIGGER {name}_is_kept ON annotations_{table};
        DROP TRIGGER {name}_goes_with_its_study ON annotations_{table};
        """,
    )


class Migration(migrations.Migration):
    dependencies = [("annotations", "0003_plans")]

    operations = [
        migrations.RunSQL(
            PLAN_FITS,
            "DROP TRIGGER plan_fits ON annotations_analysisplan; DROP FUNCTION annotations_plan_fits();",
        ),
        migrations.RunSQL(ROW_IS_KEPT, "DROP FUNCTION annotations_row_is_kept();"),
        migrations.RunSQL(ROW_GOES_WITH_ITS_STUDY, "DROP FUNCTION annotations_row_goes_with_its_study();"),
        guarded("analysisplan", "plan"),
        guarded("unblinding", "unblinding"),
    ]
