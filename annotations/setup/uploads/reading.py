"""Reading what was uploaded: the name of a file is only ever said, and its content lies in a file of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from annotations.models import Study
from annotations.setup.rubrics import Rubric, read_rubric
from generation.files.candidates import CandidateFile, read_candidates
from generation.files.prompts import PromptFile, read_prompts
from generation.refusals import Refused

LONGEST_NAME = 100
LARGEST_RUBRIC = 1_000_000


def candidates_in(upload: File[Any], study: Study, **options: Any) -> CandidateFile:
    """Return the checked candidates of an upload for a study; raise `Refused`. See `read_candidates`."""
    refuse_too_large(upload)
    with on_disk(upload) as path:
        return read_candidates(
            path,
            study.genre,
            name=name_of(upload),
            may_lack_texts=study.allows_missing_texts,
            **options,
        )


def prompts_in(
    upload: UploadedFile[Any] | str, study: Study, *, encoding: str = "", sheet: str = ""
) -> PromptFile:
    """Return the checked prompts of an upload for a study, or of text that was typed; raise `Refused`."""
    if isinstance(upload, str):
        with on_disk(ContentFile(upload.encode())) as path:
            return read_prompts(path, study.genre, name=_("the text"))
    refuse_too_large(upload)
    with on_disk(upload) as path:
        return read_prompts(path, study.genre, name=name_of(upload), encoding=encoding, sheet=sheet)


def rubric_in(upload: UploadedFile[Any]) -> Rubric:
    """Return the checked rubric of an upload; raise `Refused`."""
    if (upload.size or 0) > LARGEST_RUBRIC:
        raise Refused(_("This file is too large for a rubric."))
    return read_rubric(upload.read(), name_of(upload))


def refuse_too_large(upload: File[Any]) -> None:
    """Raise `Refused` for more than `UPLOAD_MEGABYTES`."""
    if (upload.size or 0) > settings.UPLOAD_MEGABYTES * 1_000_000:
        raise Refused(
            _("This file has more than %(most)d MB; divide it, or import it from the command line.")
            % {"most": settings.UPLOAD_MEGABYTES}
        )


def name_of(upload: File[Any]) -> str:
    return (upload.name or "")[:LONGEST_NAME]


@contextmanager
def on_disk(content: File[Any]) -> Iterator[Path]:
    """Give what was uploaded a path of our own, for as long as it is read."""
    with NamedTemporaryFile(prefix="evalsite-upload-") as file:
        for chunk in content.chunks():
            file.write(chunk)
        file.flush()
        yield Path(file.name)
