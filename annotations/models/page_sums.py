"""What is kept of the answers to a page, so that watching a study with a million answers asks for thousands of rows."""

from __future__ import annotations

from django.db import models

from annotations.models.answers import Enrolment
from annotations.models.pages import Page


class PageSums(models.Model):
    """The sums over one evaluator's answers to one page, for `annotations.monitoring.evaluator_sums` alone.

    Triggers (`0037_page_sums`) make a row with the first text that stands on the page, remove it with the last, and
    count `changes` up whenever an answer to the page, its texts or what it asks change. The sums hold while
    `summed_at_change` is that count.
    """

    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    page = models.ForeignKey(
        Page, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    changes = models.BigIntegerField(db_default=1)
    summed_at_change = models.BigIntegerField(null=True)
    asked = models.IntegerField(null=True)
    answered = models.IntegerField(null=True)
    is_inconsistent = models.BooleanField(null=True)
    first_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)
    # Of the history.
    longest_seconds = models.FloatField(null=True)
    first_change_at = models.DateTimeField(null=True)
    last_change_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["enrolment", "page"], name="page_sums_once")]

    def __str__(self) -> str:
        return f"sums of page {self.page_id} of enrolment {self.enrolment_id}"
