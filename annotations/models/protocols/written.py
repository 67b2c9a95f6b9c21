"""What evaluators write: why they answered as they did, and how a text should have been."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotations.models.answers import Enrolment
from annotations.models.pages import Page
from generation.models import Candidate


class WrittenAnswer(models.Model):
    """One version of a reason or of a corrected text; that of the highest client order is the one that counts.

    Nothing is overwritten: each version that was sent is a row. An empty text takes the answer back. A trigger
    (`0041_checklists`) holds that the text stands on the evaluator's page.
    """

    class Kind(models.TextChoices):
        REASON = "reason", _("reason")
        CORRECTION = "correction", _("corrected text")

    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.CASCADE, related_name="written_answers", db_index=False
    )
    page = models.ForeignKey(Page, on_delete=models.CASCADE)
    # None: a reason for the answers to the page.
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, null=True)
    kind = models.CharField(max_length=10, choices=Kind)
    text = models.TextField(blank=True)
    client_order = models.BigIntegerField()
    saved_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "page", "candidate", "kind", "client_order"],
                name="written_answer_version_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(kind="reason") | Q(kind="correction", candidate__isnull=False),
                name="written_answer_kind_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on page {self.page_id} by enrolment {self.enrolment_id}"
