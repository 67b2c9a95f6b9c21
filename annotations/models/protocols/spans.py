"""Errors that evaluators mark in texts: the categories and severities of a study, and the marks."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotations.models.answers import Enrolment
from annotations.models.study import Study
from annotations.models.texts_by_language import TextsField
from generation.models import Candidate

# A letter for each category and a digit for each severity choose it by key.
MOST_CATEGORIES = 26
MOST_SEVERITIES = 9
MOST_MARKS = 100
LONGEST_NOTE = 300
LARGEST_WEIGHT = 1000
WEIGHT = [
    MinValueValidator(0, _("A weight is at least 0.")),
    MaxValueValidator(LARGEST_WEIGHT, _("A weight is at most 1000.")),
]
KEY = RegexValidator(r"^[a-z0-9][a-z0-9_-]*\Z", _("A key has small English letters, digits, - and _ alone."))


class ErrorSeverity(models.Model):
    """How grave an error is, and the penalty of one."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="severities")
    number = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=40, validators=[KEY])
    label = TextsField(max_length=80, error_messages={"blank": _("Give the severity a name.")})
    weight = models.FloatField(validators=WEIGHT)

    class Meta:
        verbose_name_plural = "error severities"
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "key"], name="severity_key_once"),
            models.UniqueConstraint(fields=["study", "number"], name="severity_number_once"),
            models.CheckConstraint(
                condition=Q(weight__gte=0, weight__lte=LARGEST_WEIGHT), name="severity_weight_within_bounds"
            ),
            models.CheckConstraint(condition=~Q(label={}), name="severity_label_given"),
        ]

    def __str__(self) -> str:
        return self.key


class ErrorCategory(models.Model):
    """A kind of error. Its weight multiplies that of a severity, except where `penalties` has another number."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="error_categories")
    number = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=40, validators=[KEY])
    label = TextsField(max_length=80, error_messages={"blank": _("Give the category a name.")})
    # What counts as such an error, for those who mark.
    description = TextsField(max_length=300, blank=True)
    weight = models.FloatField(default=1, validators=WEIGHT)
    # The penalty of an error of a severity, by the severity's key, as MQM's 25 for whatever is no translation at all.
    penalties = models.JSONField(default=dict, blank=True)
    # Something that should be in the text and is not: it is marked at a place, or nowhere.
    is_missing = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "error categories"
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "key"], name="category_key_once"),
            models.UniqueConstraint(fields=["study", "number"], name="category_number_once"),
            models.CheckConstraint(
                condition=Q(weight__gte=0, weight__lte=LARGEST_WEIGHT), name="category_weight_within_bounds"
            ),
            models.CheckConstraint(condition=~Q(label={}), name="category_label_given"),
        ]

    def __str__(self) -> str:
        return self.key

    def penalty(self, severity: ErrorSeverity) -> float:
        """Return what one error of a severity costs."""
        return float(self.penalties.get(severity.key, self.weight * severity.weight))


class Marking(models.Model):
    """What an evaluator has marked in a text: its spans, and whether that is all; the spans come and go together."""

    # Both are held by one key of two columns (`marking_of_placed_candidate`).
    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.CASCADE, related_name="markings", db_constraint=False, db_index=False
    )
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, db_constraint=False)
    is_done = models.BooleanField(default=False)
    client_order = models.BigIntegerField(default=0)
    saved_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["enrolment", "candidate"], name="marking_once")]

    def __str__(self) -> str:
        return f"marking of candidate {self.candidate_id} by enrolment {self.enrolment_id}"


class Span(models.Model):
    """A stretch of a text that an evaluator marked as an error, in code points of the text as it was written.

    What is missing has a place (`start` = `end`) or none. A trigger (`0042_error_spans`) holds that the span lies in
    its text, and that category and severity are of the study.
    """

    # Both are held by one key of two columns (`span_of_marking`).
    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.CASCADE, related_name="spans", db_constraint=False, db_index=False
    )
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, db_constraint=False)
    number = models.PositiveSmallIntegerField()
    start = models.PositiveIntegerField(null=True)
    end = models.PositiveIntegerField(null=True)
    category = models.ForeignKey(ErrorCategory, on_delete=models.RESTRICT)
    severity = models.ForeignKey(ErrorSeverity, on_delete=models.RESTRICT)
    note = models.CharField(max_length=LONGEST_NOTE, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            # All spans of a text are replaced in one statement.
            models.UniqueConstraint(
                fields=["enrolment", "candidate", "number"],
                name="span_number_once",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                condition=Q(start__isnull=True, end__isnull=True)
                | Q(start__isnull=False, end__isnull=False, start__lte=F("end")),
                name="span_starts_before_it_ends",
            ),
            models.CheckConstraint(condition=Q(number__lt=MOST_MARKS), name="span_number_within_bounds"),
        ]

    def __str__(self) -> str:
        return f"span {self.start}-{self.end} of candidate {self.candidate_id}"
