"""What a study declares before its launch to see how carefully it is answered, and what is kept of that."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotations.models.answers import Enrolment
from annotations.models.bounds import a_share, whole_number
from annotations.models.numbers import NumberField
from annotations.models.pages import Page, PageCandidate
from annotations.models.study import Criterion, Study

MOST_REPEATS = 10
MOST_ATTEMPTS = 20
MOST_SECONDS = 600


class QualityControl(models.Model):
    """The checks of a study beside its known answers; a study without a row has none.

    Nothing here excludes anybody: who counts is decided by the study's rule alone.
    """

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="quality_control")
    # How many pages of each sub-task come again later in it.
    repeats_per_subtask = models.PositiveSmallIntegerField(
        default=0, validators=whole_number(MOST_REPEATS, least=0)
    )
    # Whoever has a smaller share of the known-answer pages right is flagged.
    known_answer_share = models.DecimalField(
        max_digits=4, decimal_places=3, default=Decimal("0.5"), validators=[a_share]
    )
    # The share of the training pages that must be right before the first real page; empty: the pages are for practice.
    training_share = models.DecimalField(
        max_digits=4, decimal_places=3, null=True, blank=True, validators=[a_share]
    )
    training_attempts = models.PositiveSmallIntegerField(default=3, validators=whole_number(MOST_ATTEMPTS))
    # Whether it is noted that a page was left or something pasted there, and evaluators flagged by that, by hasty
    # answers and by straight lines.
    has_flags = models.BooleanField(default=False)
    # A page that was in view for less is answered hastily.
    hasty_seconds = models.PositiveSmallIntegerField(default=5, validators=whole_number(MOST_SECONDS))
    # Whoever has more than this share of their pages hasty, straight-lined or left is flagged.
    flag_share = models.DecimalField(
        max_digits=4, decimal_places=3, default=Decimal("0.2"), validators=[a_share]
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(repeats_per_subtask__lte=MOST_REPEATS), name="quality_repeats_within_bounds"
            ),
            models.CheckConstraint(
                condition=Q(training_attempts__gte=1, training_attempts__lte=MOST_ATTEMPTS),
                name="quality_attempts_within_bounds",
            ),
            models.CheckConstraint(
                condition=Q(hasty_seconds__gte=1, hasty_seconds__lte=MOST_SECONDS),
                name="quality_seconds_within_bounds",
            ),
            models.CheckConstraint(
                condition=Q(known_answer_share__gte=0, known_answer_share__lte=1),
                name="quality_known_answer_share_is_a_share",
            ),
            models.CheckConstraint(
                condition=Q(training_share__isnull=True) | Q(training_share__gte=0, training_share__lte=1),
                name="quality_training_share_is_a_share",
            ),
            models.CheckConstraint(
                condition=Q(flag_share__gte=0, flag_share__lte=1), name="quality_flag_share_is_a_share"
            ),
        ]

    def __str__(self) -> str:
        return f"quality control of study {self.study_id}"


class KnownAnswer(models.Model):
    """What is right about a text on a known-answer or training page.

    Its score by the criterion lies in a range, or, where there is none, it is the best of its page: by the criterion,
    or, without one, by what the study asks as a whole.
    """

    page_candidate = models.ForeignKey(PageCandidate, on_delete=models.CASCADE, related_name="known_answers")
    criterion = models.ForeignKey(Criterion, on_delete=models.CASCADE, null=True, blank=True)
    lowest = NumberField(null=True)
    highest = NumberField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["page_candidate", "criterion"], name="known_answer_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(lowest__isnull=True, highest__isnull=True)
                | Q(criterion__isnull=False, lowest__lte=F("highest")),
                name="known_answer_is_best_or_a_range",
            ),
        ]

    def __str__(self) -> str:
        return f"known answer {self.pk}"


class TrainingAttempt(models.Model):
    """How the training pages were answered, each time that an evaluator had them checked."""

    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="training_attempts")
    number = models.PositiveSmallIntegerField()
    # The known answers (primary keys) that were asked, and those that were met.
    asked = ArrayField(models.BigIntegerField())
    right = ArrayField(models.BigIntegerField())
    is_passed = models.BooleanField()
    # The last step in the history of the answers that were checked: the same answers are no further attempt.
    last_change = models.BigIntegerField()
    checked_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["enrolment", "number"]
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "number"], name="training_attempt_once"),
            models.CheckConstraint(
                condition=Q(right__contained_by=F("asked")), name="training_right_was_asked"
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of enrolment {self.enrolment_id}"


class PageEvent(models.Model):
    """Something that may be looked at later: an evaluator pasted text on a page, or left it for a while.

    What was pasted, and where they went, is never known.
    """

    class Kind(models.TextChoices):
        PASTED = "pasted", _("text was pasted")
        LEFT = "left", _("the page was left")

    enrolment = models.ForeignKey(Enrolment, on_delete=models.CASCADE, related_name="page_events")
    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=6, choices=Kind)
    # Counted by the evaluator's browser: the same event sent again has the same.
    client_order = models.BigIntegerField()
    # How long the page was left.
    seconds = models.FloatField(null=True)
    happened_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "page", "kind", "client_order"], name="page_event_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=["pasted", "left"]), name="page_event_kind_known"),
            models.CheckConstraint(
                condition=Q(kind="pasted", seconds__isnull=True) | Q(kind="left", seconds__gte=0),
                name="page_event_left_for_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on page {self.page_id} by enrolment {self.enrolment_id}"
