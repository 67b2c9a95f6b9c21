"""Let a paused study go on."""

from __future__ import annotations

from typing import Any

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.setup.lifecycle import resume


class Command(StudyCommand):
    help = "Let a paused study take answers again; deadlines stay as they are."

    def act(self, study: Study, options: dict[str, Any]) -> None:
        changed = resume(study, by=None)
        self.stdout.write(f"{study.slug}: {'takes answers again' if changed else 'is open already'}")
