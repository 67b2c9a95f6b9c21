"""Studies: which candidates are shown for which prompts, and by which criteria they are rated."""

from __future__ import annotations

import secrets
from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from generation.models import Candidate, GenerationRun, Method, Prompt


def new_order_seed() -> int:
    return secrets.randbits(63)


def in_current_language(english: str, chinese: str) -> str:
    """Return the text in the reader's language, or the other one where it is missing."""
    preferred, other = (chinese, english) if (get_language() or "").startswith("zh") else (english, chinese)
    return preferred or other


class StudyQuerySet(models.QuerySet["Study"]):
    def sealed(self) -> StudyQuerySet:
        """Studies whose numbers nobody may see yet: open, with people answering, and never unblinded."""
        return self.filter(
            state=Study.State.OPEN, enrolments__source="questionnaire", unblindings__isnull=True
        ).distinct()


class Study(models.Model):
    """One human evaluation: prompts, methods, criteria, a time to rate and rules fixed beforehand."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")

    class Language(models.TextChoices):
        CHINESE = "zh", _("Chinese")
        ENGLISH = "en", _("English")

    slug = models.SlugField(unique=True, max_length=80)
    title_en = models.CharField(max_length=200, blank=True)
    title_zh = models.CharField(max_length=200, blank=True)
    instructions_en = models.TextField(blank=True)
    instructions_zh = models.TextField(blank=True)
    # The language of the texts that are rated, which need not be the reader's.
    text_language = models.CharField(max_length=2, choices=Language, default=Language.CHINESE)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    days_to_rate = models.PositiveSmallIntegerField(default=7)
    # Largest share of inconsistent pages that a valid evaluator may have.
    inconsistency_threshold = models.DecimalField(max_digits=4, decimal_places=3, default=Decimal("0.2"))
    # Decides the order of candidates on every page. Whoever knows it can work out the methods.
    order_seed = models.BigIntegerField(default=new_order_seed, editable=False)
    created_at = models.DateTimeField(db_default=Now())

    objects = StudyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "studies"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["open", "closed"]), name="study_state_known"),
            models.CheckConstraint(condition=Q(text_language__in=["zh", "en"]), name="study_language_known"),
            models.CheckConstraint(
                condition=Q(inconsistency_threshold__gte=0, inconsistency_threshold__lte=1),
                name="study_threshold_is_a_share",
            ),
            models.CheckConstraint(condition=Q(days_to_rate__gte=1), name="study_days_positive"),
            models.CheckConstraint(condition=~Q(title_en="", title_zh=""), name="study_title_given"),
        ]

    def __str__(self) -> str:
        return self.slug

    def get_absolute_url(self) -> str:
        return reverse("annotations:study", args=[self.slug])

    @property
    def title(self) -> str:
        return in_current_language(self.title_en, self.title_zh)

    @property
    def instructions(self) -> str:
        return in_current_language(self.instructions_en, self.instructions_zh)


class StudyMethod(models.Model):
    """A method that takes part in a study; its number is its place in reports."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="study_methods")
    method = models.ForeignKey(Method, on_delete=models.PROTECT)
    number = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "method"], name="study_method_once"),
            models.UniqueConstraint(fields=["study", "number"], name="study_method_number_once"),
        ]

    def __str__(self) -> str:
        return f"method {self.number} of study {self.study_id}"


class Criterion(models.Model):
    """One quality asked about, with its range and the words at both ends."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="criteria")
    number = models.PositiveSmallIntegerField()
    key = models.SlugField(max_length=40)
    label_en = models.CharField(max_length=80, blank=True)
    label_zh = models.CharField(max_length=80, blank=True)
    question_en = models.CharField(max_length=300, blank=True)
    question_zh = models.CharField(max_length=300, blank=True)
    low_en = models.CharField(max_length=120, blank=True)
    low_zh = models.CharField(max_length=120, blank=True)
    high_en = models.CharField(max_length=120, blank=True)
    high_zh = models.CharField(max_length=120, blank=True)
    minimum = models.PositiveSmallIntegerField(default=1)
    maximum = models.PositiveSmallIntegerField(default=5)
    is_overall = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "criteria"
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "key"], name="criterion_key_once"),
            models.UniqueConstraint(fields=["study", "number"], name="criterion_number_once"),
            models.UniqueConstraint(
                fields=["study"], condition=Q(is_overall=True), name="criterion_one_overall"
            ),
            models.CheckConstraint(
                condition=Q(minimum__lt=F("maximum")), name="criterion_minimum_below_maximum"
            ),
            # The platform this follows let a cleared star be stored as 0.
            models.CheckConstraint(condition=Q(minimum__gte=1), name="criterion_zero_is_no_score"),
            models.CheckConstraint(condition=~Q(label_en="", label_zh=""), name="criterion_label_given"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def label(self) -> str:
        return in_current_language(self.label_en, self.label_zh)

    @property
    def question(self) -> str:
        return in_current_language(self.question_en, self.question_zh)

    @property
    def low(self) -> str:
        return in_current_language(self.low_en, self.low_zh)

    @property
    def high(self) -> str:
        return in_current_language(self.high_en, self.high_zh)

    @property
    def points(self) -> range:
        """The scores that may be given."""
        return range(self.minimum, self.maximum + 1)


class Subtask(models.Model):
    """A numbered batch of pages that is done in one sitting."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="subtasks")
    number = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="subtask_number_once")]

    def __str__(self) -> str:
        return f"sub-task {self.number} of study {self.study_id}"


class Page(models.Model):
    """One prompt with its candidates: one screen."""

    subtask = models.ForeignKey(Subtask, on_delete=models.CASCADE, related_name="pages")
    number = models.PositiveSmallIntegerField()
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT)

    class Meta:
        ordering = ["subtask__number", "number"]
        constraints = [models.UniqueConstraint(fields=["subtask", "number"], name="page_number_once")]

    def __str__(self) -> str:
        return f"page {self.pk}"


class PageCandidate(models.Model):
    """A candidate that stands on a page, and the method of the study that it stands for.

    A trigger refuses a candidate of another prompt, or of another method than the study's.
    """

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="page_candidates")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT)
    study_method = models.ForeignKey(StudyMethod, on_delete=models.RESTRICT)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["page", "candidate"], name="page_candidate_once"),
            models.UniqueConstraint(fields=["page", "study_method"], name="page_method_once"),
        ]

    def __str__(self) -> str:
        return f"candidate {self.candidate_id} on page {self.page_id}"


class StudyRun(models.Model):
    """A run whose candidates are to stand in a study once all of them are written."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="study_runs")
    run = models.OneToOneField(GenerationRun, on_delete=models.CASCADE, related_name="study_run")
    # One of the two is set when the run is done.
    added_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(added_at__isnull=True) | Q(refused_at__isnull=True),
                name="study_run_added_or_refused",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.run_id} for study {self.study_id}"
