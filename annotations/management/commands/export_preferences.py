"""Write pairs of texts of which evaluators preferred one, to train a model on."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandParser

from annotations.management.rows_command import RowsCommand
from annotations.models import Study
from annotations.results.preferences.files import wanted_columns, wanted_rows
from annotations.results.preferences.layouts import LAYOUT_RULES
from annotations.results.preferences.pairs import COLUMNS, RULES
from annotations.results.preferences.wanted import (
    LAYOUTS,
    PREFERENCE_FORMATS,
    SOURCES,
    Wanted,
    check_wanted,
)
from stats.reports.write_rows import Row


class Command(RowsCommand):
    help = (
        "Write pairs of texts of which evaluators preferred one: prompt, chosen, rejected, and what the preference"
        f" rests on.\n\n{RULES}\n\n{LAYOUT_RULES}"
    )
    formats = PREFERENCE_FORMATS
    columns = COLUMNS

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return a parser that keeps the paragraphs of the help."""
        return super().create_parser(
            prog_name, subcommand, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--from", dest="source", choices=SOURCES, default="ratings", help="default: ratings"
        )
        parser.add_argument(
            "--layout",
            choices=LAYOUTS,
            help="by scores: pairs, single texts that are good or not, or orders (default: pairs as --from says)",
        )
        parser.add_argument(
            "--conversational", action="store_true", help="prompts and texts as messages; with --layout"
        )
        parser.add_argument(
            "--by-evaluator", action="store_true", help="a row for each evaluator's own answer; with --layout"
        )
        parser.add_argument(
            "--min-margin",
            type=float,
            default=0.0,
            metavar="MARGIN",
            help="leave out pairs with a smaller margin: by ratings in points of the overall scale, by picks as"
            " the difference of the two texts' picks as a share of both (default: 0)",
        )
        parser.add_argument(
            "--include-inconsistent", action="store_true", help="let inconsistent pages count as well"
        )

    def exported(self, options: dict[str, Any]) -> str:
        return f"preferences by {options['layout'] or options['source']}"

    def act(self, study: Study, options: dict[str, Any]) -> None:
        wanted = self.wanted(options)
        check_wanted(wanted)
        self.columns = wanted_columns(wanted)
        super().act(study, options)

    def rows(self, study: Study, options: dict[str, Any]) -> Iterable[Row]:
        return wanted_rows(study, self.wanted(options))

    def wanted(self, options: dict[str, Any]) -> Wanted:
        """Return what the options ask for."""
        names = ("source", "layout", "conversational", "by_evaluator", "min_margin", "include_inconsistent")
        return Wanted(file_format=options["format"], **{name: options[name] for name in names})
