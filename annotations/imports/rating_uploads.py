"""Files of ratings that wait on the server until whoever uploaded them has looked at what is in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from annotations.imports.rating_columns import Reading
from annotations.imports.ratings import FoundRatings, NamedFile, RatingsReceipt, find_ratings, import_ratings
from annotations.models import RatingUpload
from annotations.setup.uploads.reading import name_of
from generation.refusals import Refused

# How long files wait; whoever comes later uploads them again.
KEPT = timedelta(days=2)
MOST_FILES = 50


@transaction.atomic
def keep_upload(
    files: Sequence[UploadedFile[Any]], texts: UploadedFile[Any] | None, *, by: User
) -> RatingUpload:
    """Keep uploaded files until they are imported, in place of those that wait for the same user.

    What waited too long goes. Raises `Refused` for too much.
    """
    RatingUpload.objects.filter(Q(created_at__lt=Now() - KEPT) | Q(user=by), study=None).delete()
    if not 1 <= len(files) <= MOST_FILES:
        raise Refused(_("Choose 1 to %(most)d files.") % {"most": MOST_FILES})
    whole = [*files, *([texts] if texts else ())]
    if sum(one.size or 0 for one in whole) > settings.UPLOAD_MEGABYTES * 1_000_000:
        raise Refused(
            _("These files have more than %(most)d MB; import them from the command line.")
            % {"most": settings.UPLOAD_MEGABYTES}
        )
    upload = RatingUpload.objects.create(user=by)
    upload.parts.create(number=0, name=name_of(texts), content=texts.read()) if texts else None
    for number, one in enumerate(files, start=1):
        upload.parts.create(number=number, name=name_of(one), content=one.read())
    return upload


@contextmanager
def on_disk(upload: RatingUpload) -> Iterator[tuple[list[NamedFile], NamedFile | None]]:
    """Give the files of an upload paths of our own, for as long as they are read."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="evalsite-ratings-")))
        files, texts = [], None
        for part in upload.parts.order_by("number"):
            path = folder / str(part.number)
            path.write_bytes(bytes(part.content))
            named = NamedFile(path, part.name)
            if part.number:
                files.append(named)
            else:
                texts = named
        yield files, texts


def found_in_upload(upload: RatingUpload, reading: Reading) -> FoundRatings:
    """Return what the files of an upload hold by a reading; raise `Refused`."""
    with on_disk(upload) as (files, texts):
        return find_ratings(files, reading, texts=texts)


@transaction.atomic
def import_upload(upload: RatingUpload, reading: Reading, *, by: User, **fields: Any) -> RatingsReceipt:
    """Store the ratings of an upload as a study, once: a second press leads to the same study. Raises `Refused`."""
    locked = RatingUpload.objects.select_for_update().get(pk=upload.pk)
    if locked.study is not None:
        return RatingsReceipt(locked.study, is_new=False, summary={})
    with on_disk(locked) as (files, texts):
        receipt = import_ratings(find_ratings(files, reading, texts=texts), by=by, **fields)
    locked.study = receipt.study
    locked.save(update_fields=["study"])
    # What was imported need not lie here a second time.
    locked.parts.all().delete()
    return receipt
