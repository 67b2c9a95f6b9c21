"""How people come into a study: groups, invitations, open links, and the keys by which they come back.

Of a link only the digest of its token is stored: whoever reads the database can use none of them. The token of an
invitation and of an open link is derived from its id and the secret of the site.
"""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from annotations.models.bounds import MOST_JOINING, not_negative, whole_number
from annotations.models.study import Study
from annotations.models.texts_by_language import TextsField


class EvaluatorGroup(models.Model):
    """Evaluators of one kind, such as students or experts, who may be paid otherwise than the study says."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="groups")
    key = models.SlugField(max_length=40)
    name = TextsField(max_length=80, error_messages={"blank": _("Give the group a name.")})
    # Of a valid evaluator; empty: as the study says.
    payment = models.DecimalField(
        max_digits=9, decimal_places=2, null=True, blank=True, validators=[not_negative]
    )

    class Meta:
        ordering = ["study", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["study", "key"], name="group_key_once"),
            # The target of the keys that keep a group in its study.
            models.UniqueConstraint(fields=["study", "id"], name="group_of_study"),
            models.CheckConstraint(condition=~Q(name={}), name="group_name_given"),
            models.CheckConstraint(
                condition=Q(payment__isnull=True) | Q(payment__gte=0), name="group_payment_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.key

    def payment_due(self) -> Decimal:
        """Return what a valid evaluator of this group gets."""
        return self.study.payment if self.payment is None else self.payment


class Invitation(models.Model):
    """A link for one person, who joins by it once and then comes back by it."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="invitations")
    group = models.ForeignKey(
        EvaluatorGroup, on_delete=models.RESTRICT, null=True, blank=True, related_name="invitations"
    )
    email = models.EmailField(blank=True)
    name = models.CharField(max_length=150, blank=True)
    token_hash = models.CharField(max_length=64, unique=True)
    # Who can have the link shown again; nobody where it was made from the command line.
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    used_by = models.OneToOneField(
        "annotations.Enrolment", on_delete=models.CASCADE, null=True, related_name="invitation"
    )
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["study", "pk"]
        constraints = [
            models.UniqueConstraint(
                "study",
                Lower("email"),
                condition=~Q(email="") & Q(revoked_at__isnull=True),
                name="invitation_email_once",
            ),
            models.CheckConstraint(
                condition=Q(used_by__isnull=True, used_at__isnull=True)
                | Q(used_by__isnull=False, used_at__isnull=False),
                name="invitation_use_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="invitation_expires_later"
            ),
        ]

    def __str__(self) -> str:
        return f"invitation {self.uuid}"


class OpenLink(models.Model):
    """A link by which as many people may join as it is for; each of them gets an account of their own."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="open_links")
    group = models.ForeignKey(
        EvaluatorGroup, on_delete=models.RESTRICT, null=True, blank=True, related_name="open_links"
    )
    # What those who run the study call it, such as the class that it is for.
    name = models.CharField(max_length=80, blank=True)
    token_hash = models.CharField(max_length=64, unique=True)
    # Who can have it shown again; nobody where it was made from the command line.
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    limit = models.PositiveIntegerField(validators=whole_number(MOST_JOINING))
    # Whether a panel such as Prolific sends people here, and says in the address who they are.
    takes_external_ids = models.BooleanField(default=False)
    # Whether the panel must sign every id.
    needs_signature = models.BooleanField(default=False)
    # What whoever has answered everything is told, and where they are sent.
    completion_code = models.CharField(max_length=80, blank=True)
    completion_url = models.URLField(max_length=400, blank=True)
    # The same for whoever a panel sends over the limit or too late.
    turned_away_code = models.CharField(max_length=80, blank=True)
    turned_away_url = models.URLField(max_length=400, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["study", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["study", "id"], name="open_link_of_study"),
            models.CheckConstraint(condition=Q(limit__gte=1), name="open_link_takes_somebody"),
            models.CheckConstraint(
                condition=Q(needs_signature=False) | Q(takes_external_ids=True),
                name="open_link_signature_of_id",
                violation_error_message=_("Only an id of a panel can be signed."),
            ),
            models.CheckConstraint(
                condition=Q(completion_url="") | Q(completion_url__regex="^https://"),
                name="open_link_leads_to_https",
            ),
            models.CheckConstraint(
                condition=Q(turned_away_url="") | Q(turned_away_url__regex="^https://"),
                name="open_link_turns_away_to_https",
            ),
        ]

    def __str__(self) -> str:
        return f"open link {self.uuid}"


class ReturnLink(models.Model):
    """A link by which an evaluator who has no password comes back on another device."""

    enrolment = models.ForeignKey(
        "annotations.Enrolment", on_delete=models.CASCADE, related_name="return_links"
    )
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"return link of enrolment {self.enrolment_id}"


class LinkAccount(models.Model):
    """The mark of an account that a link made: no link opens an account without it."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="link_account"
    )
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"link account {self.user_id}"


class Reminder(models.Model):
    """One reminder to an evaluator, so many days before the deadline as it then was."""

    enrolment = models.ForeignKey("annotations.Enrolment", on_delete=models.CASCADE, related_name="reminders")
    deadline = models.DateTimeField()
    days_before = models.PositiveSmallIntegerField()
    sent_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "deadline", "days_before"], name="reminder_once")
        ]

    def __str__(self) -> str:
        return f"reminder of enrolment {self.enrolment_id}"
