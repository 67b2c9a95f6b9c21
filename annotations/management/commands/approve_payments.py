"""Approve payments of a study."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.payments.ledger import State, approve_payments, payment_lines, revoke_approvals


class Command(StudyCommand):
    help = (
        "Approve payments that are due, which fixes their amounts. What is approved already stays as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("evaluators", nargs="*", metavar="EVALUATOR", help="pseudonyms, such as E001")
        parser.add_argument("--all", action="store_true", help="all that are due")
        parser.add_argument(
            "--revoke", action="store_true", help="take the approvals of these evaluators back instead"
        )

    def act(self, study: Study, options: dict[str, Any]) -> None:
        evaluators: list[str] = options["evaluators"]
        if bool(evaluators) == options["all"] or (options["all"] and options["revoke"]):
            raise CommandError("name evaluators, or approve all that are due with --all")
        if options["all"]:
            evaluators = [
                line.enrolment.pseudonym for line in payment_lines(study) if line.state == State.DUE
            ]
        if options["revoke"]:
            done, word = revoke_approvals(study, evaluators, by=None), "taken back"
        else:
            done, word = approve_payments(study, evaluators, by=None), "approved"
        self.stdout.write(f"{study.slug}: {len(done)} {word}")
