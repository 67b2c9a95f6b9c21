"""What the commands have in common that read a table: how it is encoded, which sheet, what its columns are."""

from __future__ import annotations

import shlex
from typing import Any

from django.core.management.base import CommandError, CommandParser

from generation.files.columns import FIELDS, IGNORED, NOTE, TEXTS_OF, ColumnsUnconfirmed
from generation.files.problems import FileRefused, shown

ROWS_SHOWN = 3


def add_table_options(parser: CommandParser, *, with_columns: bool = False) -> None:
    parser.add_argument(
        "--encoding", default="", help="of a file that is neither UTF-8 nor UTF-16, such as gb18030"
    )
    parser.add_argument("--sheet", default="", help="of a workbook, where not the first one is meant")
    if with_columns:
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="NAME=WHAT",
            help=(
                f"what a column is: {', '.join(FIELDS)}, part: or tag: with a name, {TEXTS_OF} (of the method that it"
                f" is called after), {NOTE} or {IGNORED}; may be repeated, and the columns that are not named are notes"
            ),
        )


def table_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a command as the arguments of what reads the table."""
    given = {"encoding": options["encoding"], "sheet": options["sheet"]}
    if "column" not in options:
        return given
    columns = {}
    for said in options["column"]:
        column, mark, role = said.rpartition("=")
        if not mark:
            raise CommandError(f"--column {said}: must be NAME=WHAT")
        columns[column] = role
    return {**given, "columns": columns or None}


def explained(refused: FileRefused) -> str:
    """Return what is wrong with a file; of columns that were guessed, the first rows and how to confirm them."""
    if not isinstance(refused, ColumnsUnconfirmed):
        return str(refused)
    rows = [
        "  " + ", ".join(f"{name}: {shown(str(value))}" for name, value in row.fields.items())
        for row in refused.table.first_rows(ROWS_SHOWN)
    ]
    confirm = " ".join(f"--column {shlex.quote(f'{name}={role}')}" for name, role in refused.roles.items())
    return "\n".join([str(refused), "Its first rows:", *rows, f"Confirm or change it: {confirm}"])
