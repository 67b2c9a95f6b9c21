"""Write the answers of a study one by one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

from annotations.management.rows_command import RowsCommand
from annotations.models import Study
from annotations.results import answer_rows
from stats.reports.write_rows import FORMATS, Row


class Command(RowsCommand):
    help = (
        "Write the answers of a study, one row for each rating and each best pick. The CSV is safe to open in a"
        " spreadsheet: text that it would run as a formula, or make a number or a date of, gets an apostrophe in"
        " front, and so does text that begins with one. JSON Lines, Parquet and XLSX hold every text as it is."
    )
    formats = list(FORMATS)
    columns = answer_rows.COLUMNS

    def exported(self, options: dict[str, Any]) -> str:
        return "ratings"

    def rows(self, study: Study, options: dict[str, Any]) -> Iterable[Row]:
        answers = answer_rows.answers(study)
        # Shown on a terminal only.
        return tqdm(answers, total=answer_rows.answer_count(study), unit=" rows", disable=None)
