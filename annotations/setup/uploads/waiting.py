"""Candidates in two steps: a file is uploaded and waits, then somebody says what its columns are, and it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from annotations.access.fixed import refuse_if_fixed
from annotations.models import Study, WaitingFile
from annotations.setup.material import store_material
from annotations.setup.uploads.reading import candidates_in, name_of, on_disk, refuse_too_large
from generation.files.columns import GuessedColumns, guessed_columns
from generation.files.encoding import EncodingUnconfirmed
from generation.files.tables import Table, TableRow, read_table

ROWS_SHOWN = 3


@transaction.atomic
def keep_waiting(study: Study, upload: UploadedFile[Any], *, by: User) -> WaitingFile:
    """Keep a file for a draft until its columns are confirmed, in place of one that waits for the same user.

    Raises `Refused` for what is too large, no table, or too late.
    """
    refuse_if_fixed(study)
    refuse_too_large(upload)
    with on_disk(upload) as path:
        # Which encoding a file is in that does not tell it, is asked beside the columns.
        with suppress(EncodingUnconfirmed):
            read_table(path, name_of(upload)).problems.refuse_if_any()
        content = path.read_bytes()
    WaitingFile.objects.forget_old()
    # Of two uploads at once the later one waits for the other, whose place it takes.
    Study.objects.locked(study)
    WaitingFile.objects.filter(study=study, uploaded_by=by).delete()
    return WaitingFile.objects.create(study=study, uploaded_by=by, name=name_of(upload), content=content)


def first_rows(
    file: WaitingFile, *, encoding: str = "", sheet: str = ""
) -> tuple[Table, list[TableRow], GuessedColumns]:
    """Return a waiting file as a table, its first rows, and what its columns seem to be; raise `FileRefused`."""
    with on_disk(ContentFile(bytes(file.content))) as path:
        table = read_table(path, file.name, encoding=encoding, sheet=sheet)
        table.problems.refuse_if_any()
        return table, table.first_rows(ROWS_SHOWN), guessed_columns(table)


@transaction.atomic
def store_waiting(
    file: WaitingFile, *, columns: Mapping[str, str], encoding: str = "", sheet: str = "", by: User
) -> Study:
    """Make the candidates of a waiting file the material of its draft, and forget it; see `store_material`."""
    study = file.study
    content = ContentFile(bytes(file.content), file.name)
    candidates = candidates_in(content, study, encoding=encoding, sheet=sheet, columns=columns)
    store_material(study, candidates, by=by)
    file.delete()
    return study
