"""Change the words and the rules of a study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from annotations.access.fixed import CHANGEABLE
from annotations.management.study_command import StudyCommand
from annotations.management.text_options import add_text_options, text_from
from annotations.models import Study
from annotations.recruiting.consent import read_questions
from annotations.setup.rubrics import RUBRIC_HELP, load_rubric
from annotations.setup.study import BY_LANGUAGE, change_study, replace_criteria


class Command(StudyCommand):
    help = "Change the words, the rules or the criteria of a study; after its launch most of them are fixed."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        for name in sorted(BY_LANGUAGE):
            add_text_options(parser, name, "empty: none")
        for name in sorted(CHANGEABLE - BY_LANGUAGE - {"questions"}):
            parser.add_argument(f"--{name.replace('_', '-')}", metavar="VALUE")
        parser.add_argument(
            "--questions", type=Path, metavar="FILE", help="JSON: the form that comes with the consent"
        )
        parser.add_argument(
            "--rubric",
            metavar="RUBRIC",
            help=f"other criteria: {RUBRIC_HELP}",
        )

    @transaction.atomic
    def act(self, study: Study, options: dict[str, Any]) -> None:
        texts = {name: text_from(options, name) for name in BY_LANGUAGE}
        given = {name: options[name] for name in CHANGEABLE - BY_LANGUAGE} | texts
        fields = {name: value for name, value in given.items() if value not in (None, {})}
        # An empty number is none: everybody rates everything, and all texts of a prompt.
        for name in ("evaluators_per_subtask", "subtasks_per_evaluator", "candidates_per_page"):
            if fields.get(name) == "":
                fields[name] = None
        if "interface_languages" in fields:
            fields["interface_languages"] = fields["interface_languages"].replace(",", " ").split()
        try:
            if "questions" in fields:
                fields["questions"] = read_questions(
                    json.loads(fields["questions"].read_text(encoding="utf-8-sig"))
                )
            rubric = load_rubric(options["rubric"]) if options["rubric"] else None
            changed = change_study(study, by=None, **fields)
            if rubric is not None:
                replace_criteria(study, rubric, by=None)
                changed += ("criteria",)
        except (OSError, ValueError) as error:
            raise CommandError(f"{study.slug}: {error}") from error
        self.stdout.write(f"{study.slug}: changed {', '.join(changed) or 'nothing'}")
