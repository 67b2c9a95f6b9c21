"""What can be done as a job: one table of kinds, each with what it must be told and the function that does it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotations.models import AnalysisPlan, Job
from annotations.results.answer_rows import COLUMNS, AnswerRow, answer_count, answers
from annotations.results.seal import refuse_sealed
from generation.refusals import Refused
from stats.reports import write_rows

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

# Told after each step how many are done, of how many; raises `LeaseLost` where the work is no longer wanted.
Progress = Callable[[int, int], None]

ROWS_A_STEP = 500


@dataclass(frozen=True)
class Made:
    """The file that comes of a job; its chunks are made while they are read."""

    name: str
    content_type: str
    chunks: Iterable[bytes]


@dataclass(frozen=True)
class Kind:
    """A kind of job: its name for people, the values that each of its parameters can have, and what does it."""

    label: _StrPromise
    parameters: Mapping[str, tuple[str, ...]]
    make: Callable[[Job, Progress], Made]


def make_report(job: Job, progress: Progress) -> Made:
    """Make the report of a study as a file."""
    # Loaded where it is used: what computes takes longer to load than all the rest of a web process.
    from annotations.results.report import study_report
    from annotations.results.report_formats import FORMATS, export

    refuse_sealed(job.study)
    progress(0, 2)
    file_format = job.parameters["format"]
    report = study_report(job.study, off_scale=job.parameters["off_scale"])
    progress(1, 2)
    return Made(
        f"{job.study.slug}.{file_format}", FORMATS[file_format].content_type, [export(report, file_format)]
    )


def make_answers(job: Job, progress: Progress) -> Made:
    """Make a file of the answers of a study, one row each."""
    file_format = job.parameters["format"]
    rows = followed(answers(job.study), answer_count(job.study), progress)
    chunks = write_rows.FORMATS[file_format](COLUMNS, rows)
    return Made(
        f"{job.study.slug}-ratings.{file_format}", write_rows.CONTENT_TYPES[file_format], fitting(chunks)
    )


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


KINDS: dict[str, Kind] = {
    "report": Kind(
        gettext_lazy("Report"),
        {"format": ("pdf", "xlsx"), "off_scale": tuple(AnalysisPlan.OffScale.values)},
        make_report,
    ),
    "answers": Kind(gettext_lazy("All answers"), {"format": tuple(write_rows.FORMATS)}, make_answers),
}
