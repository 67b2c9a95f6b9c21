"""Uploading in two steps: files wait on the server, then somebody says how they are read, and they are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Length
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from annotations.models import Job, Study, WaitingFile, WaitingUpload
from annotations.uploads.reading import name_of, refuse_too_large
from generation.refusals import Refused

MOST_FILES = 50
# What takes longer than a request may is stored by a worker: so many bytes are about 10,000 rows.
LARGEST_IN_A_REQUEST = 2_000_000
IMPORT = "import_"


@transaction.atomic
def keep_waiting(
    kind: WaitingUpload.Kind,
    files: Sequence[UploadedFile[Any]],
    *,
    by: User,
    study: Study | None = None,
    texts: UploadedFile[Any] | None = None,
) -> WaitingUpload:
    """Keep files until it is said how they are read, in place of those of this kind that wait for the same user.

    What waited too long goes. Raises `Refused` for too much.
    """
    if not 1 <= len(files) <= MOST_FILES:
        raise Refused(_("Choose 1 to %(most)d files.") % {"most": MOST_FILES})
    refuse_too_large(*files, *([texts] if texts else ()))
    WaitingUpload.objects.forget_old()
    # Of two uploads at once the later one waits for the other, whose place it takes.
    User.objects.select_for_update().get(pk=by.pk)
    WaitingUpload.objects.waiting().filter(kind=kind, uploaded_by=by, study=study).delete()
    upload = WaitingUpload.objects.create(kind=kind, uploaded_by=by, study=study)
    if texts:
        upload.files.create(number=0, name=name_of(texts), content=texts.read())
    for number, one in enumerate(files, start=1):
        one.seek(0)
        upload.files.create(number=number, name=name_of(one), content=one.read())
    return upload


def waiting_upload(kind: WaitingUpload.Kind, uuid: UUID, *, by: User, study: Study | None) -> WaitingUpload:
    """Return what a user uploaded in the last day, for a study or to make one; raise Http404."""
    found = WaitingUpload.objects.fresh().select_related("study", "job")
    return get_object_or_404(
        found.filter(study=study) if study else found, uuid=uuid, kind=kind, uploaded_by=by
    )


def is_large_file(upload: File[Any]) -> bool:
    """Whether storing a file takes longer than a request may."""
    return (upload.size or 0) > LARGEST_IN_A_REQUEST


def is_large(upload: WaitingUpload) -> bool:
    """Whether storing an upload takes longer than a request may."""
    size = WaitingFile.objects.filter(upload=upload).aggregate(size=Sum(Length("content")))["size"]
    return bool((size or 0) > LARGEST_IN_A_REQUEST)


@transaction.atomic
def queue_storing(upload: WaitingUpload, said: Mapping[str, Any], *, by: User) -> Job:
    """Have a worker store what waits as it is said; return the job, which a second press finds under way.

    `said` is what the kind of job `import_` with that of the upload asks to be told. Raises `Refused`.
    """
    locked = WaitingUpload.objects.select_for_update(of=["self"]).select_related("job").get(pk=upload.pk)
    if locked.job is not None and locked.job.is_open():
        return locked.job
    locked.job = Job.objects.queue(
        owner=by,
        study=upload.study,
        kind=f"{IMPORT}{upload.kind}",
        parameters={**said, "upload": str(upload.uuid)},
    )
    locked.save(update_fields=["job"])
    return locked.job
