"""Have texts written for the prompts of a study."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from annotations.management.study_command import StudyCommand
from annotations.models import Study, StudyRun
from annotations.setup.runs import add_run, start_run
from generation.compose.forms import REGULATED
from generation.methods import METHODS, PRESETS
from generation.models import GenerationRun, RunPrompt
from generation.refusals import Refused
from generation.runs.progress import run_progress, trouble

POLL_SECONDS = 0.5
ERRORS_SHOWN = 10


class Command(StudyCommand):
    help = (
        "Have workers write one text for each prompt of a study, by a method that it does not have yet. The texts join"
        " the study once all are written, if nobody is enrolled by then."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--method", required=True, choices=METHODS)
        parser.add_argument(
            "--model", default="", help="name of a model (the one for the method and the language)"
        )
        parser.add_argument(
            "--preset", default="", choices=PRESETS, help="the search's settings (the genre's)"
        )
        parser.add_argument(
            "--form",
            default="",
            choices=["", *dict(REGULATED)],
            help="of all poems (each method's own choice)",
        )
        parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same texts (0)")
        parser.add_argument(
            "--wait", action="store_true", help="stay until all is written; Ctrl-C lets it go on"
        )

    def act(self, study: Study, options: dict[str, Any]) -> None:
        chosen = {name: options[name] for name in ("method", "model", "preset", "seed", "form")}
        study_run = start_run(study, **chosen)
        run = study_run.run
        progress = run_progress(run)
        self.stdout.write(
            f"{study.slug}: {progress.total} texts by {run.method.key} are queued, see {run.get_absolute_url()}"
        )
        if not progress.has_worker:
            self.stderr.write(trouble(run, progress))
        if options["wait"]:
            self.wait(study_run)

    def wait(self, study_run: StudyRun) -> None:
        """Show the progress of a run to its end and add it to its study."""
        run = study_run.run
        try:
            self.watch(run)
        except KeyboardInterrupt:
            self.stdout.write("The run goes on.")
            return
        if run.state != GenerationRun.State.DONE:
            raise CommandError(self.what_went_wrong(run))
        try:
            add_run(study_run)
        except Refused as refused:
            raise CommandError(f"All texts are written, but do not join the study: {refused}") from refused
        self.stdout.write(f"All texts are written and in the study {study_run.study.slug}.")

    def watch(self, run: GenerationRun) -> None:
        # Shown on a terminal only.
        with tqdm(total=run.run_prompts.count(), unit=" texts", disable=None) as bar:
            while run.is_open():
                time.sleep(POLL_SECONDS)
                run.refresh_from_db(fields=["state"])
                bar.n = run_progress(run).finished
                bar.refresh()

    def what_went_wrong(self, run: GenerationRun) -> str:
        """Return the state of a run that did not succeed, with the first errors."""
        failed = run.run_prompts.filter(state=RunPrompt.State.FAILED).select_related("prompt")
        lines = [f"  {one.prompt.text}: {one.error}" for one in failed[:ERRORS_SHOWN]]
        more = failed.count() - len(lines)
        if more > 0:
            lines.append(f"  and {more} more")
        return "\n".join([f"The run has ended: {run.state}", *lines])
