"""Write the errors marked in a study one by one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from annotations.management.rows_command import RowsCommand
from annotations.models import Study
from annotations.results.spans.rows import COLUMNS, span_rows
from stats.reports.write_rows import FORMATS, Row


class Command(RowsCommand):
    help = (
        "Write the errors that evaluators marked in the texts of a study, one row for each mark, as offsets in code"
        " points of the text as it was written and as tags in it. The rules of the files are those of export_ratings."
    )
    formats = list(FORMATS)
    columns = COLUMNS

    def exported(self, options: dict[str, Any]) -> str:
        return "spans"

    def rows(self, study: Study, options: dict[str, Any]) -> Iterable[Row]:
        return span_rows(study)
