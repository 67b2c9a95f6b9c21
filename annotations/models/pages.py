"""What a study shows: its sub-tasks, their pages with the candidates on them, and runs that are to join them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from annotations.models.study import Study
from generation.models import Candidate, GenerationRun, Prompt


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
    # What the file said of the prompt that is no part of it; evaluators see nothing of it.
    notes = models.JSONField(default=dict, db_default={})

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
    study_method = models.ForeignKey("annotations.StudyMethod", on_delete=models.RESTRICT)
    # How many of its turns can be rated, where the text is a dialogue (`generation.texts.dialogues`).
    turns = models.PositiveSmallIntegerField(default=0, db_default=0)

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
