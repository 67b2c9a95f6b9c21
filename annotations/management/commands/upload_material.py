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
from annotations.setup.material.additions import Addition, add_material, planned_addition
from generation.files.candidates import CandidateFile, read_candidates
from generation.files.problems import FileRefused
from generation.files.prompts import PromptFile, read_prompts


class Command(StudyCommand):
    help = (
        "Make a file the material of a draft, in place of what it had: candidates (CSV, JSON, XLSX or Parquet"
        " with the columns prompt, description, method, text), or with"
        " --prompts-only prompts that methods are still to write for."
        " With --add what it had stays: texts by further methods and further prompts join it."
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
        parser.add_argument(
            "--add",
            action="store_true",
            help="add the texts, or prompts, to what the study has",
        )
        parser.add_argument(
            "--look",
            action="store_true",
            help="with --add: say what would be added and which prompts would lack texts, and add nothing",
        )

    def act(self, study: Study, options: dict[str, Any]) -> None:
        if options["look"] and not options["add"]:
            raise CommandError("--look goes with --add")
        given = table_options(options)
        file: CandidateFile | PromptFile
        try:
            if options["prompts_only"]:
                given.pop("columns")
                file = read_prompts(options["file"], study.genre, **given)
            else:
                file = read_candidates(
                    options["file"],
                    study.genre,
                    may_lack_texts=study.allows_missing_texts,
                    fewest_methods=1,
                    is_addition=options["add"],
                    **given,
                )
            if options["look"]:
                self.tell(planned_addition(study, file), "would be added")
                return
            if options["add"]:
                self.tell(add_material(study, file, by=None), "added")
            else:
                store_material(study, file, by=None)
        except FileRefused as refused:
            raise CommandError(f"Nothing was stored.\n{explained(refused)}") from refused
        checks = material_checks(study)
        self.report(checks)
        missing = material_obstacles(study, checks)
        self.stdout.write(" ".join(missing) or f"Next: manage.py sign_off_study {study.slug}")

    def tell(self, addition: Addition, what: str) -> None:
        """Print what a file adds, and which prompts lack texts then."""
        methods = f" by {', '.join(addition.new_methods)}" if addition.new_methods else ""
        self.stdout.write(
            f"{what}: {addition.texts} texts{methods}, {addition.new_prompts} prompts; "
            f"{addition.known_prompts} prompts of the file were there"
        )
        for lacking in addition.missing_at:
            self.stdout.write(f"  {lacking.prompt}: no text by {', '.join(lacking.methods)}")
        if addition.missing:
            self.stdout.write(f"  {addition.missing} texts are missing in all")

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
