"""Files that wait, between being uploaded and being stored, for somebody to say what their columns are."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from annotations.models.study import Study

KEPT = timedelta(days=1)


class WaitingFileQuerySet(models.QuerySet["WaitingFile"]):
    def fresh(self) -> WaitingFileQuerySet:
        """Those that are not yet to be forgotten."""
        return self.filter(uploaded_at__gt=Now() - KEPT)

    def forget_old(self) -> int:
        """Delete those that nobody has confirmed in a day, and return how many."""
        return self.filter(uploaded_at__lte=Now() - KEPT).delete()[0]


class WaitingFile(models.Model):
    """A file for a study, of one who runs it; each has one at a time."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="+")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=100)
    content = models.BinaryField()
    uploaded_at = models.DateTimeField(db_default=Now())

    objects = WaitingFileQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "uploaded_by"], name="waiting_file_one_each"),
        ]

    def __str__(self) -> str:
        return f"waiting file {self.pk}"
