"""How many poems a minute workers write, against the bare search in the same run, and what memory one takes.

    python -m benchmarks.generation.worker_speed [--poems 24] [--workers 1 2] [--form lushi5]

Each figure is of the same titles and seeds. The bare search writes them in this process, one after the other, by the
model as a worker loads it; before that, and before a worker's time is taken, one poem is written that does not count.
Workers are processes as an operator starts them, on a home of their own with its own database and broker. Overhead is
what a worker takes beyond the bare search for the same poems: claiming, reporting, storing, notifying.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Before torch is imported: as `compose` and the demo's workers have it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import django
import psutil

ROOT = Path(__file__).resolve().parents[2]
TITLES = ["秋夜", "登高望远", "江上送客", "山居", "咖啡馆", "地铁", "雪中访友", "月下"]
METHOD = "inverse_prompting"
READY_SECONDS = 180
WRITING_SECONDS = 3600


def titles(count: int) -> list[str]:
    return [
        f"{TITLES[place % len(TITLES)]}{'一二三四五六七八九十'[place // len(TITLES)]}"
        for place in range(count)
    ]


def bare(poems: int, form: str) -> float:
    """Return the seconds that the search takes for the poems in this process."""
    from generation.orders import Order
    from generation.worker import write

    write(Order(METHOD, "poem", "暖身", form=form))
    started = time.perf_counter()
    for title in titles(poems):
        write(Order(METHOD, "poem", title, form=form))
    return time.perf_counter() - started


def wait(reached: object, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not reached():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise SystemExit("The workers did not get there in time.")
        time.sleep(0.1)


@contextmanager
def workers(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start workers, and end them with all their processes after the block."""
    from generation.models import Worker

    started = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "celery",
                "-A",
                "evalsite",
                "worker",
                f"--hostname=speed{number}@bench",
                "--loglevel=ERROR",
            ],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for number in range(count)
    ]
    try:
        wait(lambda: Worker.objects.seen_lately().count() == count, READY_SECONDS)
        yield started
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(60)
        Worker.objects.all().delete()


def memory_of(process: subprocess.Popen[bytes]) -> float:
    """Return the megabytes that a worker and its children hold by themselves."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    return sum(one.memory_full_info().uss for one in family) / 2**20


def by_workers(count: int, poems: int, form: str) -> tuple[float, float]:
    """Return the seconds that workers take for a run of the poems, and the megabytes of the largest."""
    from django.db.models import Max, Min

    from generation.models import GenerationRun, Prompt
    from generation.prompts import PromptContent
    from generation.runs.runs import queue_run, stored_prompts

    def run(words: list[str]) -> GenerationRun:
        pks = stored_prompts("poem", {PromptContent(word) for word in words}).values()
        queued = queue_run(METHOD, list(Prompt.objects.filter(pk__in=pks)), config={"form": form})
        wait(lambda: not GenerationRun.objects.get(pk=queued.pk).is_open(), WRITING_SECONDS)
        return queued

    with workers(count) as processes:
        # Each loads its model with its first poem.
        run([f"暖{'一二三四五六七八'[number]}" for number in range(2 * count)])
        written = run(titles(poems))
        memory = max(map(memory_of, processes))
    times = written.run_prompts.aggregate(first=Min("finished_at"), last=Max("finished_at"))
    took = (times["last"] - written.created_at).total_seconds()
    return took, memory


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--poems", type=int, default=24)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--form", default="lushi5")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ev") as home:
        # The servers run as another user where this one is root.
        Path(home).chmod(0o755)
        for named in ("DATABASE_URL", "CELERY_BROKER_URL"):
            os.environ.pop(named, None)
        os.environ["EVALSITE_HOME"] = home
        os.environ["DJANGO_SETTINGS_MODULE"] = "evalsite.settings"
        from evalsite import embedded

        embedded.start()
        try:
            django.setup()
            from django.core.management import call_command

            call_command("migrate", verbosity=0)
            measure(options.poems, options.workers, options.form)
        finally:
            embedded.stop()


def measure(poems: int, counts: list[int], form: str) -> None:
    seconds = bare(poems, form)
    print(f"bare search     {60 * poems / seconds:6.1f} poems a minute, {form}, {poems} poems")
    for count in counts:
        took, memory = by_workers(count, poems, form)
        print(
            f"{count} worker{'s' if count > 1 else ' '}       {60 * poems / took:6.1f} poems a minute,"
            f" {took * count / seconds - 1:+.0%} of the bare search's time a poem, {memory:.0f} MB a worker"
        )


if __name__ == "__main__":
    main()
