"""The rows and the file of the preferences that are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from annotations.models import Study
from annotations.results.preferences.layouts import columns_of, layout_rows
from annotations.results.preferences.pairs import COLUMNS, preferences
from annotations.results.preferences.wanted import BadPreferences, Wanted, check_wanted
from stats.reports.write_rows import CONTENT_TYPES, FORMATS, Columns, Row


def wanted_columns(wanted: Wanted) -> Columns:
    """Return the columns of what is wanted."""
    if wanted.layout is None:
        return COLUMNS
    return columns_of(wanted.layout, conversational=wanted.conversational)


def wanted_rows(study: Study, wanted: Wanted) -> Iterable[Row]:
    """Return the rows of what is wanted, with `wanted_columns`; raise `Sealed` and `BadPreferences`."""
    check_wanted(wanted)
    if wanted.layout is not None:
        return layout_rows(
            study,
            wanted.layout,
            conversational=wanted.conversational,
            by_evaluator=wanted.by_evaluator,
        )
    try:
        return preferences(
            study,
            wanted.source,
            min_margin=wanted.min_margin,
            include_inconsistent=wanted.include_inconsistent,
        )
    except ValueError as error:
        raise BadPreferences(
            _("The study has no overall criterion, by which one text of a pair would be better.")
        ) from error


def wanted_file(study: Study, wanted: Wanted) -> tuple[str, str, Iterator[bytes]]:
    """Return the name, the type and the chunks of the file of what is wanted; raise as `wanted_rows` does."""
    rows = wanted_rows(study, wanted)
    return (
        f"{study.slug}-preferences-{wanted.kind}.{wanted.file_format}",
        CONTENT_TYPES[wanted.file_format],
        FORMATS[wanted.file_format](wanted_columns(wanted), rows),
    )
