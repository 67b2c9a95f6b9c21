"""A plan may be locked after answers of the training round, which are none that count."""

from importlib import import_module
from typing import ClassVar

from django.db import migrations

people = import_module("annotations.migrations.0010_people_guards")

WITHDRAWN = "coalesce(enrolment.answers_removed, 0) > 0 OR"
BEFORE = people.PLAN_FITS.format(withdrawn=WITHDRAWN)
# Material of the training round is on no other page.
OF_TRAINING_TEXT = """
    AND NOT EXISTS (
        SELECT 1 FROM annotations_pagecandidate page_candidate
        JOIN annotations_page page ON page.id = page_candidate.page_id AND page.role = 'training'
        JOIN annotations_subtask subtask ON subtask.id = page.subtask_id
        WHERE page_candidate.candidate_id = annotations_rating.candidate_id AND subtask.study_id = NEW.study_id
    )"""
OF_TRAINING_PAGE = """
    AND NOT EXISTS (
        SELECT 1 FROM annotations_page page
        WHERE page.id = annotations_{table}.page_id AND page.role = 'training'
    )"""


def function() -> str:
    """Return the guard with what leaves the answers of the training round out."""
    found: str = BEFORE
    for table, left_out in (
        ("rating", OF_TRAINING_TEXT),
        ("bestchoice", OF_TRAINING_PAGE.format(table="bestchoice")),
        ("answerchange", OF_TRAINING_PAGE.format(table="answerchange")),
    ):
        answered = f"FROM annotations_{table} WHERE enrolment_id = enrolment.id"
        found = found.replace(answered, answered + left_out)
    return found


class Migration(migrations.Migration):
    dependencies: ClassVar = [("annotations", "0053_planned_groups")]

    operations: ClassVar = [migrations.RunSQL(function(), BEFORE)]
