"""List the payments of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.payments.ledger import Line, State, payment_lines, payments_csv, totals
from stats.reports.write_rows import write_whole


class Command(StudyCommand):
    help = (
        "List what every evaluator of a study is owed, with the reason where nothing is due, and the totals."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--state", choices=State.values, help="list those in one state alone")
        parser.add_argument("--csv", type=Path, metavar="PATH", help="write the list for the finance office")

    def act(self, study: Study, options: dict[str, Any]) -> None:
        lines = [line for line in payment_lines(study) if options["state"] in (None, line.state)]
        output: Path | None = options["csv"]
        if output is not None:
            try:
                write_whole(output, payments_csv(study, lines, by=None))
            except OSError as error:
                raise CommandError(f"{output}: {error.strerror}") from error
            self.stderr.write(f"{output}: written")
            return
        for line in lines:
            self.stdout.write(in_one_line(line))
        for total in totals(lines):
            sums = ", ".join(
                f"{state.value} {amount} {total.currency} ({evaluators})"
                for state in State.owed()
                for evaluators, amount in [total.in_state(state)]
            )
            self.stdout.write(f"{total.group.key if total.group else 'no group'}: {sums}")


def in_one_line(line: Line) -> str:
    """Return a line of the list as the command prints it."""
    if line.state == State.NOT_DUE:
        return f"{line.enrolment.pseudonym}: not due ({line.reason})"
    doubt = f", in doubt: {line.reason}" if line.is_in_doubt else ""
    return f"{line.enrolment.pseudonym}: {line.state.value} {line.amount} {line.currency}{doubt}"
