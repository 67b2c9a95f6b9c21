"""Write the reasons and corrected texts of a study one by one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from annotations.management.rows_command import RowsCommand
from annotations.models import Study
from annotations.results.written.rows import COLUMNS, written_rows
from stats.reports.write_rows import FORMATS, Row


class Command(RowsCommand):
    help = (
        "Write the reasons and corrected texts that evaluators wrote, one a row with the text as it stood. The rules of"
        " the files are those of export_ratings."
    )
    formats = list(FORMATS)
    columns = COLUMNS

    def exported(self, options: dict[str, Any]) -> str:
        return "written"

    def rows(self, study: Study, options: dict[str, Any]) -> Iterable[Row]:
        return written_rows(study)
