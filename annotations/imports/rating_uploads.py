"""Ratings that were uploaded and wait until somebody has looked at what is in them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from annotations.imports.rating_columns import Reading
from annotations.imports.ratings import FoundRatings, NamedFile, RatingsReceipt, find_ratings, import_ratings
from annotations.models import WaitingUpload
from annotations.uploads.reading import FileOnDisk, files_on_disk


def found_in_upload(upload: WaitingUpload, reading: Reading) -> FoundRatings:
    """Return what the files of an upload hold by a reading; raise `Refused`."""
    with files_on_disk(upload) as files:
        texts = next((named(one) for one in files if one.number == 0), None)
        return find_ratings([named(one) for one in files if one.number], reading, texts=texts)


def named(file: FileOnDisk) -> NamedFile:
    return NamedFile(file.path, file.name)


def import_upload(upload: WaitingUpload, reading: Reading, *, by: User, **fields: Any) -> RatingsReceipt:
    """Store the ratings of an upload as a study, once: a second press leads to the same study. Raises `Refused`."""
    return store_found(upload, found_in_upload(upload, reading), by=by, **fields)


@transaction.atomic
def store_found(upload: WaitingUpload, found: FoundRatings, *, by: User, **fields: Any) -> RatingsReceipt:
    """Store the ratings that an upload was found to hold, once."""
    locked = WaitingUpload.objects.select_for_update(of=["self"]).select_related("study").get(pk=upload.pk)
    if locked.study is not None:
        return RatingsReceipt(locked.study, is_new=False, summary={})
    receipt = import_ratings(found, by=by, **fields)
    locked.study = receipt.study
    locked.save(update_fields=["study"])
    # What was imported need not lie here a second time.
    locked.files.all().delete()
    return receipt
