"""What visitors have written, and how much of it they may ask for."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse

from generation.models.texts import RunPrompt


class CompositionQuerySet(models.QuerySet["Composition"]):
    def with_order(self) -> CompositionQuerySet:
        """With all that was asked for and how far it is, in one query."""
        return self.select_related("run_prompt__run__method", "run_prompt__prompt")

    def open(self) -> CompositionQuerySet:
        """Those that wait or are being written."""
        return self.filter(run_prompt__state__in=RunPrompt.OPEN)

    def forget_addresses(self) -> None:
        """Let nothing that is written tell any more which texts one address asked for."""
        self.exclude(address="").exclude(run_prompt__state__in=RunPrompt.OPEN).update(address="")


class Composition(models.Model):
    """A text that a visitor asked for; nothing else is shown under a visitor's link."""

    run_prompt = models.OneToOneField(
        RunPrompt, on_delete=models.CASCADE, primary_key=True, related_name="composition"
    )
    # A keyed digest of the address that it was asked for from, until it is written.
    address = models.CharField(max_length=64, blank=True, default="")

    objects = CompositionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["address"], name="composition_address", condition=~Q(address="")),
        ]

    def __str__(self) -> str:
        return f"composition {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("generation:composition", args=[self.run_prompt.run.uuid])


class Allowance(models.Model):
    """One visitor's or address's use of a limited thing; the key is a keyed digest and names nobody.

    `used_until` is when the allowance is whole again: each use moves it on by the time that one use takes to come
    back, and a use that would move it further ahead than the whole allowance is refused (`generation.web.quotas`).
    """

    key = models.CharField(max_length=64, primary_key=True)
    used_until = models.DateTimeField()

    class Meta:
        # To sweep away the allowances that are whole again.
        indexes = [models.Index(fields=["used_until"], name="generation_allowance_until")]

    def __str__(self) -> str:
        return self.key


class SentForm(models.Model):
    """A form, or a call of the API, that has made something, so that the same one makes nothing a second time."""

    # SHA-256 of who sent it and of the nonce or key that came with it.
    key = models.CharField(max_length=64, unique=True)
    # The primary key of what it made.
    made = models.CharField(max_length=40, blank=True)
    # SHA-256 of what a call of the API said; nothing for a form.
    said = models.CharField(max_length=64, blank=True)
    sent_at = models.DateTimeField(db_default=Now())

    class Meta:
        # To sweep away the old ones.
        indexes = [models.Index(fields=["sent_at"], name="generation_sent_form_at")]

    def __str__(self) -> str:
        return f"form {self.key}"
