"""What an upload holds for a study: candidates, prompts or a rubric."""

from __future__ import annotations

from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from annotations.models import Study
from annotations.setup.rubrics import Rubric, read_rubric
from annotations.uploads.reading import name_of, on_disk, refuse_too_large
from generation.files.candidates import CandidateFile, read_candidates
from generation.files.prompts import PromptFile, read_prompts
from generation.refusals import Refused

LARGEST_RUBRIC = 1_000_000


def candidates_in(upload: File[Any], study: Study, **options: Any) -> CandidateFile:
    """Return the checked candidates of an upload for a study; raise `Refused`. See `read_candidates`.

    Texts of one method are taken: others may be added (`annotations.setup.material.additions`).
    """
    refuse_too_large(upload)
    with on_disk(upload) as path:
        return read_candidates(
            path,
            study.genre,
            name=name_of(upload),
            may_lack_texts=study.allows_missing_texts,
            fewest_methods=1,
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
