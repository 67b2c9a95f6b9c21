"""Write the results of the game to a file or to standard output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from generation.management.act_command import ActCommand
from stats.reports.write_rows import write_whole
from turing.models import Kind, Results
from turing.results.counting import count_answers
from turing.results.exports import RESULT_FORMATS, ROW_FORMATS, ROWS, export_results, row_chunks


class Command(ActCommand):
    help = "Write the results of the Turing game as JSON or CSV, or all its rounds or pairs as CSV or JSON Lines."

    def add_arguments(self, parser: CommandParser) -> None:
        formats = list(dict.fromkeys([*RESULT_FORMATS, *ROW_FORMATS]))
        parser.add_argument("format", choices=formats, help="json (the figures), csv, or jsonl (rows)")
        parser.add_argument(
            "--rows", choices=list(ROWS), help="every answered round or every pair in place of the figures"
        )
        parser.add_argument(
            "--from-rounds",
            action="store_true",
            help="add the rate without hasty answers, repeats and known texts, learning and side bias (slow)",
        )
        parser.add_argument(
            "--kind", choices=Kind.values, default=Kind.PAIRS, help="of game (default: pairs)"
        )
        parser.add_argument("--output", type=Path, metavar="PATH", help="default: standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        rows, file_format = options["rows"], options["format"]
        if file_format not in (ROW_FORMATS if rows else RESULT_FORMATS):
            raise CommandError(f"{file_format}: a format {'of the figures' if rows else 'of --rows'} only")
        # The workers count every few seconds; an export holds what was answered before it.
        count_answers()
        if rows:
            chunks = row_chunks(rows, file_format)
        else:
            found = export_results(
                file_format,
                with_pairs=True,
                with_rounds=options["from_rounds"],
                of=Results.objects.of_site(options["kind"]),
            )
            chunks = iter([found])
        output: Path | None = options["output"]
        if output is None:
            for chunk in chunks:
                self.stdout.write(chunk.decode(), ending="")
            return
        try:
            write_whole(output, chunks)
        except OSError as error:
            raise CommandError(f"{output}: {error.strerror}") from error
        self.stderr.write(f"{output}: written")
