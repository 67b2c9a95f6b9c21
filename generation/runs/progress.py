"""How far a run is, how fast it goes, and whether anybody works on it."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generation.models import GenerationRun, RunPrompt, Worker
from generation.runs.notifications import waiting_by_queue

# The pace is that of the latest texts: earlier ones may have been written by more workers, or fewer.
PACE_TEXTS = 20


@dataclass(frozen=True)
class RunProgress:
    """The prompts of a run by state, and its pace: texts a second, None before the second one."""

    waiting: int
    running: int
    done: int
    failed: int
    cancelled: int
    pace: float | None
    # Whether a worker that takes the run's queue has reported lately.
    has_worker: bool

    @property
    def total(self) -> int:
        return self.waiting + self.running + self.done + self.failed + self.cancelled

    @property
    def finished(self) -> int:
        return self.done + self.failed + self.cancelled

    @property
    def seconds_left(self) -> float | None:
        """How long the rest will take at this pace."""
        return (self.waiting + self.running) / self.pace if self.pace else None


def run_progress(run: GenerationRun) -> RunProgress:
    """Return how far a run is, with three queries."""
    counts = run.run_prompts.aggregate(
        **{state.value: Count("pk", filter=Q(state=state)) for state in RunPrompt.State}
    )
    latest = (
        run.run_prompts.filter(state=RunPrompt.State.DONE)
        .order_by("-finished_at")
        .values_list("finished_at", flat=True)
    )
    times = [time.timestamp() for time in latest[:PACE_TEXTS] if time]
    took = times[0] - times[-1] if times else 0.0
    return RunProgress(
        **counts,
        pace=(len(times) - 1) / took if took > 0 else None,
        has_worker=Worker.objects.seen_lately().taking(run.queue).exists(),
    )


def in_words(run: GenerationRun, progress: RunProgress) -> dict[str, str]:
    """Return what the page of a run says of its progress, in the reader's language."""
    left = progress.seconds_left
    is_going = run.is_open() and progress.pace is not None and progress.has_worker
    return {
        "state": run.get_state_display(),
        "counts": _(
            "%(done)d of %(total)d written · %(running)d being written · %(waiting)d waiting · %(failed)d failed"
        )
        % {
            "done": progress.done,
            "total": progress.total,
            "running": progress.running,
            "waiting": progress.waiting,
            "failed": progress.failed,
        },
        "pace": _("%(pace).1f texts a minute") % {"pace": 60 * progress.pace}
        if is_going and progress.pace
        else "–",
        "left": duration(left) if is_going and left is not None else "–",
        "sent": sent(run),
        "trouble": "" if progress.has_worker or not run.is_open() else trouble(run, progress),
    }


def sent(run: GenerationRun) -> str:
    """Say how much of its budget a run whose model an engine serves has sent; a dash of any other."""
    server = settings.LANGUAGE_MODEL_SERVERS.get(run.model)
    if server is None:
        return "–"
    return _("%(sent)s of at most %(budget)s") % {
        "sent": f"{run.tokens_sent:,}",
        "budget": f"{server.tokens_a_run:,}",
    }


def duration(seconds: float) -> str:
    """Return a time left in the words that its length deserves."""
    if seconds < 90:
        return ngettext("about %(count)d second", "about %(count)d seconds", round(seconds)) % {
            "count": round(seconds)
        }
    minutes = round(seconds / 60)
    if minutes < 90:
        return ngettext("about %(count)d minute", "about %(count)d minutes", minutes) % {"count": minutes}
    hours = round(minutes / 60)
    return ngettext("about %(count)d hour", "about %(count)d hours", hours) % {"count": hours}


def trouble(run: GenerationRun, progress: RunProgress) -> str:
    """Say that nobody takes what waits, and what to start."""
    waiting = progress.waiting + progress.running
    return ngettext(
        "No worker that takes the queue %(queue)s has reported for 45 seconds; %(count)d text waits.",
        "No worker that takes the queue %(queue)s has reported for 45 seconds; %(count)d texts wait.",
        waiting,
    ) % {"queue": run.queue, "count": waiting}


@dataclass(frozen=True)
class Workload:
    """What waits in all, and who is there to write it."""

    waiting: int
    # Of these, those in queues that no worker takes.
    without_worker: int
    workers: int


def workload() -> Workload:
    """Return what waits in all and how many workers have reported lately, with two queries."""
    taken: list[list[str]] = list(Worker.objects.seen_lately().values_list("queues", flat=True))
    queues = {queue for queues in taken for queue in queues}
    waiting = waiting_by_queue()
    return Workload(
        waiting=sum(waiting.values()),
        without_worker=sum(texts for queue, texts in waiting.items() if queue not in queues),
        workers=len(taken),
    )
