"""Write the judgements of a study one by one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from annotations.management.rows_command import RowsCommand
from annotations.models import Study
from annotations.results.judgements import rows as judgement_rows
from stats.reports.write_rows import FORMATS, Row


class Command(RowsCommand):
    help = (
        "Write what evaluators of a pairwise, ranking or best-and-worst study answered about each page, one row for"
        " each text of it. The rules of the files are those of export_ratings."
    )
    formats = list(FORMATS)
    columns = judgement_rows.COLUMNS

    def exported(self, options: dict[str, Any]) -> str:
        return "judgements"

    def rows(self, study: Study, options: dict[str, Any]) -> Iterable[Row]:
        return judgement_rows.judgement_rows(study)
