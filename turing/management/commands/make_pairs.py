"""Have machine poems written for human ones, and pair them as they are finished."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import CommandParser
from tqdm import tqdm

from generation.management.act_command import ActCommand
from generation.methods import METHODS
from generation.models import RunPrompt
from turing.models import PairRun, PoemPair
from turing.pairs.pairing import pair_finished, queue_pairs

LOOK_SECONDS = 2


class Command(ActCommand):
    help = (
        "Draw human poems, have the workers write one under each title in the same form, and put the pairs into "
        "play. Interrupted, nothing is lost: the workers go on and pair what they have written."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--count", type=int, required=True, help="how many pairs")
        parser.add_argument("--method", choices=METHODS, default="inverse_prompting_st")
        parser.add_argument(
            "--boundary",
            action="store_true",
            help="have the machine go on from each human poem at a drawn sentence",
        )
        parser.add_argument(
            "--alike",
            action="store_true",
            help="draw human poems whose characters do not tell them from the machine's poems in play",
        )
        parser.add_argument("--seed", type=int, default=0, help="of the draw and of the writing")
        parser.add_argument("--model", default="", help="whose workers write; the method's own if left out")
        parser.add_argument(
            "--preset", default="", help="the search's settings; the method's own if left out"
        )
        parser.add_argument("--no-wait", action="store_true", help="queue the texts and leave")

    def handle(self, *args: Any, **options: Any) -> None:
        pair_runs = queue_pairs(
            options["count"],
            method=options["method"],
            seed=options["seed"],
            model=options["model"],
            preset=options["preset"],
            boundary=options["boundary"],
            alike=options["alike"],
        )
        if options["no_wait"]:
            self.stdout.write(
                f"{options['count']:,} texts are queued; the workers pair them as they are finished."
            )
            return
        self.wait(pair_runs, options["count"])
        made = PoemPair.objects.filter(machine__run__in=[pair_run.pk for pair_run in pair_runs]).count()
        self.stdout.write(f"{made:,} pairs of {options['count']:,}; {PoemPair.objects.count():,} in all.")

    def wait(self, pair_runs: list[PairRun], count: int) -> None:
        """Show how far the workers are until the last text is paired, refused or failed."""
        keys = [pair_run.pk for pair_run in pair_runs]
        with tqdm(total=count, unit=" texts", disable=None, file=self.stderr) as bar:
            while PairRun.objects.filter(pk__in=keys, ended_at=None).exists():
                for line in pair_finished().refused:
                    self.stderr.write(f"refused: {line}")
                left = RunPrompt.objects.filter(run__in=keys).open().count()
                bar.update(count - left - bar.n)
                if left:
                    time.sleep(LOOK_SECONDS)
