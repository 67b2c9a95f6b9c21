"""How long the report of a study with a million ratings takes, and in how much memory.

Fills a study in a scratch database and makes its report. The reference of the same run is reading the same ratings as
objects of the ORM, which is only the first step of a report. Targets: 20 s and 1 GiB.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from decimal import Decimal

import django

from benchmarks.annotations.export_speed import CRITERIA, EVALUATORS, METHODS, filled_study

TARGET_SECONDS = 20
TARGET_GIBIBYTES = 1


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--ratings", type=int, default=1_000_000, help="at least so many (default: %(default)s)"
    )
    prompts = -(-parser.parse_args().ratings // (EVALUATORS * METHODS * CRITERIA))

    from evalsite import embedded

    embedded.start()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")
    django.setup()
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    connection.settings_dict["TEST"]["NAME"] = "bench_report_speed"
    scratch = setup_databases(verbosity=0, interactive=False)
    try:
        measure(prompts)
    finally:
        teardown_databases(scratch, verbosity=0)


def measure(prompts: int) -> None:
    """Fill a study, make its report, and print seconds and peak memory."""
    from annotations.models import Rating
    from annotations.results.report import study_report
    from annotations.results.report_formats import export

    study = filled_study(prompts, history=False)
    # The picks of the filled study are not those of careful people, and everybody shall count.
    study.inconsistency_threshold = Decimal(1)
    start = time.perf_counter()
    report = study_report(study)
    computed = time.perf_counter() - start
    start = time.perf_counter()
    export(report, "html")
    written = time.perf_counter() - start
    # The peak of the whole process so far; the reference comes after it.
    gibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    start = time.perf_counter()
    ratings = sum(1 for _ in Rating.objects.filter(enrolment__study=study).iterator())
    reference = time.perf_counter() - start
    print(
        f"{ratings:,} ratings: {EVALUATORS} evaluators x {prompts} prompts x {METHODS} methods x {CRITERIA} criteria"
    )
    print(f"read and analysed {computed:6.1f} s   {computed / reference:5.2f} x reading them by the ORM")
    print(f"written as HTML   {written:6.1f} s")
    print(f"peak memory       {gibibytes:6.2f} GiB")
    met = computed + written <= TARGET_SECONDS and gibibytes <= TARGET_GIBIBYTES
    print(f"targets ({TARGET_SECONDS} s, {TARGET_GIBIBYTES} GiB): {'met' if met else 'MISSED'}")


if __name__ == "__main__":
    main()
