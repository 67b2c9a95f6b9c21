"""Close a study."""

from __future__ import annotations

from typing import Any

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.setup.lifecycle import close_study


class Command(StudyCommand):
    help = "Close a study: it takes no more answers, and its results may be seen."

    def act(self, study: Study, options: dict[str, Any]) -> None:
        self.stdout.write(f"{study.slug}: {'closed' if close_study(study) else 'was closed already'}")
