"""Write everything that a site holds to a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from evalsite.embedded.dumps import run_on_database


class Command(BaseCommand):
    help = "Write the database to a file, as it is at this moment, while the site goes on; `restore` brings it back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            # It has names and addresses: nobody else may read it, not even while it is written.
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        try:
            run_on_database("pg_dump", "--format=custom", "--no-owner", f"--file={file}")
        except BaseException:
            file.unlink()
            raise
        self.stdout.write(f"{file}: {file.stat().st_size:,} bytes")
