"""Texts of pages and sub-tasks of evaluators are looked at once a statement, and marked pages are not looked up again.

What a trigger looks up begins with the rows of the statement, whatever is planned, as in `0046_keys_in_their_order`.
A token is found by one index.
"""

from importlib import import_module

from django.db import migrations, models

import annotations.models.answers

guards = import_module("annotations.migrations.0002_guards")
once = import_module("annotations.migrations.0043_keys_once_a_statement")
ordered = import_module("annotations.migrations.0046_keys_in_their_order")

PAGE_CANDIDATES_FIT = f"""
CREATE FUNCTION annotations_page_candidates_fit() RETURNS trigger LANGUAGE plpgsql {once.BY_INDEX} AS $$
DECLARE
    wrong record;
BEGIN
    SELECT added.page_id, added.candidate_id INTO wrong
    FROM added
    LEFT JOIN annotations_page page ON page.id = added.page_id
    LEFT JOIN annotations_subtask subtask ON subtask.id = page.subtask_id
    LEFT JOIN generation_candidate candidate ON candidate.id = added.candidate_id
    LEFT JOIN generation_generationrun run ON run.id = candidate.run_id
    LEFT JOIN annotations_studymethod study_method
        ON study_method.id = added.study_method_id AND study_method.method_id = run.method_id
    WHERE (page.prompt_id, subtask.study_id) IS DISTINCT FROM (candidate.prompt_id, study_method.study_id)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'candidate % is not of the prompt of page % by that method of its study',
            wrong.candidate_id, wrong.page_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER page_candidates_inserted_fit AFTER INSERT ON annotations_pagecandidate
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION annotations_page_candidates_fit();
CREATE TRIGGER page_candidates_updated_fit AFTER UPDATE ON annotations_pagecandidate
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION annotations_page_candidates_fit();
DROP TRIGGER page_candidate_fits ON annotations_pagecandidate;
DROP FUNCTION annotations_page_candidate_fits();
"""
PAGE_CANDIDATES_FIT_BACK = f"""
DROP TRIGGER page_candidates_inserted_fit ON annotations_pagecandidate;
DROP TRIGGER page_candidates_updated_fit ON annotations_pagecandidate;
DROP FUNCTION annotations_page_candidates_fit();
{guards.PAGE_CANDIDATE_FITS}
"""
ASSIGNMENTS_FIT = f"""
CREATE FUNCTION annotations_assignments_fit() RETURNS trigger LANGUAGE plpgsql {once.BY_INDEX} AS $$
DECLARE
    wrong record;
BEGIN
    SELECT added.subtask_id, added.enrolment_id INTO wrong
    FROM added
    LEFT JOIN annotations_subtask subtask ON subtask.id = added.subtask_id
    LEFT JOIN annotations_enrolment enrolment
        ON enrolment.id = added.enrolment_id AND enrolment.study_id = subtask.study_id
    WHERE enrolment.id IS NULL
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'sub-task % is not of the study of enrolment %', wrong.subtask_id, wrong.enrolment_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER assignments_inserted_fit AFTER INSERT ON annotations_assignment
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION annotations_assignments_fit();
CREATE TRIGGER assignments_updated_fit AFTER UPDATE ON annotations_assignment
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION annotations_assignments_fit();
DROP TRIGGER assignment_fits ON annotations_assignment;
DROP FUNCTION annotations_assignment_fits();
"""
ASSIGNMENTS_FIT_BACK = f"""
DROP TRIGGER assignments_inserted_fit ON annotations_assignment;
DROP TRIGGER assignments_updated_fit ON annotations_assignment;
DROP FUNCTION annotations_assignments_fit();
{guards.ASSIGNMENT_FITS}
"""
# Where this transaction has marked every page of the evaluators, as an import has that has just placed the texts, no
# text is looked up.
RATINGS_CHANGED = ordered.RATINGS_CHANGED.replace(
    "BEGIN\n",
    f"""BEGIN
    IF NOT EXISTS (
        SELECT FROM annotations_pagesums
        WHERE {once.MARKED}enrolment_id = ANY (ARRAY(SELECT DISTINCT enrolment_id FROM changed))
    ) THEN
        RETURN NULL;
    END IF;
""",
)


class Migration(migrations.Migration):
    dependencies = [
        ("annotations", "0049_spans_from_elsewhere"),
    ]

    operations = [
        migrations.RunSQL(PAGE_CANDIDATES_FIT, PAGE_CANDIDATES_FIT_BACK),
        migrations.RunSQL(ASSIGNMENTS_FIT, ASSIGNMENTS_FIT_BACK),
        migrations.RunSQL(RATINGS_CHANGED, ordered.RATINGS_CHANGED),
        migrations.AlterField(
            model_name="placement",
            name="token",
            field=models.CharField(default=annotations.models.answers.new_token, max_length=22),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.UniqueConstraint(fields=["token"], name="placement_token_once"),
        ),
    ]
