"""Sign the material of a draft off."""

from __future__ import annotations

from typing import Any

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.setup.lifecycle import sign_off


class Command(StudyCommand):
    help = "Declare the material and the criteria of a draft right; it can then be launched."

    def act(self, study: Study, options: dict[str, Any]) -> None:
        sign_off(study, by=None)
        self.stdout.write(
            f"{study.slug}: the material is signed off. Next: manage.py launch_study {study.slug}"
        )
