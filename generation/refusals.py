"""What every act of the site says where it does not do what it was asked (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus


class Refused(Exception):
    """What was asked for cannot be done as it stands, and nothing was changed; each reason is a sentence for people.

    `status` is what a page or the API answers with, `retry_after` in how many seconds it may be otherwise. `fields`
    has what is wrong with single fields, `problems` what is wrong with a file, a sentence each.
    """

    status: HTTPStatus = HTTPStatus.CONFLICT
    retry_after: int | None = None
    fields: Mapping[str, Sequence[str]] = {}
    problems: Sequence[str] = ()

    def __init__(self, *reasons: str) -> None:
        self.reasons = reasons
        super().__init__(*reasons)

    def __str__(self) -> str:
        return " ".join(self.reasons)
