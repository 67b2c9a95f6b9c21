"""A list of people that waits until somebody has said its encoding and its sheet."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from annotations.models import Study, WaitingUpload
from annotations.recruiting.invitations import Invitee, NewLink, invite, read_invitees
from annotations.uploads.reading import file_on_disk
from generation.files.encoding import EncodingUnconfirmed
from generation.files.tables import read_table


def sheets_of_list(upload: WaitingUpload, *, encoding: str = "", sheet: str = "") -> tuple[str, ...]:
    """Return the sheets of a list, where it has several; raise `FileRefused`."""
    with file_on_disk(upload) as file:
        sheets = read_table(file.path, file.name, encoding=encoding, sheet=sheet).sheets
    return sheets if len(sheets) > 1 else ()


def says_all(upload: WaitingUpload) -> bool:
    """Whether a list says by itself how it is read."""
    try:
        return not sheets_of_list(upload)
    except EncodingUnconfirmed:
        return False


def waiting_people(
    upload: WaitingUpload, study: Study, *, encoding: str = "", sheet: str = ""
) -> list[Invitee]:
    """Return the people in a list as it is read; raise `FileRefused`."""
    with file_on_disk(upload) as file:
        return read_invitees(file.path, file.name, study, encoding=encoding, sheet=sheet)


@transaction.atomic
def invite_waiting(
    upload: WaitingUpload,
    study: Study,
    *,
    by: User,
    days_valid: int,
    nonce: str = "",
    encoding: str = "",
    sheet: str = "",
) -> list[NewLink]:
    """Invite the people of a list, all or none, and forget it; see `invite`."""
    people = waiting_people(upload, study, encoding=encoding, sheet=sheet)
    made = invite(study, people, by=by, days_valid=days_valid, nonce=nonce)
    upload.delete()
    return made
