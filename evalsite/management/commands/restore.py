"""Bring back what `backup` wrote, into a site that holds nothing yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from annotations.models import Study
from evalsite.embedded.dumps import run_on_database


class Command(BaseCommand):
    help = "Bring back the database that `backup` wrote; refused where there are studies or accounts already."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        if not file.is_file():
            raise CommandError(f"{file}: there is no such file")
        has_tables = User._meta.db_table in connection.introspection.table_names()
        if has_tables and (Study.objects.exists() or User.objects.exists()):
            raise CommandError("This site holds studies or accounts already: restore into an empty one")
        connection.close()
        run_on_database(
            "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", str(file)
        )
        self.stdout.write(f"{file} is restored. Next: manage.py migrate, if it is of an earlier version")
