"""Checklists: statements that hold of a text or do not, and what evaluators said of them."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotations.models.answers import Enrolment
from annotations.models.pages import Page
from annotations.models.study import Study
from annotations.models.texts_by_language import TextsField
from generation.models import Candidate

SMALLEST_WEIGHT, LARGEST_WEIGHT = 0.001, 1_000.0


class ChecklistItem(models.Model):
    """A statement or question about each text of a page, of the prompt on it or, without a page, of all prompts."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="checklist_items")
    page = models.ForeignKey(Page, on_delete=models.CASCADE, null=True, related_name="checklist_items")
    # From 1, among those of the study or of the page.
    number = models.PositiveSmallIntegerField()
    text = TextsField(max_length=500)
    weight = models.FloatField(
        default=1, validators=[MinValueValidator(SMALLEST_WEIGHT), MaxValueValidator(LARGEST_WEIGHT)]
    )
    # Whether it may be answered with ‘does not apply’.
    may_not_apply = models.BooleanField(default=True)

    class Meta:
        ordering = [models.F("page").asc(nulls_first=True), "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "page", "number"], name="checklist_item_number_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(weight__gte=SMALLEST_WEIGHT, weight__lte=LARGEST_WEIGHT),
                name="checklist_item_weight_within_bounds",
            ),
            models.CheckConstraint(condition=~Q(text={}), name="checklist_item_text_given"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def key(self) -> str:
        """What it is called in files and by browsers, among all items of its page."""
        return f"{'study' if self.page_id is None else 'prompt'}-{self.number}"


class ChecklistAnswer(models.Model):
    """What an evaluator says of a checklist item and a candidate.

    A trigger (`0041_checklists`) holds that the item is asked on the page where the candidate stands.
    """

    class Answer(models.IntegerChoices):
        YES = 1, _("yes")
        NO = 2, _("no")
        DOES_NOT_APPLY = 3, _("does not apply")

    # Both are held by one key of two columns (`checklist_answer_of_placed_candidate`).
    enrolment = models.ForeignKey(
        Enrolment,
        on_delete=models.CASCADE,
        related_name="checklist_answers",
        db_constraint=False,
        db_index=False,
    )
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, db_constraint=False)
    item = models.ForeignKey(ChecklistItem, on_delete=models.RESTRICT, related_name="answers")
    answer = models.PositiveSmallIntegerField(choices=Answer)
    client_order = models.BigIntegerField(default=0)
    saved_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "candidate", "item"], name="checklist_answer_once"),
            models.CheckConstraint(condition=Q(answer__in=[1, 2, 3]), name="checklist_answer_known"),
        ]

    def __str__(self) -> str:
        return f"{self.Answer(self.answer).name} on item {self.item_id} for candidate {self.candidate_id}"
