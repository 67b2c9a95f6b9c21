"""Mark approved payments of a study as paid."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.payments.ledger import State, mark_paid, payment_lines


class Command(StudyCommand):
    help = "Mark approved payments as paid, which cannot be undone. What is paid already stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("evaluators", nargs="*", metavar="EVALUATOR", help="pseudonyms, such as E001")
        parser.add_argument("--all", action="store_true", help="all that are approved")
        parser.add_argument("--reference", default="", help="what the finance office knows the payment by")

    def act(self, study: Study, options: dict[str, Any]) -> None:
        evaluators: list[str] = options["evaluators"]
        if bool(evaluators) == options["all"]:
            raise CommandError("name evaluators, or mark all that are approved with --all")
        if options["all"]:
            evaluators = [
                line.enrolment.pseudonym for line in payment_lines(study) if line.state == State.APPROVED
            ]
        paid = mark_paid(study, evaluators, by=None, reference=options["reference"])
        self.stdout.write(f"{study.slug}: {len(paid)} marked as paid")
