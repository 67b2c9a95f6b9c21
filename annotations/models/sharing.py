"""Links by which somebody without an account reads the report of a closed study."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from annotations.models.study import Study


class ReportLinkQuerySet(models.QuerySet["ReportLink"]):
    def good(self) -> ReportLinkQuerySet:
        """Those that still open a report, by the database's clock."""
        return self.filter(ended_at=None, expires_at__gt=Now(), study__state=Study.State.CLOSED)


class ReportLink(models.Model):
    """A link to a report, to be read and nothing else.

    Its token is made of the nonce with the site's secret key, so that the site can show the link again and whoever
    reads the database cannot use it.
    """

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="report_links")
    nonce = models.CharField(max_length=22)
    token_hash = models.CharField(max_length=64, unique=True)
    # Nobody where it was made from the command line.
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    # When somebody last read the report by it.
    opened_at = models.DateTimeField(null=True)

    objects = ReportLinkQuerySet.as_manager()

    class Meta:
        ordering = ["study", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="report_link_expires_later"
            ),
        ]

    def __str__(self) -> str:
        return f"report link {self.uuid}"
