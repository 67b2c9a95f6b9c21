"""Rules that span tables, held by the database: foreign keys of several columns, and triggers."""

from django.db import migrations

# Deferred like Django's own keys, because a cascade deletes in an order of its own.
COLUMN_KEYS = [
    (
        "placement_stands_on_page",
        "annotations_placement (page_id, candidate_id)",
        "annotations_pagecandidate (page_id, candidate_id)",
    ),
    (
        "rating_of_placed_candidate",
        "annotations_rating (enrolment_id, candidate_id)",
        "annotations_placement (enrolment_id, candidate_id)",
    ),
    (
        "best_choice_of_its_page",
        "annotations_bestchoice (enrolment_id, page_id, candidate_id)",
        "annotations_placement (enrolment_id, page_id, candidate_id)",
    ),
    (
        "change_of_placed_candidate",
        "annotations_answerchange (enrolment_id, page_id, candidate_id)",
        "annotations_placement (enrolment_id, page_id, candidate_id)",
    ),
]

PAGE_CANDIDATE_FITS = """
CREATE FUNCTION annotations_page_candidate_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Two look-ups by primary key. As one join it was planned badly while the tables were new and not analysed.
    IF (
        SELECT (page.prompt_id, subtask.study_id)
        FROM annotations_page page JOIN annotations_subtask subtask ON subtask.id = page.subtask_id
        WHERE page.id = NEW.page_id
    ) IS DISTINCT FROM (
        SELECT (candidate.prompt_id, study_method.study_id)
        FROM generation_candidate candidate
        JOIN generation_generationrun run ON run.id = candidate.run_id
        JOIN annotations_studymethod study_method ON study_method.method_id = run.method_id
        WHERE candidate.id = NEW.candidate_id AND study_method.id = NEW.study_method_id
    ) THEN
        RAISE EXCEPTION 'candidate % is not of the prompt of page % by that method of its study',
            NEW.candidate_id, NEW.page_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER page_candidate_fits BEFORE INSERT OR UPDATE ON annotations_pagecandidate
    FOR EACH ROW EXECUTE FUNCTION annotations_page_candidate_fits();
"""

RATING_FITS = """
CREATE FUNCTION annotations_rating_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    scale record;
BEGIN
    SELECT criterion.minimum, criterion.maximum, enrolment.source INTO scale
    FROM annotations_criterion criterion
    JOIN annotations_enrolment enrolment ON enrolment.study_id = criterion.study_id
    WHERE criterion.id = NEW.criterion_id AND enrolment.id = NEW.enrolment_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'criterion % is not of the study of enrolment %', NEW.criterion_id, NEW.enrolment_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.off_scale AND scale.source <> 'imported' THEN
        RAISE EXCEPTION 'only an imported record may hold a score off its scale' USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.score BETWEEN scale.minimum AND scale.maximum) = NEW.off_scale THEN
        RAISE EXCEPTION 'score % does not fit the scale % to % (off_scale is %)',
            NEW.score, scale.minimum, scale.maximum, NEW.off_scale USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rating_fits BEFORE INSERT OR UPDATE ON annotations_rating
    FOR EACH ROW EXECUTE FUNCTION annotations_rating_fits();
"""

RATED_CRITERION_KEEPS_SCALE = """
CREATE FUNCTION annotations_rated_criterion_keeps_scale() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM annotations_rating WHERE criterion_id = OLD.id) THEN
        RAISE EXCEPTION 'criterion % has ratings: its scale and study cannot change', OLD.key
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rated_criterion_keeps_scale
    BEFORE UPDATE OF minimum, maximum, study_id ON annotations_criterion FOR EACH ROW
    WHEN ((OLD.minimum, OLD.maximum, OLD.study_id) IS DISTINCT FROM (NEW.minimum, NEW.maximum, NEW.study_id))
    EXECUTE FUNCTION annotations_rated_criterion_keeps_scale();
"""

ASSIGNMENT_FITS = """
CREATE FUNCTION annotations_assignment_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM annotations_subtask subtask
        JOIN annotations_enrolment enrolment ON enrolment.study_id = subtask.study_id
        WHERE subtask.id = NEW.subtask_id AND enrolment.id = NEW.enrolment_id
    ) THEN
        RAISE EXCEPTION 'sub-task % is not of the study of enrolment %', NEW.subtask_id, NEW.enrolment_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER assignment_fits BEFORE INSERT OR UPDATE ON annotations_assignment
    FOR EACH ROW EXECUTE FUNCTION annotations_assignment_fits();
"""

# The history of answers is only ever added to; it goes with its enrolment and not otherwise.
HISTORY_IS_KEPT = """
CREATE FUNCTION annotations_history_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history of answers cannot be changed' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER history_is_kept BEFORE UPDATE ON annotations_answerchange
    FOR EACH ROW EXECUTE FUNCTION annotations_history_is_kept();
"""


def drop(table: str, name: str) -> str:
    return f"DROP TRIGGER {name} ON annotations_{table}; DROP FUNCTION annotations_{name}();"


class Migration(migrations.Migration):
    dependencies = [("annotations", "0001_initial"), ("generation", "0001_initial")]

    operations = [
        *[
            migrations.RunSQL(
                f"ALTER TABLE {child.split()[0]} ADD CONSTRAINT {name} FOREIGN KEY {child[child.index('(') :]} "
                f"REFERENCES {parent} DEFERRABLE INITIALLY DEFERRED",
                f"ALTER TABLE {child.split()[0]} DROP CONSTRAINT {name}",
            )
            for name, child, parent in COLUMN_KEYS
        ],
        migrations.RunSQL(PAGE_CANDIDATE_FITS, drop("pagecandidate", "page_candidate_fits")),
        migrations.RunSQL(RATING_FITS, drop("rating", "rating_fits")),
        migrations.RunSQL(RATED_CRITERION_KEEPS_SCALE, drop("criterion", "rated_criterion_keeps_scale")),
        migrations.RunSQL(ASSIGNMENT_FITS, drop("assignment", "assignment_fits")),
        migrations.RunSQL(HISTORY_IS_KEPT, drop("answerchange", "history_is_kept")),
    ]
