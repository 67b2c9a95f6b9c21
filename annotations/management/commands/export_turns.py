"""Write the ratings of the turns of a study's dialogues one by one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from annotations.management.rows_command import RowsCommand
from annotations.models import Study
from annotations.results.turns.rows import COLUMNS, turn_rows
from stats.reports.write_rows import FORMATS, Row


class Command(RowsCommand):
    help = (
        "Write the ratings of single turns of dialogues, one a row with the turn's number. The rules of the files are"
        " those of export_ratings."
    )
    formats = list(FORMATS)
    columns = COLUMNS

    def exported(self, options: dict[str, Any]) -> str:
        return "turns"

    def rows(self, study: Study, options: dict[str, Any]) -> Iterable[Row]:
        return turn_rows(study)
