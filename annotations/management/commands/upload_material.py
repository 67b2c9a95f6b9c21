"""Give a draft its prompts and candidates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.setup.lifecycle import material_obstacles
from annotations.setup.material import MaterialChecks, material_checks, store_material
from generation.files.candidates import read_candidates
from generation.files.problems import FileRefused
from generation.files.prompts import read_prompts


class Command(StudyCommand):
    help = (
        "Make a file the material of a draft, in place of what it had: candidates (CSV, JSON, XLSX or Parquet"
        " with the columns prompt, description, method, text), or with"
        " --prompts-only prompts that methods are still to write for."
        " Nothing is stored if anything is wrong in the file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--encoding", default="", help="of a file that is neither UTF-8 nor UTF-16, such as gb18030"
        )
        parser.add_argument("--sheet", default="", help="of a workbook, where not the first one is meant")
        parser.add_argument(
            "--prompts-only",
            action="store_true",
            help="one prompt a line, or CSV with the columns prompt, description",
        )

    def act(self, study: Study, options: dict[str, Any]) -> None:
        read = read_prompts if options["prompts_only"] else read_candidates
        try:
            file = read(options["file"], study.genre, encoding=options["encoding"], sheet=options["sheet"])
            store_material(study, file, by=None)
        except FileRefused as refused:
            raise CommandError(f"Nothing was stored.\n{refused}") from refused
        checks = material_checks(study)
        self.report(checks)
        missing = material_obstacles(study, checks)
        self.stdout.write(" ".join(missing) or f"Next: manage.py sign_off_study {study.slug}")

    def report(self, checks: MaterialChecks) -> None:
        """Print what there is to see in the material."""
        self.stdout.write(
            f"{checks.prompts} prompts, {checks.subtasks} sub-tasks, {checks.texts} texts; "
            f"{checks.same} texts stand more than once"
        )
        for method in checks.methods:
            self.stdout.write(
                f"  {method.label}: {method.texts} texts of {method.shortest} to {method.longest} characters,"
                f" median {method.median:g}"
            )
