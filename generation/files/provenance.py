"""Candidates as the rows of a file that can be imported again (`generation.files.candidates`, `turing.pairs.files`)."""

from __future__ import annotations

from typing import Any

from generation.files.candidates import PROVENANCE
from generation.models import Provenance

DECIMALS = 4


def provenance_fields(provenance: Provenance, *, runners_up: int, sentences: bool = True) -> dict[str, Any]:
    """Return what is known of how a text came about, with at most so many of the texts that came close.

    Scores are rounded: no two texts are told apart by their fifth decimal.
    """
    fields = {name: getattr(provenance, name) for name in PROVENANCE}
    fields["runners_up"] = fields["runners_up"][:runners_up]
    if not sentences:
        del fields["sentences"]
    return {name: _rounded(value) for name, value in fields.items() if value or name == "score"}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return value
