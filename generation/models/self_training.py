"""Chains in which a model learns from its own poems, cycle by cycle."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from generation.models.lease import MOST_ATTEMPTS, Leased, LeasedQuerySet
from generation.models.texts import GenerationRun


class SelfTraining(Leased):
    """A chain of cycles, in each of which a model writes poems for titles and learns from the best of them.

    Its lease and its attempts are at the unit of learning that is due.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        WRITING = "writing", _("writing poems")
        TRAINING = "training", _("learning")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    OPEN = (State.QUEUED, State.WRITING, State.TRAINING)
    FREE = HELD = State.TRAINING

    uuid = models.UUIDField(unique=True, editable=False, db_default=RandomUUID())
    # The models of its cycles are called by it and their numbers.
    name = models.SlugField(max_length=40, unique=True)
    base_model = models.CharField(max_length=50)
    state = models.CharField(max_length=9, choices=State, default=State.QUEUED)
    # Lists of titles: one for all cycles, or one for each.
    titles = models.JSONField()
    keep_share = models.FloatField(default=1.0)
    steps = models.PositiveIntegerField()
    cycles = models.PositiveSmallIntegerField()
    seed = models.BigIntegerField(default=0)
    # In which folder of models its checkpoints and models lie (generation.engines.model_library.folder_id).
    learns_in = models.CharField(max_length=32, blank=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    objects = LeasedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "writing", "training", "done", "failed", "cancelled"]),
                name="self_training_state_known",
            ),
            models.CheckConstraint(
                condition=Q(keep_share__gt=0, keep_share__lte=1, steps__gt=0, cycles__gt=0, seed__gte=0),
                name="self_training_settings_can_be",
            ),
            models.CheckConstraint(
                condition=Q(attempts__lte=MOST_ATTEMPTS), name="self_training_attempts_limited"
            ),
            models.CheckConstraint(
                condition=Q(lease=None, leased_until=None)
                | Q(state="training", lease__isnull=False, leased_until__isnull=False),
                name="self_training_lease_while_training",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("generation:self_training", args=[self.uuid])

    def is_open(self) -> bool:
        """Whether there is something left to write or to learn."""
        return self.state in self.OPEN

    def titles_of(self, cycle: int) -> list[str]:
        """Return the titles of a cycle, counted from 1."""
        titles: list[str] = self.titles[(cycle - 1) % len(self.titles)]
        return titles

    def model_of(self, cycle: int) -> str:
        """Return the name of the model that a cycle ends with; the base model is that of cycle 0."""
        return f"{self.name}-{cycle}" if cycle else self.base_model


class TrainingCycle(models.Model):
    """A cycle of a self-training: a run writes the poems, the model learns from them."""

    self_training = models.ForeignKey(SelfTraining, on_delete=models.CASCADE, related_name="training_cycles")
    # From 1.
    number = models.PositiveSmallIntegerField()
    run = models.OneToOneField(GenerationRun, on_delete=models.PROTECT, related_name="training_cycle")
    # From how many of the poems it learns.
    kept = models.PositiveIntegerField(null=True)
    # Of each step that is taken, in nats a token.
    losses = models.JSONField(default=list)
    # [[title, poem by the model before, poem by the new one], ...]
    samples = models.JSONField(default=list)
    # [[measure, by the model before, by the new one], ...] on held-out verse, where there is a corpus.
    held_out = models.JSONField(default=list)
    # Digest of the new model's weights.
    checkpoint = models.CharField(max_length=64, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["self_training", "number"]
        constraints = [
            models.UniqueConstraint(fields=["self_training", "number"], name="training_cycle_once"),
            models.CheckConstraint(
                condition=Q(finished_at=None) | ~Q(checkpoint=""), name="training_cycle_finished_has_model"
            ),
        ]

    def __str__(self) -> str:
        return f"cycle {self.number} of {self.self_training_id}"
