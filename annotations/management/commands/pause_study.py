"""Pause a study."""

from __future__ import annotations

from typing import Any

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.setup.lifecycle import pause


class Command(StudyCommand):
    help = "Let an open study take no answers for a time; deadlines stay as they are."

    def act(self, study: Study, options: dict[str, Any]) -> None:
        changed = pause(study, by=None)
        self.stdout.write(f"{study.slug}: {'paused' if changed else 'was paused already'}")
