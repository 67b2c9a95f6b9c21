"""What a study shows: its sub-tasks, their pages with the candidates on them, and runs that are to join them."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotations.models.study import Study
from annotations.models.texts_by_language import TextsField
from generation.models import Candidate, GenerationRun, Prompt

# The sub-task of the training pages; those of the study are numbered from 1.
TRAINING_SUBTASK = 0


class Subtask(models.Model):
    """A numbered batch of pages that is done in one sitting."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="subtasks")
    number = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="subtask_number_once")]

    def __str__(self) -> str:
        return f"sub-task {self.number} of study {self.study_id}"


class PageQuerySet(models.QuerySet["Page"]):
    def counted(self) -> PageQuerySet:
        """Those whose answers are results."""
        return self.filter(role=Page.Role.COUNTED)

    def but_repeats(self) -> PageQuerySet:
        """Those of the material: the launch adds the rest."""
        return self.exclude(role=Page.Role.REPEAT)


class Page(models.Model):
    """One prompt with its candidates: one screen."""

    class Role(models.TextChoices):
        """What the answers to a page are for; evaluators see nothing of it."""

        COUNTED = "counted", _("counted")
        KNOWN = "known", _("known answer")
        REPEAT = "repeat", _("repeat")
        TRAINING = "training", _("training")

    subtask = models.ForeignKey(Subtask, on_delete=models.CASCADE, related_name="pages")
    number = models.PositiveSmallIntegerField()
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT)
    # What the file said of the prompt that is no part of it; evaluators see nothing of it.
    notes = models.JSONField(default=dict, db_default={})
    role = models.CharField(max_length=8, choices=Role, default=Role.COUNTED, db_default=Role.COUNTED.value)
    # The page that this one shows once more, with copies of its texts.
    repeats = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="+")
    # What evaluators read about the answers to a training page when these have been checked.
    explanation = TextsField(blank=True, db_default={})

    objects = PageQuerySet.as_manager()

    class Meta:
        ordering = ["subtask__number", "number"]
        constraints = [
            models.UniqueConstraint(fields=["subtask", "number"], name="page_number_once"),
            models.CheckConstraint(
                condition=Q(role="repeat", repeats__isnull=False)
                | Q(role__in=["counted", "known", "training"], repeats__isnull=True),
                name="page_role_known",
            ),
        ]

    def __str__(self) -> str:
        return f"page {self.pk}"


class PageCandidateQuerySet(models.QuerySet["PageCandidate"]):
    def counted(self, study: Study) -> PageCandidateQuerySet:
        """Those on the pages of a study whose answers are results."""
        return self.filter(page__subtask__study=study, page__role=Page.Role.COUNTED)

    def but_repeats(self, study: Study) -> PageCandidateQuerySet:
        """Those of a study's material."""
        return self.filter(page__subtask__study=study).exclude(page__role=Page.Role.REPEAT)

    def beside_results(self, study: Study) -> models.QuerySet[PageCandidate, Any]:
        """The candidates (primary keys) of a study's checks, to be left out of what is counted."""
        checks = self.filter(page__subtask__study=study).exclude(page__role=Page.Role.COUNTED)
        return checks.order_by().values("candidate")


class PageCandidate(models.Model):
    """A candidate that stands on a page, and the method of the study that it stands for.

    A trigger refuses a candidate of another prompt, or of another method than the study's.
    """

    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="page_candidates")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT)
    study_method = models.ForeignKey("annotations.StudyMethod", on_delete=models.RESTRICT)
    # How many of its turns can be rated, where the text is a dialogue (`generation.texts.dialogues`).
    turns = models.PositiveSmallIntegerField(default=0, db_default=0)

    objects = PageCandidateQuerySet.as_manager()

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
