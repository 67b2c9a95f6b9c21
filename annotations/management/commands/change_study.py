"""Change the words and the rules of a study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations.models import Study
from annotations.setup.rubrics import load_rubric
from annotations.setup.study import CHANGEABLE, change_study, replace_criteria
from generation.refusals import Refused


class Command(BaseCommand):
    help = "Change the words, the rules or the criteria of a study; after its launch most of them are fixed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the study's name in its address")
        for name in sorted(CHANGEABLE - {"questions"}):
            parser.add_argument(f"--{name.replace('_', '-')}", metavar="VALUE")
        parser.add_argument(
            "--questions", type=Path, metavar="FILE", help="JSON: the form that comes with the consent"
        )
        parser.add_argument(
            "--rubric",
            metavar="RUBRIC",
            help="other criteria: qa, poem, or a JSON file (annotations/rubrics.py)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.objects.filter(slug=options["slug"]).first()
        if study is None:
            raise CommandError(f"{options['slug']}: no such study")
        fields = {name: options[name] for name in CHANGEABLE if options[name] is not None}
        # An empty number is none: everybody rates everything.
        for name in ("evaluators_per_subtask", "subtasks_per_evaluator"):
            if fields.get(name) == "":
                fields[name] = None
        try:
            if "questions" in fields:
                fields["questions"] = json.loads(fields["questions"].read_text(encoding="utf-8-sig"))
            changed = change_study(study, by=None, **fields)
            if options["rubric"]:
                replace_criteria(study, load_rubric(options["rubric"]), by=None)
                changed += ("criteria",)
        except (Refused, OSError, ValueError) as refused:
            raise CommandError(f"{study.slug}: {refused}") from refused
        except ValidationError as error:
            raise CommandError(f"{study.slug}: {words(error)}") from error
        self.stdout.write(f"{study.slug}: changed {', '.join(changed) or 'nothing'}")


def words(error: ValidationError) -> str:
    """Return what is wrong in one line, with the options' names."""
    return "; ".join(
        f"--{name.replace('_', '-')}: {' '.join(found)}" for name, found in error.message_dict.items()
    )
