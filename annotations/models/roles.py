"""Who runs a study beside the site's administrators, and what each of them has done."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotations.models.study import Study


class StudyRole(models.Model):
    """What a person who need not be an administrator may do in one study (`annotations.access.permissions`)."""

    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        ANALYST = "analyst", _("analyst")
        OBSERVER = "observer", _("observer")

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="roles")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="study_roles")
    role = models.CharField(max_length=8, choices=Role)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["study", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["study", "user"], name="study_role_once"),
            models.CheckConstraint(
                condition=Q(role__in=["owner", "analyst", "observer"]), name="study_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.user_id} of study {self.study_id}"


class StaffAct(models.Model):
    """One thing that somebody who runs a study did to it. Rows are only added (triggers of `0007_staff_act_guards`)."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="staff_acts")
    # Nobody where it was done from the command line or by the clock.
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    # What was done, as `annotations.access.log.ACTS` names it, and to what: never a method's name or a score.
    act = models.CharField(max_length=40)
    details = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["study", "-id"], name="staff_act_of_study")]

    def __str__(self) -> str:
        return f"{self.act} of study {self.study_id}"
