"""How fast the raw ratings of a study are exported, and in how much memory.

Fills a study in a scratch database and writes it in every format to nowhere. The references of the same run are
PostgreSQL's own COPY of the same query to CSV, with numbers for names, which no export can beat, and the obvious way:
objects of the ORM, one by one, to `csv.writer` (without positions and history, which would take a query for each row).

Targets: at least 50,000 rows/s, and less than 50 MB more memory while it runs, however many rows there are.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import django

EVALUATORS = 50
METHODS = 4
CRITERIA = 2
TARGET_ROWS_PER_SECOND = 50_000
TARGET_MEGABYTES = 50
# A workbook is made whole before it is sent.
STREAMED = ("csv", "jsonl", "parquet")

# Everything is written by PostgreSQL itself. The rows refer to others and keep to the scale by construction, so that
# what looks at each of them is left out: foreign keys for good, triggers meanwhile.
FILL = [
    # No table can be changed while foreign keys of the same transaction wait to be looked at.
    "SET CONSTRAINTS ALL IMMEDIATE",
    """
    DO $$ DECLARE one record; BEGIN
        FOR one IN SELECT conname, conrelid::regclass AS answers FROM pg_constraint
            WHERE contype = 'f' AND conrelid IN (
                'annotations_placement'::regclass, 'annotations_rating'::regclass,
                'annotations_bestchoice'::regclass, 'annotations_answerchange'::regclass)
        LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', one.answers, one.conname); END LOOP;
    END $$
    """,
    "ALTER TABLE annotations_placement DISABLE TRIGGER USER",
    "ALTER TABLE annotations_rating DISABLE TRIGGER USER",
    """
    INSERT INTO annotations_assignment (enrolment_id, subtask_id)
    SELECT enrolment.id, subtask.id FROM annotations_enrolment enrolment CROSS JOIN annotations_subtask subtask
    """,
    """
    INSERT INTO annotations_placement (enrolment_id, page_id, candidate_id, position, token)
    SELECT enrolment.id, shown.page_id, shown.candidate_id,
           (method.number + shown.page_id + enrolment.number)
               % count(*) OVER (PARTITION BY enrolment.id, shown.page_id),
           substr(md5(random()::text || shown.id), 1, 22)
    FROM annotations_enrolment enrolment CROSS JOIN annotations_pagecandidate shown
    JOIN annotations_studymethod method ON method.id = shown.study_method_id
    """,
    """
    INSERT INTO annotations_pagesums (enrolment_id, page_id)
    SELECT DISTINCT enrolment_id, page_id FROM annotations_placement
    """,
    """
    INSERT INTO annotations_rating (enrolment_id, candidate_id, criterion_id, score, off_scale, client_order, saved_at)
    SELECT placement.enrolment_id, placement.candidate_id, criterion.id, 1 + placement.id % 5, false, 1,
           now() + placement.id * interval '1 second' + criterion.number * interval '1 millisecond'
    FROM annotations_placement placement, annotations_criterion criterion
    """,
    """
    INSERT INTO annotations_bestchoice (enrolment_id, page_id, candidate_id, client_order, saved_at)
    SELECT enrolment_id, page_id, candidate_id, 1, now() + id * interval '1 second'
    FROM annotations_placement WHERE position = 0
    """,
]
# From here on triggers look at every row again.
WATCHED = [
    "ALTER TABLE annotations_placement ENABLE TRIGGER USER",
    "ALTER TABLE annotations_rating ENABLE TRIGGER USER",
]
HISTORY = [
    """
    INSERT INTO annotations_answerchange
        (enrolment_id, page_id, candidate_id, criterion_id, score, client_order, seconds_on_page, changed_at)
    SELECT enrolment_id, page_id, candidate_id, criterion_id, score, 1, rating.id % 6000 / 100.0, saved_at
    FROM annotations_rating rating JOIN annotations_placement USING (enrolment_id, candidate_id)
    """,
    """
    INSERT INTO annotations_answerchange
        (enrolment_id, page_id, candidate_id, client_order, seconds_on_page, changed_at)
    SELECT enrolment_id, page_id, candidate_id, 1, id % 6000 / 100.0, saved_at FROM annotations_bestchoice
    """,
]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--ratings", type=int, default=200_000, help="at least so many (default: %(default)s)"
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="the median of them counts (default: %(default)s)"
    )
    options = parser.parse_args()
    prompts = -(-options.ratings // (EVALUATORS * METHODS * CRITERIA))

    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from evalsite import embedded

    embedded.start()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")
    django.setup()
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    # Not the name of the tests' database: they may be running.
    connection.settings_dict["TEST"]["NAME"] = "bench_export_speed"
    scratch = setup_databases(verbosity=0, interactive=False)
    try:
        measure(prompts, options.rounds)
    finally:
        teardown_databases(scratch, verbosity=0)


def measure(prompts: int, rounds: int) -> None:
    """Fill a study and print rows/s and memory of every way to export it."""
    from annotations.results.answer_rows import answer_count, rating_chunks
    from stats.reports.write_rows import FORMATS

    study = filled_study(prompts)
    rows = answer_count(study)
    print(
        f"{rows:,} rows: {EVALUATORS} evaluators x {prompts} prompts x {METHODS} methods x {CRITERIA} criteria"
    )
    ways: dict[str, Callable[[], Iterable[object]]] = {
        "COPY to CSV (reference)": lambda: copied(study),
        "ORM row by row to csv (reference)": lambda: row_by_row(study),
        **{name: lambda name=name: rating_chunks(study, name) for name in STREAMED},
    }
    # What is loaded once and for all is not counted as growth.
    for file_format in (FORMATS[name] for name in STREAMED):
        list(file_format({"number": "integer"}, [(1,)]))
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    growth: dict[str, float] = dict.fromkeys(ways, 0.0)
    for _ in range(rounds):
        for name, way in ways.items():
            before, start = megabytes(), time.perf_counter()
            for _ in way():
                growth[name] = max(growth[name], megabytes() - before)
            seconds[name].append(time.perf_counter() - start)
    speed = {name: rows / statistics.median(taken) for name, taken in seconds.items()}
    copy, naive = list(speed.values())[:2]
    for name in ways:
        print(
            f"{name:34} {speed[name]:9,.0f} rows/s   {speed[name] / copy:5.2f} x COPY"
            f"   {speed[name] / naive:5.2f} x ORM   {growth[name]:+6.1f} MB"
        )
    met = all(speed[name] >= TARGET_ROWS_PER_SECOND and growth[name] < TARGET_MEGABYTES for name in STREAMED)
    print(f"targets ({TARGET_ROWS_PER_SECOND:,} rows/s, {TARGET_MEGABYTES} MB): {'met' if met else 'MISSED'}")


def filled_study(prompts: int, *, history: bool = True):  # noqa: ANN201 - its type is loaded after Django is set up
    """Return a study that simulated evaluators answered in full, each answer with its history where that is read."""
    from django.db import connection
    from django.db.models.functions import Now

    from annotations.models import Enrolment
    from annotations.plan.simulation import simulated_user
    from annotations.tests.cast import build_study

    study = build_study(slug="export-speed", prompts=prompts, methods=METHODS)
    Enrolment.objects.bulk_create(
        Enrolment(
            study=study,
            evaluator=simulated_user(f"simulated-{number}"),
            number=number,
            pseudonym=f"simulated-{number}",
            source=Enrolment.Source.SIMULATED,
            deadline=Now(),
        )
        for number in range(EVALUATORS)
    )
    with connection.cursor() as cursor:
        for statement in [
            *FILL,
            *(HISTORY if history else []),
            *WATCHED,
            "ANALYZE",
        ]:
            cursor.execute(statement)
    return study


def copied(study) -> Iterator[int]:  # noqa: ANN001
    """Let PostgreSQL write the query of the export as CSV itself."""
    from django.db import connection

    from annotations.results.answer_rows import stored_answers

    sql, parameters = stored_answers(study).query.sql_with_params()
    with connection.cursor() as cursor, Path(os.devnull).open("wb") as nowhere:
        cursor.copy_expert(
            f"COPY ({cursor.mogrify(sql, parameters).decode()}) TO STDOUT (FORMAT csv)", nowhere
        )
        yield cursor.rowcount


def row_by_row(study) -> Iterator[int]:  # noqa: ANN001
    """Write the ratings as the ORM gives them."""
    from annotations.models import Rating

    output = io.StringIO()
    writer = csv.writer(output)
    ratings = Rating.objects.filter(enrolment__study=study).select_related(
        "enrolment", "criterion", "candidate__prompt", "candidate__run__method"
    )
    for number, rating in enumerate(ratings.iterator()):
        writer.writerow(
            [
                study.slug,
                rating.enrolment.pseudonym,
                rating.candidate.prompt.text,
                rating.candidate.run.method.key,
                rating.criterion.key,
                rating.score,
                rating.saved_at.isoformat(),
            ]
        )
        if number % 10_000 == 0:
            output.seek(0)
            output.truncate()
            yield number


def megabytes() -> float:
    """Return the memory that this process has in use."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
