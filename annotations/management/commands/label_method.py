"""Change what a study calls one of its methods."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.setup.study import label_methods


class Command(StudyCommand):
    help = (
        "Change what the reports of a study call one of its methods; an empty label takes its own name back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("key", help="the key of the method")
        parser.add_argument("label", help="what it is to be called")

    def act(self, study: Study, options: dict[str, Any]) -> None:
        key, label = options["key"], options["label"]
        keys = list(study.study_methods.values_list("method__key", flat=True))
        if key not in keys:
            raise CommandError(f"{study.slug}: no method {key}; there are: {', '.join(keys) or 'none'}")
        changed = label_methods(study, {key: label}, by=None)
        self.stdout.write(f"{key}: {'labelled' if changed else 'was called so already'}")
