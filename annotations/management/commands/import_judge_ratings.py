"""Give a study the scores of a judge or metric."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.judges.files import NAMES, read_columns, read_scores
from annotations.judges.judges import About, import_scores
from annotations.management.study_command import StudyCommand
from annotations.management.table_options import add_table_options
from annotations.models import Judge, Study
from generation.files.problems import FileRefused


class Command(StudyCommand):
    help = (
        "Store the scores of a judge or metric (BLEURT, COMET, BERTScore, a language model) beside people's ratings,"
        " never among them: a table with the columns prompt, method, score, and if there are such criterion, repeat,"
        " position. Nothing is stored if anything is wrong in the file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)
        parser.add_argument("--judge", required=True, metavar="KEY", help="its short name")
        parser.add_argument("--label", default="", help="what reports call it; the short name if left out")
        # Not `--version`, which every command has.
        parser.add_argument("--made-by", default="", metavar="VERSION", help="model, version, prompt")
        parser.add_argument(
            "--saw-answers",
            required=True,
            choices=Judge.SawAnswers.values,
            help="whether people's answers were in sight when the scores were made; the report prints it",
        )
        parser.add_argument(
            "--own-scale", action="store_true", help="the scores are no points of the evaluators' scale"
        )
        parser.add_argument(
            "--sampling",
            choices=Judge.Sampling.values,
            default=Judge.Sampling.ALL,
            help="all: the file has the study's prompts alone; random or chosen: how these came from all in the file",
        )
        parser.add_argument(
            "--own-method",
            action="append",
            default=[],
            metavar="METHOD",
            help="a method of the judge's family",
        )
        parser.add_argument(
            "--map", default="", metavar="ROLE=COLUMN,...", help=f"columns of other names: {', '.join(NAMES)}"
        )
        parser.add_argument("--replace", action="store_true", help="replace the scores that the judge has")
        add_table_options(parser)

    def act(self, study: Study, options: dict[str, Any]) -> None:
        about = About(
            key=options["judge"],
            label=options["label"],
            version=options["made_by"],
            saw_answers=options["saw_answers"],
            has_own_scale=options["own_scale"],
            sampling=options["sampling"],
            own_methods=tuple(options["own_method"]),
        )
        try:
            file = read_scores(
                options["file"],
                study,
                columns=read_columns(options["map"]),
                has_own_scale=about.has_own_scale,
                takes_other_prompts=about.sampling != Judge.Sampling.ALL,
                encoding=options["encoding"],
                sheet=options["sheet"],
            )
        except FileRefused as refused:
            raise CommandError(f"Nothing was stored.\n{refused}") from refused
        judge, is_new = import_scores(study, file, about, replaces=options["replace"], by=None)
        if not is_new:
            self.stdout.write(f"{judge.key} has these scores already; nothing has changed.")
            return
        self.stdout.write(
            f"{judge.key}: {len(file.scores)} scores; {file.texts_scored} of {file.texts} texts of the study,"
            f" {file.other_prompts} prompts that nobody rates;"
            f" criteria: {', '.join(file.criteria) or 'none named'}"
        )
