"""Mark approved payments of a study as paid."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotations.management.study_command import study_named
from annotations.payments.ledger import State, mark_paid, payment_lines
from generation.refusals import Refused


class Command(BaseCommand):
    help = "Mark approved payments as paid, which cannot be undone. What is paid already stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the study's name in its address")
        parser.add_argument("evaluators", nargs="*", metavar="EVALUATOR", help="pseudonyms, such as E001")
        parser.add_argument("--all", action="store_true", help="all that are approved")
        parser.add_argument("--reference", default="", help="what the finance office knows the payment by")

    def handle(self, *args: Any, **options: Any) -> None:
        study = study_named(options["slug"])
        evaluators: list[str] = options["evaluators"]
        if bool(evaluators) == options["all"]:
            raise CommandError("name evaluators, or mark all that are approved with --all")
        if options["all"]:
            evaluators = [
                line.enrolment.pseudonym for line in payment_lines(study) if line.state == State.APPROVED
            ]
        try:
            paid = mark_paid(study, evaluators, by=None, reference=options["reference"])
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"{study.slug}: {len(paid)} marked as paid")
