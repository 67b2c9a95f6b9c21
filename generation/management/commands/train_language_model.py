"""Train the verse model."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from generation.management.act_command import ActCommand
from generation.management.stopping import signals_noted
from generation.training.process import keep_freed_memory, let_idle_threads_sleep
from generation.training.settings import Architecture, Progress, Stopped, Training
from generation.verse.corpus import load_corpus

TRAINING = ("tokens", "batch_tokens", "learning_rate", "seed")
ARCHITECTURE = ("layers", "width", "heads", "inner")
STEPS_A_MEAN = 20


class Command(ActCommand):
    help = (
        "Train the verse model on CORPUS, which prepare_corpus makes, and write it to DIR with its card. Ctrl-C stops"
        " the training; the same command goes on from there and ends with the same model."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("corpus", type=Path)
        parser.add_argument("--output", type=Path, required=True, metavar="DIR")
        parser.add_argument(
            "--from",
            type=Path,
            dest="start",
            metavar="DIR",
            help="a finished model to begin with; default: nothing",
        )
        for settings, names in ((Training(), TRAINING), (Architecture(), ARCHITECTURE)):
            for name in names:
                default = getattr(settings, name)
                parser.add_argument(
                    f"--{name.replace('_', '-')}",
                    type=type(default),
                    default=default,
                    metavar="N",
                    help="default: %(default)s",
                )
        parser.add_argument("--threads", type=int, metavar="N", help="default: as torch decides")
        parser.add_argument("--device", help="cpu or cuda; default: cuda where there is one")
        parser.add_argument(
            "--evaluate-every", type=int, default=500, metavar="STEPS", help="default: %(default)s"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            training = Training(**{name: options[name] for name in TRAINING})
            architecture = Architecture(**{name: options[name] for name in ARCHITECTURE})
            losses = self.train(training, architecture, options)
        except ValueError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{options['output']} cannot be written: {error.strerror}") from error
        self.stdout.write("On held-out verse, in nats a token where nothing else is said:")
        self.stdout.write("\n".join(f"{name}: {loss:.3f}" for name, loss in losses.items()))
        self.stdout.write(f"{options['output']} holds the model and its card")

    def train(
        self, training: Training, architecture: Architecture, options: dict[str, Any]
    ) -> dict[str, float]:
        poems = load_corpus(options["corpus"])
        let_idle_threads_sleep()
        keep_freed_memory()
        # Loading torch takes seconds, and it must find the process set up: a wrong option is told before.
        from generation.training.devices import choose_device, explain_short_memory
        from generation.training.pretrain import train

        device = choose_device(options["device"], options["threads"])
        with signals_noted() as signal_noted, explain_short_memory(), Bar(self, training.tokens) as bar:

            def report(progress: Progress) -> None:
                bar.show(progress)
                if signal_noted():
                    raise Stopped

            try:
                return train(
                    poems,
                    options["output"],
                    training,
                    architecture,
                    report,
                    start=options["start"],
                    device=device,
                    evaluate_every=options["evaluate_every"],
                )
            except Stopped:
                raise CommandError(
                    f"Stopped after {bar.tokens:,} of {training.tokens:,} tokens; the same command goes on from there",
                    returncode=128 + signal_noted(),
                ) from None


class Bar:
    """Tokens, loss, tokens a second and the time left, on a terminal; held-out losses, a line each, anywhere."""

    def __init__(self, command: ActCommand, total: int) -> None:
        self.command, self.total = command, total
        self.tokens = 0
        self.losses: deque[float] = deque(maxlen=STEPS_A_MEAN)
        self.bar: tqdm[Any] | None = None

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def show(self, progress: Progress) -> None:
        """Show where the training stands."""
        if self.bar is None:
            # Here and not before: what an earlier run has learnt is no part of this one's speed.
            self.bar = tqdm(
                total=self.total, initial=progress.tokens, unit="tokens", unit_scale=True, disable=None
            )
        self.losses.append(progress.loss)
        self.tokens = progress.tokens
        self.bar.set_postfix(loss=f"{sum(self.losses) / len(self.losses):.3f}", refresh=False)
        self.bar.update(progress.tokens - self.bar.n)
        if progress.held_out is not None:
            self.bar.clear()
            losses = ", ".join(f"{name} {loss:.3f}" for name, loss in progress.held_out.items())
            self.command.stdout.write(f"step {progress.step}, {progress.tokens:,} tokens: {losses}")
