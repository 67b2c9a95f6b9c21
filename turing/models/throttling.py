"""How much somebody has used of what is limited."""

from __future__ import annotations

from django.db import models


class Allowance(models.Model):
    """One player's or address's use of a limited thing; the key is a keyed digest and names nobody.

    `used_until` is when the allowance is whole again: each use moves it on by the time that one use takes to come
    back, and a use that would move it further ahead than the whole allowance is refused (`turing.throttles`).
    """

    key = models.CharField(max_length=64, primary_key=True)
    used_until = models.DateTimeField()

    class Meta:
        # To sweep away the allowances that are whole again.
        indexes = [models.Index(fields=["used_until"], name="allowance_used_until")]

    def __str__(self) -> str:
        return self.key
