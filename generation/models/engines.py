"""What engines answered, so that a run that is taken up again pays for nothing twice."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class EngineAnswer(models.Model):
    """An answer of an engine: a score, or samples; the key is a digest of the model and of all that was asked."""

    key = models.CharField(max_length=64, primary_key=True)
    answer = models.JSONField()
    answered_at = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return self.key
