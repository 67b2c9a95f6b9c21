"""Jobs for the tests: a study with answers, those who ask for files of it, and work that does as a test says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy

from annotations.access.roles import give_role
from annotations.jobs.kinds import KINDS, Kind
from annotations.jobs.outcome import Made, Progress
from annotations.jobs.queueing import queue_job
from annotations.models import Job, Study, StudyRole
from annotations.recruiting.enrolment import enrol
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import answer_everything, build_study, build_user

Role = StudyRole.Role


def rated_study() -> Study:
    """Return a closed study of two pages, answered by one."""
    study = build_study()
    answer_everything(enrol(study, build_user("alice")))
    close_study(study)
    return study


def with_role(study: Study, name: str, role: StudyRole.Role = Role.ANALYST) -> User:
    user = build_user(name)
    give_role(study, user, role, by=None)
    return user


def queued(study: Study, by: User, file_format: str = "csv") -> Job:
    return queue_job(study, "answers", {"format": file_format}, by=by)


def stand_in(patch: pytest.MonkeyPatch, work: Callable[[Job, Progress], Any]) -> None:
    """Have every file of answers made by `work`, which returns its chunks."""

    def make(job: Job, progress: Progress) -> Made:
        return Made("made.csv", "text/csv", work(job, progress))

    patch.setitem(KINDS, "answers", Kind(gettext_lazy("All answers"), KINDS["answers"].parameters, make))


def file_of(job: Job) -> bytes:
    """Return what is stored of a job's file."""
    return b"".join(bytes(part.content) for part in job.file_parts.all())
