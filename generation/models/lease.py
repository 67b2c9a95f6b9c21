"""The lease under which a worker holds a piece of work: a prompt of a run, or a unit of a self-training.

The database is the queue. Work is taken by who finds it free and locks its row, and is its taker's until the lease
runs out. A lease is renewed while the worker lives, so one that was killed or stopped loses its work within seconds.
What it hands in afterwards is refused, because the lease that it names is not the row's any more.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any, ClassVar, Self, TypeVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from generation.refusals import Refused

# A worker that was killed is noticed after the lease; one that is only slow renews it five times meanwhile.
LEASE = timedelta(seconds=8)
MOST_ATTEMPTS = 3
LONGEST_ERROR = 500
LOST = "The worker was lost while it wrote this text: it was killed, or it crashed."


class LeaseLost(Exception):
    """The work is not this worker's any more: its lease ran out and another took it, or it was cancelled."""


def reason_of(error: BaseException) -> str:
    """Return why something failed, as the database keeps it; a refusal is in words for people already."""
    words = str(error) if isinstance(error, Refused) else f"{type(error).__name__}: {error}"
    # PostgreSQL keeps no zero byte.
    return words.replace("\x00", "")[:LONGEST_ERROR]


class Leased(models.Model):
    """Work that one worker at a time holds, and that fails for good after three attempts."""

    # The values of `state` in which it is free, unless under a lease; held; and failed for good.
    FREE: ClassVar[str]
    HELD: ClassVar[str]
    FAILED: ClassVar[str] = "failed"

    state: Any
    attempts = models.PositiveSmallIntegerField(default=0)
    # Drawn each time it is taken: whoever has another one hands in nothing.
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    # Why the last attempt came to nothing.
    error = models.TextField(blank=True)

    class Meta:
        abstract = True


LeasedT = TypeVar("LeasedT", bound=Leased)


class LeasedQuerySet(models.QuerySet[LeasedT]):
    def claimable(self) -> Self:
        """Those that a worker may take: nobody holds them, or the lease of who did has run out."""
        return self.filter(
            Q(lease=None) | Q(leased_until__lt=Now()),
            state__in={self.model.FREE, self.model.HELD},
            attempts__lt=MOST_ATTEMPTS,
        )

    def held(self, pk: int, lease: uuid.UUID) -> Self:
        """The one that is held under this lease, unless it was taken back since."""
        return self.filter(pk=pk, lease=lease, state=self.model.HELD)

    def claim(self, **values: Any) -> LeasedT | None:
        """Take the first that is free and store `values` with it; part of the caller's transaction.

        It is returned with its new lease.
        """
        taken = self.claimable().select_for_update(skip_locked=True, of=["self"]).first()
        if taken is None:
            return None
        if taken.lease:
            taken.error = LOST
        taken.lease = uuid.uuid4()
        self.model._default_manager.filter(pk=taken.pk).update(
            state=self.model.HELD,
            attempts=F("attempts") + 1,
            lease=taken.lease,
            leased_until=Now() + LEASE,
            error=taken.error,
            **values,
        )
        return taken

    def renew(self, pk: int, lease: uuid.UUID, **values: Any) -> None:
        """Hold it for another lease and store `values`; raise `LeaseLost` where it is held under another, or none."""
        self._update_held(pk, lease, leased_until=Now() + LEASE, **values)

    def hand_in(self, pk: int, lease: uuid.UUID, **values: Any) -> None:
        """End the lease and store `values`; raise `LeaseLost` where it is held under another, or none.

        Part of the transaction that stores what came of the work: a worker that was stopped and goes on after another
        took its work stores nothing.
        """
        self._update_held(pk, lease, lease=None, leased_until=None, error="", **values)

    def _update_held(self, pk: int, lease: uuid.UUID, /, **values: Any) -> None:
        if not self.held(pk, lease).update(**values):
            raise LeaseLost(f"{self.model._meta.verbose_name} {pk} was taken back")

    def give_up(
        self, pk: int, lease: uuid.UUID, error: BaseException, *, is_final: bool = False
    ) -> LeasedT | None:
        """Let go of what could not be done, and return it; None where somebody else took it meanwhile.

        It can be taken again, until its third attempt or where the error `is_final`. Part of the caller's transaction.
        """
        given_up = self.held(pk, lease).select_for_update().first()
        if given_up is None:
            return None
        held = self.held(pk, lease)
        if is_final or given_up.attempts >= MOST_ATTEMPTS:
            held.fail(reason_of(error))
        else:
            held.update(state=self.model.FREE, lease=None, leased_until=None, error=reason_of(error))
        return given_up

    def fail_lost(self) -> list[LeasedT]:
        """Fail those whose third worker in a row was lost, and return them; part of the caller's transaction."""
        expired = self.filter(
            state=self.model.HELD, leased_until__lt=Now(), attempts__gte=MOST_ATTEMPTS
        ).select_for_update(skip_locked=True)
        lost = list(expired)
        if lost:
            self.filter(pk__in=[work.pk for work in lost]).fail(LOST)
        return lost

    def fail(self, error: str, **values: Any) -> int:
        """End these without a result, store `values`, and return how many they are."""
        return self.update(state=self.model.FAILED, lease=None, leased_until=None, error=error, **values)
