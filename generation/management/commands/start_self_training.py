"""Begin a self-training that workers carry out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import Count, Q
from tqdm import tqdm

from generation.management.act_command import ActCommand
from generation.models import RunPrompt, SelfTraining, Worker
from generation.self_training.chain import refuse_settings, start_self_training
from generation.self_training.titles import draw_titles, listed_titles
from generation.training.settings import PAPER

POLL_SECONDS = 0.5


class Command(ActCommand):
    help = (
        "Have workers train a verse model on its own poems, in cycles of writing and learning. The models are called"
        " NAME-1, NAME-2 and so on, and runs can use them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="small letters, digits and hyphens")
        parser.add_argument("--base-model", default="verse", help="default: %(default)s")
        titles = parser.add_mutually_exclusive_group()
        titles.add_argument(
            "--titles",
            type=int,
            default=PAPER.titles,
            metavar="N",
            help="titles of a cycle, drawn from the corpus; default: %(default)s",
        )
        titles.add_argument(
            "--titles-file", type=Path, metavar="FILE", help="titles for every cycle, one a line"
        )
        parser.add_argument(
            "--keep-share",
            type=float,
            default=PAPER.keep_share,
            metavar="SHARE",
            help="which share of the poems to learn from, the best ones; default: %(default)s",
        )
        parser.add_argument(
            "--steps", type=int, default=PAPER.steps, metavar="N", help="default: %(default)s"
        )
        parser.add_argument(
            "--cycles", type=int, default=PAPER.cycles, metavar="N", help="default: %(default)s"
        )
        parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
        parser.add_argument(
            "--wait", action="store_true", help="stay until the last cycle is done; Ctrl-C lets it go on"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        settings = {name: options[name] for name in ("keep_share", "steps", "cycles", "seed")}
        refuse_settings(**settings)
        base_model = options["base_model"]
        chain = start_self_training(options["name"], self.titles(options), base_model=base_model, **settings)
        queue = chain.training_cycles.get().run.queue
        self.stdout.write(f"{chain.name} is queued, see {chain.get_absolute_url()}")
        if not Worker.objects.seen_lately().taking(queue).exists():
            self.stderr.write(f"No worker that takes the queue {queue} has reported for 45 seconds.")
        if options["wait"]:
            self.wait(chain)

    def titles(self, options: dict[str, Any]) -> list[list[str]]:
        """Return the titles of a file, or drawn ones for each cycle."""
        path: Path | None = options["titles_file"]
        if path is None:
            return draw_titles(
                options["titles"],
                cycles=options["cycles"],
                seed=options["seed"],
                model=options["base_model"],
            )
        try:
            return [listed_titles(path.read_text(encoding="utf-8-sig"))]
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise CommandError(f"{path}: is not in UTF-8") from error

    def wait(self, chain: SelfTraining) -> None:
        """Show how far a chain is, to its end."""
        try:
            self.watch(chain)
        except KeyboardInterrupt:
            self.stdout.write("The self-training goes on.")
            return
        if chain.state != SelfTraining.State.DONE:
            raise CommandError(f"{chain.name} has ended: {chain.state}. {chain.error}".strip())
        self.stdout.write(f"{chain.model_of(chain.cycles)} is there.")

    def watch(self, chain: SelfTraining) -> None:
        # Shown on a terminal only.
        with tqdm(total=chain.cycles * (len(chain.titles_of(1)) + chain.steps), disable=None) as bar:
            while chain.is_open():
                time.sleep(POLL_SECONDS)
                chain.refresh_from_db(fields=["state", "error"])
                written = Count("run__run_prompts", filter=Q(run__run_prompts__state=RunPrompt.State.DONE))
                cycles = chain.training_cycles.annotate(written=written)
                bar.n = sum(cycle.written + len(cycle.losses) for cycle in cycles)
                bar.set_description(chain.state, refresh=False)
                bar.refresh()
