"""Train the verse model on its own poems."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from generation.management.act_command import ActCommand
from generation.management.stopping import signals_noted
from generation.refusals import Refused
from generation.training.process import keep_freed_memory, let_idle_threads_sleep
from generation.training.settings import SELF_TRAINING_PRESETS, CycleProgress, SelfTraining, Stopped
from generation.verse.corpus import load_corpus

# Options that change one number of a preset.
NUMBERS = {
    "titles": (int, "titles of a cycle"),
    "steps": (int, "steps of a cycle"),
    "cycles": (int, "how often to write and learn"),
    "keep_share": (float, "which share of the poems to learn from, the best ones"),
    "least_score": (float, "learn from no poem with a lower score"),
    "real_share": (float, "which share of what is learnt is from the corpus"),
    "batch_tokens": (int, "tokens of a step at most"),
    "learning_rate": (float, "at the first step"),
    "seed": (int, "decides titles, forms, poems and their order"),
}


class Command(ActCommand):
    help = (
        "Let the verse model in MODEL_DIR write poems for titles and learn from them, in cycles. The model of each"
        " cycle lies in DIR with its poems. Ctrl-C stops it; the same command goes on from there."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", type=Path, metavar="MODEL_DIR")
        parser.add_argument("--corpus", type=Path, required=True, metavar="FILE", help="of prepare_corpus")
        parser.add_argument("--output", type=Path, required=True, metavar="DIR")
        parser.add_argument("--preset", choices=SELF_TRAINING_PRESETS, required=True)
        for name, (kind, meaning) in NUMBERS.items():
            parser.add_argument(
                f"--{name.replace('_', '-')}",
                type=kind,
                metavar="N",
                help=f"{meaning}; default: the preset's",
            )
        parser.add_argument(
            "--titles-file",
            type=Path,
            metavar="FILE",
            help="titles to write for, one a line, instead of drawn ones",
        )
        parser.add_argument("--search", default="poem", help="preset of the search; default: %(default)s")
        parser.add_argument("--threads", type=int, metavar="N", help="default: as torch decides")
        parser.add_argument("--device", help="cpu or cuda; default: cuda where there is one")

    def handle(self, *args: Any, **options: Any) -> None:
        changed = {name: options[name] for name in NUMBERS if options[name] is not None}
        try:
            settings = replace(SELF_TRAINING_PRESETS[options["preset"]], **changed)
            folder = self.self_train(settings, read_titles(options["titles_file"]), options)
        except ValueError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        self.stdout.write(f"{folder} holds the model of the last cycle")

    def self_train(self, settings: SelfTraining, titles: list[str], options: dict[str, Any]) -> Path:
        poems = load_corpus(options["corpus"])
        let_idle_threads_sleep()
        keep_freed_memory()
        # Loading torch takes seconds, and it must find the process set up: a wrong option is told before.
        from generation.training.devices import choose_device, explain_short_memory
        from generation.training.search_writer import search_writer
        from generation.training.self_training import self_train

        device = choose_device(options["device"], options["threads"])
        with signals_noted() as signal_noted, explain_short_memory(), Bars() as bars:

            def report(progress: CycleProgress) -> None:
                bars.show(progress)
                if signal_noted():
                    raise Stopped

            try:
                return self_train(
                    options["model"],
                    poems,
                    options["output"],
                    settings,
                    partial(search_writer, device=device, preset=options["search"], seed=settings.seed),
                    report,
                    titles=titles,
                    device=device,
                )
            except Stopped:
                raise CommandError(
                    "Stopped; the same command goes on from there", returncode=128 + signal_noted()
                ) from None


class Bars:
    """A bar for each stage of each cycle, on a terminal only."""

    def __init__(self) -> None:
        self.stage = ""
        self.bar: tqdm[Any] | None = None

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def show(self, progress: CycleProgress) -> None:
        """Show how much of a stage is done, with the mean score of the poems or the loss of the step."""
        stage = f"cycle {progress.cycle}, {progress.stage}"
        if self.bar is None or stage != self.stage:
            self.__exit__()
            # What an earlier run has done is no part of this one's speed.
            self.bar = tqdm(total=progress.total, initial=progress.done, desc=stage, disable=None)
            self.stage = stage
        name = "score" if progress.stage == "writing" else "loss"
        self.bar.set_postfix({name: f"{progress.value:.3f}"}, refresh=False)
        self.bar.update(progress.done - self.bar.n)


def read_titles(path: Path | None) -> list[str]:
    """Return the titles of a file, one a line; none where there is no file."""
    if path is None:
        return []
    titles = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not titles:
        raise Refused(f"{path} holds no title")
    return titles
