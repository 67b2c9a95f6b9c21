"""Material in two steps: a file is uploaded and waits, then somebody says what its columns are, and it is stored."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from annotations.access.fixed import refuse_if_fixed
from annotations.models import Study, WaitingUpload
from annotations.setup.material import store_material
from annotations.setup.material.additions import add_material
from annotations.uploads.reading import file_on_disk, name_of, on_disk, refuse_too_large
from annotations.uploads.waiting import is_large, keep_waiting
from generation.files.candidates import CandidateFile, read_candidates
from generation.files.columns import GuessedColumns, guessed_columns, guessed_prompt_columns
from generation.files.encoding import EncodingUnconfirmed
from generation.files.prompts import PromptFile, read_prompts
from generation.files.tables import Table, TableRow, read_table
from generation.refusals import Refused

Kind = WaitingUpload.Kind
MATERIAL = (Kind.CANDIDATES, Kind.PROMPTS)
ROWS_SHOWN = 3


def keep_material(kind: Kind, study: Study, upload: UploadedFile[Any], *, by: User) -> WaitingUpload:
    """Keep a file for a draft until its columns are confirmed; see `keep_waiting`.

    Raises `Refused` for what is too large, no table, or too late.
    """
    refuse_if_fixed(study)
    refuse_too_large(upload)
    # Which encoding a file is in that does not tell it, is asked beside the columns.
    with suppress(EncodingUnconfirmed), on_disk(upload) as path:
        read_table(path, name_of(upload)).problems.refuse_if_any()
    return keep_waiting(kind, [upload], by=by, study=study)


def first_rows(
    upload: WaitingUpload, *, encoding: str = "", sheet: str = ""
) -> tuple[Table, list[TableRow], GuessedColumns]:
    """Return a waiting file as a table, its first rows, and what its columns seem to be; raise `FileRefused`."""
    with file_on_disk(upload) as file:
        table = read_table(file.path, file.name, encoding=encoding, sheet=sheet)
        table.problems.refuse_if_any()
        guessed = (guessed_prompt_columns if upload.kind == Kind.PROMPTS else guessed_columns)(table)
        return table, table.first_rows(ROWS_SHOWN), guessed


def says_all(upload: WaitingUpload) -> bool:
    """Whether a file says by itself how it is read, so that nobody need be asked, and is stored at once."""
    try:
        table, _shown, guessed = first_rows(upload)
    except EncodingUnconfirmed:
        return False
    return guessed.is_certain and len(table.sheets) < 2 and not is_large(upload)


def read_waiting(
    upload: WaitingUpload,
    *,
    report_rows: Callable[[int], None] = lambda rows: None,
    adds: bool = False,
    **said: Any,
) -> CandidateFile | PromptFile:
    """Return what a waiting file holds as it is said (`encoding`, `sheet`, `columns`, and of prompts `is_list`).

    What `adds` to material that is there may lack texts. `report_rows` is called now and then with how many rows are
    read. Raises `Refused`.
    """
    study = study_of(upload)
    with file_on_disk(upload) as file:
        if upload.kind == Kind.PROMPTS:
            return read_prompts(file.path, study.genre, name=file.name, report_rows=report_rows, **said)
        return read_candidates(
            file.path,
            study.genre,
            name=file.name,
            may_lack_texts=study.allows_missing_texts,
            fewest_methods=1,
            is_addition=adds,
            report_rows=report_rows,
            **said,
        )


@transaction.atomic
def store_read(
    upload: WaitingUpload, file: CandidateFile | PromptFile, *, by: User, adds: bool = False
) -> Study:
    """Make what was read in a waiting file the material of its draft, or a part of it, and forget the upload.

    See `store_material` and `add_material`.
    """
    if not WaitingUpload.objects.select_for_update(of=["self"]).filter(pk=upload.pk).exists():
        raise Refused(_("Another file has taken its place since; look at that one."))
    study = study_of(upload)
    (add_material if adds else store_material)(study, file, by=by)
    upload.files.all().delete()
    if upload.job_id is None:
        upload.delete()
    return study


def study_of(upload: WaitingUpload) -> Study:
    if upload.study is None or upload.kind not in MATERIAL:
        raise Refused(f"{upload} is no material")
    return upload.study
