"""Give a draft its prompts and candidates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.management.study_command import StudyCommand
from annotations.management.table_options import add_table_options, explained, table_options
from annotations.models import Study
from annotations.setup.lifecycle import material_obstacles
from annotations.setup.material import MaterialChecks, material_checks, store_material
from generation.files.candidates import CandidateFile, read_candidates
from generation.files.problems import FileRefused
from generation.files.prompts import PromptFile, read_prompts


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
        add_table_options(parser, with_columns=True)
        parser.add_argument(
            "--prompts-only",
            action="store_true",
            help="one prompt a line, or CSV with the columns prompt, description",
        )

    def act(self, study: Study, options: dict[str, Any]) -> None:
        given = table_options(options)
        file: CandidateFile | PromptFile
        try:
            if options["prompts_only"]:
                given.pop("columns")
                file = read_prompts(options["file"], study.genre, **given)
            else:
                file = read_candidates(
                    options["file"], study.genre, may_lack_texts=study.allows_missing_texts, **given
                )
            store_material(study, file, by=None)
        except FileRefused as refused:
            raise CommandError(f"Nothing was stored.\n{explained(refused)}") from refused
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
