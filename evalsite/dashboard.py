"""What administrators see of the whole site at one look: studies, workers and their queues, the game, readiness."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Exists, OuterRef, Q, Sum
from django.utils import timezone

from annotations.models import (
    BestChoice,
    ChecklistAnswer,
    Enrolment,
    Judgement,
    Page,
    Rating,
    Study,
    TurnRating,
)
from annotations.models.numbers import count_of
from evalsite.health import broker_trouble, database_trouble
from generation.models import GenerationRun, RunPrompt, Worker
from generation.runs.notifications import waiting_by_queue
from turing.models import DayTally, PoemPair, Scope

DAYS_SHOWN = 7
RUNS_SHOWN = 10


@dataclass(frozen=True)
class Part:
    """One part that the site needs, and why it cannot be used, if so."""

    key: str
    trouble: str


@dataclass(frozen=True)
class Queue:
    """What waits in one queue, and how many workers take it."""

    name: str
    waiting: int
    workers: int


@dataclass(frozen=True)
class GameDay:
    """What was played on one day (UTC); `selected` counts the machine texts taken for the human ones."""

    day: str
    answered: int
    selected: int
    players: int
    flagged: int


@dataclass(frozen=True)
class SiteView:
    """Everything on the page."""

    parts: tuple[Part, ...]
    studies: tuple[Study, ...]
    workers: tuple[Worker, ...]
    queues: tuple[Queue, ...]
    runs: tuple[GenerationRun, ...]
    days: tuple[GameDay, ...]
    pairs: int


def site_view() -> SiteView:
    """Return what administrators see, with eight queries and one look at the broker."""
    workers = tuple(Worker.objects.seen_lately().order_by("hostname"))
    return SiteView(
        parts=(
            Part("database", database_trouble()),
            Part("broker", broker_trouble()),
            Part("worker", "" if workers else "none has reported for 45 seconds"),
        ),
        studies=studies_with_counts(),
        workers=workers,
        queues=queues(workers),
        runs=open_runs(),
        days=game_days(),
        pairs=PoemPair.objects.filter(is_withdrawn=False).count(),
    )


def studies_with_counts() -> tuple[Study, ...]:
    """Return all studies, the latest first, with `prompts`, `evaluators`, `answers` and `is_sealed`."""
    own = {"enrolment__study": OuterRef("pk")}
    found = Study.objects.order_by("-created_at").annotate(
        prompts=count_of(Page.objects.counted().filter(subtask__study=OuterRef("pk"))),
        evaluators=count_of(Enrolment.objects.filter(study=OuterRef("pk"), withdrawn_at=None)),
        ratings=sum(
            (count_of(one.objects.filter(**own)) for one in (Judgement, ChecklistAnswer, TurnRating)),
            start=count_of(Rating.objects.filter(**own)),
        ),
        picks=count_of(BestChoice.objects.filter(**own)),
        is_sealed=Exists(Study.objects.sealed().filter(pk=OuterRef("pk"))),
    )
    return tuple(found)


def queues(workers: tuple[Worker, ...]) -> tuple[Queue, ...]:
    """Return every queue in which something waits or that a worker takes, with one query."""
    waiting = waiting_by_queue()
    taken = [queue for worker in workers for queue in worker.queues]
    return tuple(Queue(name, waiting.get(name, 0), taken.count(name)) for name in sorted({*waiting, *taken}))


def open_runs() -> tuple[GenerationRun, ...]:
    """Return the runs that are not over, the latest first, with `texts` and `written`."""
    found = (
        GenerationRun.objects.written_here()
        .filter(state__in=[GenerationRun.State.QUEUED, GenerationRun.State.RUNNING])
        .annotate(
            texts=Count("run_prompts"),
            written=Count("run_prompts", filter=Q(run_prompts__state=RunPrompt.State.DONE)),
        )
    )
    return tuple(found[:RUNS_SHOWN])


def game_days() -> tuple[GameDay, ...]:
    """Return the last days of the game, the latest first; a day without a record is not among them."""
    since = timezone.now().date() - timedelta(days=DAYS_SHOWN - 1)
    everything = Q(scope=Scope.ALL)
    found = (
        DayTally.objects.filter(day__gte=since, results__room=None)
        .values("day")
        .order_by("-day")
        .annotate(
            all_answered=Sum("answered", filter=everything, default=0),
            all_selected=Sum("selected", filter=everything, default=0),
            all_players=Sum("players", filter=everything, default=0),
            kept=Sum("answered", filter=~everything, default=0),
        )
    )
    return tuple(
        GameDay(
            day["day"].isoformat(),
            day["all_answered"],
            day["all_selected"],
            day["all_players"],
            day["all_answered"] - day["kept"],
        )
        for day in found
    )
