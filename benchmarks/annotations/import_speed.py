"""How long an import of candidates takes, beside PostgreSQL's own COPY of the rows that it writes.

A file of so many prompts by four methods is read, checked and stored as a study. Then the rows of the four tables that
this fills are taken out and copied back by COPY, into the same tables with the same constraints, and the two are
compared; both end with the commit.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

METHODS = ("human", "GPT-4 (t=0.7)", "meta-llama/Llama-3.1-8B", "mine")
TARGET_RATIO = 3
TABLES = (
    "generation_prompt",
    "generation_candidate",
    "annotations_page",
    "annotations_pagecandidate",
)
SENTENCE = "It was a bright cold day in April, and the clocks were striking thirteen. "


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--prompts", type=int, default=10_000, help="default: %(default)s")
    parser.add_argument(
        "--rounds", type=int, default=3, help="the median of them counts (default: %(default)s)"
    )
    options = parser.parse_args()

    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from evalsite import embedded

    embedded.start()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")
    django.setup()
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    # Not the name of the tests' database: they may be running.
    connection.settings_dict["TEST"]["NAME"] = "bench_import_speed"
    scratch = setup_databases(verbosity=0, interactive=False)
    try:
        measure(options.prompts, options.rounds)
    finally:
        teardown_databases(scratch, verbosity=0)


def measure(prompts: int, rounds: int) -> None:
    """Print how long an import and the COPY of its rows take, and the ratio of the two."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "candidates.csv"
        write_candidates(path, prompts)
        seconds: dict[str, list[float]] = {"read and check": [], "store": [], "COPY": []}
        for number in range(rounds):
            parsed = timed(seconds["read and check"], lambda: read(path))
            timed(seconds["store"], lambda parsed=parsed, number=number: store(parsed, f"study-{number}"))
            copied = taken_out()
            timed(seconds["COPY"], lambda copied=copied: copy_back(copied))
            clear()
    median = {name: statistics.median(found) for name, found in seconds.items()}
    for name, found in median.items():
        print(f"{name:>16}: {found:7.2f} s")
    ratio = (median["read and check"] + median["store"]) / median["COPY"]
    verdict = "met" if ratio <= TARGET_RATIO else "missed"
    print(f"import of {prompts:,} prompts x {len(METHODS)} methods: {ratio:.2f} times COPY ({verdict})")


def write_candidates(path: Path, prompts: int) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["prompt", "method", "text", "model version"])
        for number in range(prompts):
            for place, method in enumerate(METHODS):
                text = f"{number}.{place} " + SENTENCE * (2 + (number + place) % 5)
                writer.writerow([f"What happened on day {number}?", method, text, "1"])


def timed(found: list[float], act: Callable[[], Any]) -> Any:
    begun = time.perf_counter()
    result = act()
    found.append(time.perf_counter() - begun)
    return result


def read(path: Path) -> Any:
    from generation.files.candidates import read_candidates

    return read_candidates(path, "qa")


def store(parsed: Any, slug: str) -> None:
    from annotations.imports.studies import import_study
    from annotations.setup.rubrics import load_rubric

    import_study(parsed, slug=slug, rubric=load_rubric("qa"))


def taken_out() -> dict[str, bytes]:
    """Take the rows of the tables out and return them as COPY writes them."""
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


def clear() -> None:
    """Take everything out, so that every round stores the same into the same."""
    from annotations.models import Page, PageCandidate, Study
    from generation.models import Candidate, GenerationRun, Prompt

    PageCandidate.objects.all().delete()
    Page.objects.all().delete()
    Study.objects.all().delete()
    Candidate.objects.all().delete()
    GenerationRun.objects.all().delete()
    Prompt.objects.all().delete()


if __name__ == "__main__":
    main()
