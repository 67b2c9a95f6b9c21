"""How long a file of a million ratings takes from the import to its report, and in how much memory.

The file is a long table: 100 evaluators share 10,000 prompts of 12 methods out. The reference of the same run is
PostgreSQL's own COPY of the rows of ratings and placements that the import writes, into the same tables with the same
constraints. Beside the clock stand the processor's seconds of client and server, which tell more where a machine is
shared. Targets, for import and report together: 60 s and 1 GiB.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import django
import numpy as np
import psutil

from benchmarks.stats.long_tables import METHODS, incomplete_study

TARGET_SECONDS = 60
TARGET_GIBIBYTES = 1
TABLES = ("annotations_placement", "annotations_rating")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ratings", type=int, default=1_000_000, help="at most (default: %(default)s)")
    parser.add_argument("--evaluators", type=int, default=100, help="default: %(default)s")
    parser.add_argument("--prompts", type=int, default=10_000, help="default: %(default)s")
    asked = parser.parse_args()

    from evalsite import embedded

    embedded.start()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")
    django.setup()
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    # Not the name of the tests' database: they may be running.
    connection.settings_dict["TEST"]["NAME"] = "bench_import_ratings"
    scratch = setup_databases(verbosity=0, interactive=False)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "ratings.csv"
            ratings = write_ratings(path, asked.ratings, asked.evaluators, asked.prompts)
            print(
                f"{ratings:,} ratings: {asked.evaluators} evaluators, {asked.prompts:,} prompts, {METHODS} methods"
            )
            measure(path)
    finally:
        teardown_databases(scratch, verbosity=0)


def write_ratings(path: Path, ratings: int, evaluators: int, prompts: int) -> int:
    """Write a long table of ratings in no order, and return how many there are."""
    # Some are drawn twice.
    table = incomplete_study(ratings + ratings // 18, evaluators, prompts)
    order = np.random.default_rng(1).permutation(len(table))[:ratings]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["evaluator", "prompt", "method", "criterion", "score"])
        writer.writerows(
            (table.evaluators[e], table.prompts[p], table.methods[m], "overall", f"{score:g}")
            for e, p, m, score in zip(
                table.evaluator[order],
                table.prompt[order],
                table.method[order],
                table.score[order],
                strict=True,
            )
        )
    return len(order)


def measure(path: Path) -> None:
    """Import the file, make its report, and print seconds, the ratio to COPY and the peak of memory."""
    from annotations.imports.rating_columns import Reading
    from annotations.imports.ratings import NamedFile, find_ratings, import_ratings
    from annotations.results.report import study_report
    from annotations.results.report_formats import export

    # A program that imports holds nothing of the study when another one makes the report.
    def imported() -> None:
        import_ratings(find_ratings([NamedFile(path, path.name)], Reading()), slug="million")

    import_seconds, *import_cpu = timed(imported)
    print(f"imported in {import_seconds:.1f} s", flush=True)
    from annotations.models import Study

    study = Study.objects.get(slug="million")
    report_seconds, *report_cpu = timed(lambda: export(study_report(study), "html"))
    # The peak of the whole process so far; the reference comes after it.
    gibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    rows = taken_out()
    copy_seconds, *copy_cpu = timed(lambda: copy_back(rows))
    total = import_seconds + report_seconds
    print(
        f"{'':16} {'clock':>9} {'client':>9} {'server':>9}   seconds, and times COPY of its rows by the clock"
    )
    for name, seconds, (client, server) in (
        ("import", import_seconds, import_cpu),
        ("report as HTML", report_seconds, report_cpu),
        ("COPY", copy_seconds, copy_cpu),
    ):
        print(f"{name:16} {seconds:9.1f} {client:9.1f} {server:9.1f}   {seconds / copy_seconds:5.2f}")
    print(f"peak memory      {gibibytes:7.2f} GiB")
    met = total <= TARGET_SECONDS and gibibytes <= TARGET_GIBIBYTES
    print(f"targets ({TARGET_SECONDS} s, {TARGET_GIBIBYTES} GiB): {'met' if met else 'MISSED'}")


def timed(act: Callable[[], object]) -> tuple[float, float, float]:
    """Return the seconds that an act takes by the clock, of this process's processor and of PostgreSQL's."""
    start, cpu, server = time.perf_counter(), time.process_time(), server_seconds()
    act()
    return time.perf_counter() - start, time.process_time() - cpu, server_seconds() - server


def server_seconds() -> float:
    """Return the processor's seconds that this connection's server process has taken; it runs on this machine."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        times = psutil.Process(cursor.fetchone()[0]).cpu_times()
    return times.user + times.system


def taken_out() -> dict[str, bytes]:
    """Take the rows of ratings and placements out and return them as COPY writes them."""
    from django.db import connection, transaction

    rows = {}
    with transaction.atomic(), connection.cursor() as cursor:
        for table in TABLES:
            output = io.BytesIO()
            cursor.copy_expert(f"COPY {table} TO STDOUT", output)
            rows[table] = output.getvalue()
        for table in reversed(TABLES):
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608
    return rows


def copy_back(rows: dict[str, bytes]) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        for table, content in rows.items():
            cursor.copy_expert(f"COPY {table} FROM STDIN", io.BytesIO(content))


if __name__ == "__main__":
    main()
