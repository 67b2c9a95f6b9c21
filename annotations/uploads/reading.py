"""Reading what was uploaded: the name of a file is only ever said, and its content lies in a file of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.utils.translation import gettext as _

from annotations.models import WaitingUpload
from generation.refusals import Refused

LONGEST_NAME = 100


@dataclass(frozen=True)
class FileOnDisk:
    """A file where it lies, and what its owner calls it; number 0 is a table of texts."""

    number: int
    path: Path
    name: str


def refuse_too_large(*uploads: File[Any]) -> None:
    """Raise `Refused` for more than `UPLOAD_MEGABYTES` together."""
    if sum(upload.size or 0 for upload in uploads) <= settings.UPLOAD_MEGABYTES * 1_000_000:
        return
    words = (
        _("These files have more than %(most)d MB; import them from the command line.")
        if len(uploads) > 1
        else _("This file has more than %(most)d MB; divide it, or import it from the command line.")
    )
    raise Refused(words % {"most": settings.UPLOAD_MEGABYTES})


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


@contextmanager
def files_on_disk(upload: WaitingUpload) -> Iterator[list[FileOnDisk]]:
    """Give the files of a waiting upload paths of our own, in their order, for as long as they are read."""
    with TemporaryDirectory(prefix="evalsite-upload-") as folder:
        files = []
        for one in upload.files.all():
            path = Path(folder) / str(one.number)
            path.write_bytes(bytes(one.content))
            files.append(FileOnDisk(one.number, path, one.name))
        yield files


@contextmanager
def file_on_disk(upload: WaitingUpload) -> Iterator[FileOnDisk]:
    """Give the one file of a waiting upload a path of our own; raise `Refused` where it was stored or replaced."""
    with files_on_disk(upload) as files:
        if not files:
            raise Refused(_("The file does not wait any more; upload it again."))
        yield files[0]
