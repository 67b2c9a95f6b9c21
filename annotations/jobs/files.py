"""The files that jobs make of a study's results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from annotations.jobs.outcome import Made, Progress
from annotations.models import Job, Study
from annotations.results.answer_rows import COLUMNS, AnswerRow, answer_count, answers
from annotations.results.preferences.wanted import LAYOUTS, Wanted, check_wanted
from annotations.results.seal import refuse_sealed
from generation.refusals import Refused
from stats.reports import write_rows

ROWS_A_STEP = 500
YES, NO = "yes", "no"


def make_report(job: Job, progress: Progress) -> Made:
    """Make the report of a study as a file."""
    # Loaded where it is used: what computes takes longer to load than all the rest of a web process.
    from annotations.results.report import study_report
    from annotations.results.report_formats import FORMATS, export

    study = study_of(job)
    refuse_sealed(study)
    progress(0, 2)
    file_format = job.parameters["format"]
    report = study_report(study, off_scale=job.parameters["off_scale"])
    progress(1, 2)
    return Made(
        f"{study.slug}.{file_format}", FORMATS[file_format].content_type, [export(report, file_format)]
    )


def make_answers(job: Job, progress: Progress) -> Made:
    """Make a file of the answers of a study, one row each."""
    study, file_format = study_of(job), job.parameters["format"]
    rows = followed(answers(study), answer_count(study), progress)
    chunks = write_rows.FORMATS[file_format](COLUMNS, rows)
    return Made(f"{study.slug}-ratings.{file_format}", write_rows.CONTENT_TYPES[file_format], fitting(chunks))


def make_pairs(job: Job, progress: Progress) -> Made:
    """Make a file of what people preferred in a study."""
    from annotations.results.preferences.files import wanted_file

    said = job.parameters
    progress(0, 2)
    name, content_type, chunks = wanted_file(study_of(job), wanted_of(said))
    progress(1, 2)
    return Made(name, content_type, chunks)


def wanted_of(said: Mapping[str, str]) -> Wanted:
    """Return which preferences the parameters of a job ask for; raise `BadPreferences`."""
    layout = next((one for one in LAYOUTS if one == said["layout"]), None)
    wanted = Wanted(
        source="picks" if said["source"] == "picks" else "ratings",
        layout=layout,
        file_format=said["format"],
        conversational=said["conversational"] == YES,
        by_evaluator=said["by_evaluator"] == YES,
    )
    check_wanted(wanted)
    return wanted


def make_archive(job: Job, progress: Progress) -> Made:
    """Make the archive of a study, from which its results can be made again."""
    from annotations.results.archive import study_archive

    study = study_of(job)
    progress(0, 1)
    return Made(f"{study.slug}.zip", "application/zip", [study_archive(study)])


def study_of(job: Job) -> Study:
    if job.study is None:
        raise Refused(_("The study is gone."))
    return job.study


def followed(rows: Iterator[AnswerRow], total: int, progress: Progress) -> Iterator[AnswerRow]:
    """Yield the rows, telling how many of them were read; a study that takes answers can have more than it had."""
    for number, row in enumerate(rows):
        if number % ROWS_A_STEP == 0:
            progress(min(number, total), total)
        yield row


def fitting(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks of a file of rows; raise `Refused` where a workbook cannot hold them."""
    try:
        yield from chunks
    except write_rows.TooMuchForWorkbook as error:
        raise Refused(
            _("A workbook cannot hold all answers or so long texts; take Parquet or CSV.")
        ) from error
