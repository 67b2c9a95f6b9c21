"""Have a served language model rate the texts of a study."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from annotations.judges.asking import ask_next
from annotations.judges.runs import MOST_ORDERS, MOST_REPEATS, Asking, runs_of, start_run, take_up
from annotations.management.study_command import StudyCommand
from annotations.models import JudgeRun, Study


class Command(StudyCommand):
    help = (
        "Have a language model of LANGUAGE_MODEL_SERVERS rate the pages of a study, with the evaluators' own"
        " instructions and scales. Called again it goes on where it ended; what was answered is never paid twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--judge", required=True, metavar="KEY", help="its short name")
        parser.add_argument(
            "--server", default="", help="one of LANGUAGE_MODEL_SERVERS; not needed to go on with a run"
        )
        parser.add_argument("--orders", type=int, default=2, help=f"of the texts, at most {MOST_ORDERS}")
        parser.add_argument("--repeats", type=int, default=1, help=f"at most {MOST_REPEATS}")
        parser.add_argument("--temperature", type=float, default=0.0)
        parser.add_argument(
            "--own-method", action="append", default=[], metavar="METHOD", help="of the judge's family"
        )
        parser.add_argument(
            "--probe",
            default="",
            choices=[one for one in JudgeRun.Probe.values if one],
            help="order: further orders; repeat: the same again; empty: an empty text and a single point",
        )
        parser.add_argument(
            "--tokens", type=int, default=None, metavar="N", help="budget, counted before sending"
        )
        parser.add_argument(
            "--money", type=Decimal, default=None, metavar="AMOUNT", help="budget by the server's prices"
        )
        parser.add_argument("--queue", action="store_true", help="leave the asking to the workers")

    def act(self, study: Study, options: dict[str, Any]) -> None:
        run = runs_of(study).filter(judge__key=options["judge"]).exclude(state=JudgeRun.State.DONE).first()
        if run is not None:
            take_up(run, most_tokens=options["tokens"], most_money=options["money"], by=None)
        else:
            server = settings.LANGUAGE_MODEL_SERVERS.get(options["server"])
            asking = Asking(
                server=options["server"],
                orders=options["orders"],
                repeats=options["repeats"],
                temperature=options["temperature"],
                own_methods=tuple(options["own_method"]),
            )
            run = start_run(
                study,
                options["judge"],
                asking,
                most_tokens=options["tokens"] or (server.tokens_a_run if server else 1),
                most_money=options["money"],
                probe=options["probe"],
                by=None,
            )
        if not options["queue"]:
            while JudgeRun.objects.filter(pk=run.pk, state=JudgeRun.State.OPEN).exists() and ask_next():
                pass
        self.stdout.write(account(runs_of(study).get(pk=run.pk)))


def account(run: Any) -> str:
    """Return how far a run is, and what it has used."""
    said = (
        f"{run.judge.key}: {run.state}, {run.answered} of {run.asked} pages answered, {run.unread} of them not"
        f" readable, {run.failed} failed; {run.tokens:,} of {run.most_tokens:,} tokens, {run.money:f} spent"
    )
    return f"{said}; {run.error}" if run.error else said
