"""Files that wait, between being uploaded and being stored, for somebody to say how they are read."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotations.models.jobs import Job
from annotations.models.study import Study

KEPT = timedelta(days=1)


class WaitingUploadQuerySet(models.QuerySet["WaitingUpload"]):
    def waiting(self) -> WaitingUploadQuerySet:
        """Those that no worker is to store, or that one could not."""
        return self.exclude(job__state__in=Job.OPEN)

    def fresh(self) -> WaitingUploadQuerySet:
        """Those that are not yet to be forgotten."""
        return self.filter(uploaded_at__gt=Now() - KEPT)

    def forget_old(self) -> int:
        """Delete those that nobody has confirmed in a day, and return how many."""
        return self.waiting().filter(uploaded_at__lte=Now() - KEPT).delete()[1].get(self.model._meta.label, 0)


class WaitingUpload(models.Model):
    """What somebody uploaded to be stored in one piece; of each kind one waits for each user, and each study."""

    class Kind(models.TextChoices):
        CANDIDATES = "candidates", _("candidates")
        PROMPTS = "prompts", _("prompts")
        PEOPLE = "people", _("people")
        RATINGS = "ratings", _("ratings")
        # Of a judge or a metric.
        SCORES = "scores", _("scores")

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    # Ratings make a study of their own, which stands here once they have.
    study = models.ForeignKey(Study, on_delete=models.CASCADE, null=True, related_name="+")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    uploaded_at = models.DateTimeField(db_default=Now())
    # By which a worker stores it.
    job = models.OneToOneField(Job, on_delete=models.CASCADE, null=True, related_name="upload")

    objects = WaitingUploadQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "uploaded_by", "kind"],
                condition=Q(job=None) & ~Q(kind="ratings"),
                name="waiting_upload_one_each",
            ),
            models.UniqueConstraint(
                fields=["uploaded_by"],
                condition=Q(job=None, study=None, kind="ratings"),
                name="waiting_ratings_one_each",
            ),
            models.CheckConstraint(
                condition=Q(kind="ratings")
                | Q(kind__in=["candidates", "prompts", "people", "scores"], study__isnull=False),
                name="waiting_upload_is_for_a_study",
            ),
        ]

    def __str__(self) -> str:
        return f"waiting {self.kind} {self.pk}"

    @property
    def name(self) -> str:
        """What its owner calls its first file; one query."""
        return self.files.filter(number__gt=0).values_list("name", flat=True).first() or ""


class WaitingFile(models.Model):
    """One file of an upload; number 0 is the table of texts that belongs to ratings."""

    upload = models.ForeignKey(WaitingUpload, on_delete=models.CASCADE, related_name="files")
    number = models.PositiveSmallIntegerField(default=1)
    name = models.CharField(max_length=100)
    content = models.BinaryField()

    class Meta:
        ordering = ["upload", "number"]
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="waiting_file_once")]

    def __str__(self) -> str:
        return f"file {self.number} of upload {self.upload_id}"
