"""Scores that are sent: on the page and by the API alike."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.files.base import File

from annotations.judges.files import ScoreFile, read_columns, read_scores
from annotations.judges.judges import About, import_scores
from annotations.models import Judge, Study
from annotations.uploads.reading import name_of, on_disk, refuse_too_large


def import_upload(
    study: Study,
    upload: File[bytes],
    about: About,
    *,
    columns: str = "",
    encoding: str = "",
    sheet: str = "",
    replaces: bool = False,
    by: User,
) -> tuple[Judge, bool, ScoreFile]:
    """Store the scores of an upload as those of a judge; raise what `read_scores` and `import_scores` raise."""
    refuse_too_large(upload)
    with on_disk(upload) as path:
        file = read_scores(
            path,
            study,
            name=name_of(upload),
            columns=read_columns(columns),
            has_own_scale=about.has_own_scale,
            takes_other_prompts=about.sampling != Judge.Sampling.ALL,
            encoding=encoding,
            sheet=sheet,
        )
    judge, is_new = import_scores(study, file, about, replaces=replaces, by=by)
    return judge, is_new, file
