"""What evaluators are owed for their part, once somebody who runs the study has approved it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotations.models.answers import Enrolment


class Payment(models.Model):
    """The payment of one evaluator: approved, then paid. What is due and not approved yet has no row.

    Triggers hold that it is of somebody who answered the questionnaire, that its amount never changes, and that one
    that was paid stays as it is.
    """

    class State(models.TextChoices):
        APPROVED = "approved", _("approved")
        PAID = "paid", _("paid")

    enrolment = models.OneToOneField(Enrolment, on_delete=models.CASCADE, related_name="payment")
    # As they were when it was approved: later changes of the study or of the group do not touch them.
    amount = models.DecimalField(max_digits=9, decimal_places=2)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=8, choices=State, default=State.APPROVED)
    # Nobody where it was done from the command line.
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    approved_at = models.DateTimeField(db_default=Now())
    paid_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    paid_at = models.DateTimeField(null=True)
    # What the finance office knows the payment by.
    reference = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ["enrolment__study", "enrolment__number"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_of_something"),
            models.CheckConstraint(
                condition=Q(currency__regex="^[A-Z]{3}$"), name="payment_currency_is_a_code"
            ),
            models.CheckConstraint(
                condition=Q(state="approved", paid_at__isnull=True, paid_by__isnull=True, reference="")
                | Q(state="paid", paid_at__isnull=False),
                name="payment_paid_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"payment of enrolment {self.enrolment_id}"
