"""Write the answers to the checklist of a study one by one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from annotations.management.rows_command import RowsCommand
from annotations.models import Study
from annotations.results.checklists.rows import COLUMNS, checklist_rows
from stats.reports.write_rows import FORMATS, Row


class Command(RowsCommand):
    help = (
        "Write what evaluators answered to the items of a study's checklist, one row for each item and text. The rules"
        " of the files are those of export_ratings."
    )
    formats = list(FORMATS)
    columns = COLUMNS

    def exported(self, options: dict[str, Any]) -> str:
        return "checklist"

    def rows(self, study: Study, options: dict[str, Any]) -> Iterable[Row]:
        return checklist_rows(study)
