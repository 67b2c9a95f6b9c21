"""The texts that studies show, and where each came from."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.db.models.functions import MD5, Now


class Prompt(models.Model):
    """A question (with its description) or a poem's title: what every method wrote for."""

    class Genre(models.TextChoices):
        POEM = "poem", "poem"
        QA = "qa", "question and answer"

    genre = models.CharField(max_length=8, choices=Genre)
    text = models.TextField()
    description = models.TextField(blank=True)

    class Meta:
        constraints = [
            # By digest, because an index entry holds no long text.
            models.UniqueConstraint("genre", MD5("text"), MD5("description"), name="prompt_once"),
            models.CheckConstraint(condition=Q(genre__in=["poem", "qa"]), name="prompt_genre_known"),
            models.CheckConstraint(condition=~Q(text=""), name="prompt_text_given"),
        ]

    def __str__(self) -> str:
        return self.text


class Method(models.Model):
    """What produced a text: a model with its search, a web service, or people."""

    key = models.SlugField(unique=True)
    label = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.label


class GenerationRun(models.Model):
    """One execution of a method over prompts; an import is a run that somebody else executed."""

    class State(models.TextChoices):
        QUEUED = "queued", "queued"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    method = models.ForeignKey(Method, on_delete=models.PROTECT, related_name="runs")
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    # What the texts came from: file name and digest of an import, settings of a search.
    source = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running", "done", "failed"]), name="run_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"


class Candidate(models.Model):
    """One text by one method for one prompt."""

    run = models.ForeignKey(GenerationRun, on_delete=models.CASCADE, related_name="candidates")
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="candidates")
    text = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "prompt"], name="candidate_once_per_run"),
            models.CheckConstraint(condition=~Q(text=""), name="candidate_text_given"),
        ]

    def __str__(self) -> str:
        return f"candidate {self.pk}"


class WorkerQuerySet(models.QuerySet["Worker"]):
    def report(self, hostname: str) -> None:
        """Note that a worker is alive now, by the database's clock."""
        self.bulk_create(
            [Worker(hostname=hostname, seen_at=Now())],
            update_conflicts=True,
            unique_fields=["hostname"],
            update_fields=["seen_at"],
        )

    def seen_lately(self) -> WorkerQuerySet:
        """Workers that reported within 45 seconds."""
        return self.filter(seen_at__gt=Now() - timedelta(seconds=45))


class Worker(models.Model):
    """A Celery worker process that has reported."""

    hostname = models.CharField(max_length=255, unique=True)
    seen_at = models.DateTimeField()

    objects = WorkerQuerySet.as_manager()

    def __str__(self) -> str:
        return self.hostname
