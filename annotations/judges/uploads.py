"""Scores that are sent, on the page and by the API alike: stored at once, or by a worker where they are many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from annotations.judges.files import ScoreFile, read_columns, read_scores
from annotations.judges.judges import About, check_about, import_scores
from annotations.models import Job, Judge, Study, WaitingUpload
from annotations.uploads.reading import file_on_disk, name_of, on_disk, refuse_too_large
from annotations.uploads.waiting import is_large_file, keep_waiting, queue_storing


@dataclass(frozen=True)
class ScoresRead:
    """How a file of scores is read, and whose they are."""

    about: About
    columns: str = ""
    encoding: str = ""
    sheet: str = ""
    replaces: bool = False

    @classmethod
    def of(cls, said: dict[str, Any]) -> ScoresRead:
        """Return what a job was told."""
        about = dict(said["about"])
        return cls(
            About(**about | {"own_methods": tuple(about["own_methods"])}),
            **{name: said[name] for name in ("columns", "encoding", "sheet", "replaces")},
        )

    def file(
        self, path: Path, name: str, study: Study, read: Callable[[int], None] | None = None
    ) -> ScoreFile:
        """Read a file; raise what `read_scores` raises. `read` is called with how many rows were."""
        return read_scores(
            path,
            study,
            name=name,
            columns=read_columns(self.columns),
            has_own_scale=self.about.has_own_scale,
            takes_other_prompts=self.about.sampling != Judge.Sampling.ALL,
            encoding=self.encoding,
            sheet=self.sheet,
            report_rows=read,
        )


def import_upload(
    study: Study, upload: UploadedFile[Any], reading: ScoresRead, *, by: User
) -> tuple[Judge, bool, ScoreFile] | Job:
    """Store the scores of an upload as those of a judge, or return the job by which a worker does, where it is large.

    Raises what `read_scores` and `import_scores` raise; what is wrong in a large file its job says.
    """
    refuse_too_large(upload)
    if is_large_file(upload):
        read_columns(reading.columns)
        check_about(study, reading.about)
        return queue_scores(study, upload, reading, by=by)
    with on_disk(upload) as path:
        file = reading.file(path, name_of(upload), study)
    judge, is_new = import_scores(study, file, reading.about, replaces=reading.replaces, by=by)
    return judge, is_new, file


@transaction.atomic
def queue_scores(study: Study, upload: UploadedFile[Any], reading: ScoresRead, *, by: User) -> Job:
    waiting = keep_waiting(WaitingUpload.Kind.SCORES, [upload], by=by, study=study)
    return queue_storing(waiting, asdict(reading), by=by)


def scores_in(
    upload: WaitingUpload, study: Study, reading: ScoresRead, read: Callable[[int], None]
) -> ScoreFile:
    """Return the scores of an upload that waited; raise what `read_scores` raises, and `Refused` where it is gone."""
    with file_on_disk(upload) as file:
        return reading.file(file.path, file.name, study, read)


@transaction.atomic
def store_scores_read(
    upload: WaitingUpload, study: Study, file: ScoreFile, reading: ScoresRead, *, by: User
) -> Study:
    """Store the scores that waited; raise what `import_scores` raises."""
    import_scores(study, file, reading.about, replaces=reading.replaces, by=by)
    # What is stored need not lie here a second time.
    upload.files.all().delete()
    return study
