"""Runs in which a language model is asked to rate: page by page, each unit under a lease, within a budget."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotations.models.bounds import not_negative
from annotations.models.judges import Judge
from annotations.models.pages import Page
from generation.models.lease import MOST_ATTEMPTS, Leased, LeasedQuerySet


class JudgeRun(models.Model):
    """One asking of a served judge over the pages of its study; what it may use, and has used so far."""

    class State(models.TextChoices):
        OPEN = "open", _("under way")
        DONE = "done", _("done")
        STOPPED = "stopped", _("stopped")

    class Probe(models.TextChoices):
        """What is asked beside the ratings, to see what the judge's scores hang on."""

        NONE = "", _("the ratings themselves")
        ORDER = "order", _("the same pages in further orders")
        REPEAT = "repeat", _("the same pages again")
        EMPTY = "empty", _("an empty text, and a single point, as a candidate")

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    judge = models.ForeignKey(Judge, on_delete=models.CASCADE, related_name="runs")
    probe = models.CharField(max_length=6, choices=Probe, blank=True, default=Probe.NONE)
    state = models.CharField(max_length=7, choices=State, default=State.OPEN)
    # Why it was stopped; empty where somebody did so.
    error = models.TextField(blank=True)
    # The budget, and what was sent or asked for at most of it; money in the currency of the server's prices.
    most_tokens = models.BigIntegerField()
    most_money = models.DecimalField(
        max_digits=12, decimal_places=4, null=True, blank=True, validators=[not_negative]
    )
    tokens = models.BigIntegerField(default=0)
    money = models.DecimalField(max_digits=14, decimal_places=6, default=Decimal(0))
    created_at = models.DateTimeField(db_default=Now())
    # Nobody where it was started from the command line.
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["open", "done", "stopped"]), name="judge_run_state_known"
            ),
            models.CheckConstraint(
                condition=Q(probe__in=["", "order", "repeat", "empty"]), name="judge_run_probe_known"
            ),
            models.CheckConstraint(condition=Q(most_tokens__gte=1), name="judge_run_budget_positive"),
            models.CheckConstraint(
                condition=Q(tokens__gte=0, money__gte=0), name="judge_run_used_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} of judge {self.judge_id}"


class JudgeUnitQuerySet(LeasedQuerySet["JudgeUnit"]):
    def to_ask(self) -> JudgeUnitQuerySet:
        """Those of runs under way that a worker may take, those that failed before last."""
        return self.claimable().filter(run__state=JudgeRun.State.OPEN)

    def fail(self, error: str, **values: Any) -> int:
        return super().fail(error, finished_at=Now(), **values)


class JudgeUnit(Leased):
    """One page to be rated by a judge, with its candidates in one order; what it answered is kept as it came."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    class Planted(models.TextChoices):
        NOTHING = "", ""
        EMPTY = "empty", _("an empty text")
        POINT = "point", _("a single point")

    FREE, HELD = State.WAITING, State.RUNNING

    run = models.ForeignKey(JudgeRun, on_delete=models.CASCADE, related_name="units")
    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="+")
    # Of the same page from 1; further orders and repeats have higher ones, over all runs of the judge.
    number = models.PositiveSmallIntegerField()
    # Which of the page's balanced orders, from 0.
    order = models.PositiveSmallIntegerField()
    # What stands in the first place instead of the text that would.
    planted = models.CharField(max_length=5, choices=Planted, blank=True, default=Planted.NOTHING)
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    # What the model said, word by word, and whether scores could be read from it.
    answer = models.TextField(blank=True)
    is_read = models.BooleanField(null=True)
    # Of a planted text by criterion: it is none of the study's.
    planted_scores = models.JSONField(default=dict, blank=True)
    finished_at = models.DateTimeField(null=True)

    objects = JudgeUnitQuerySet.as_manager()

    class Meta:
        ordering = ["run", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["run", "page", "number", "planted"], name="judge_unit_once"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running", "done", "failed"]), name="judge_unit_state_known"
            ),
            models.CheckConstraint(
                condition=Q(attempts__lte=MOST_ATTEMPTS), name="judge_unit_attempts_limited"
            ),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(lease__isnull=False, leased_until__isnull=False),
                name="judge_unit_running_is_leased",
            ),
            models.CheckConstraint(
                condition=Q(state="done", is_read__isnull=False) | ~Q(state="done") & Q(is_read__isnull=True),
                name="judge_unit_done_is_read_or_not",
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="judge_unit_number_from_one"),
        ]

    def __str__(self) -> str:
        return f"unit {self.pk} of judge run {self.run_id}"


def spend(run: JudgeRun, *, tokens: int, money: Decimal) -> bool:
    """Count what is about to be sent, and say whether the budget had as much; of two at once the later sees both."""
    within = Q(tokens__lte=F("most_tokens") - tokens) & (
        Q(most_money=None) | Q(money__lte=F("most_money") - money)
    )
    return bool(
        JudgeRun.objects.filter(within, pk=run.pk).update(
            tokens=F("tokens") + tokens, money=F("money") + money
        )
    )


def correct_spent(run: JudgeRun, *, tokens: int, money: Decimal) -> None:
    """Take back what was counted before and not used after all."""
    JudgeRun.objects.filter(pk=run.pk).update(tokens=F("tokens") - tokens, money=F("money") - money)
