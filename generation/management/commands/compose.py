"""Write one text, or one for each line of a file, and show its scores."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from generation.compose.longest import check_order
from generation.engines.asking import EngineFailed
from generation.engines.jiuge import JiugeFailed
from generation.management.act_command import ActCommand
from generation.orders import Order, Step, Written
from generation.training.process import bound_threads, let_idle_threads_sleep


class Command(ActCommand):
    help = "Write a poem for a title, an answer to a question, or a text of another genre."

    def add_arguments(self, parser: CommandParser) -> None:
        subject = parser.add_mutually_exclusive_group(required=True)
        subject.add_argument("--title", help="what the poem is about")
        subject.add_argument("--question", help="what is to be answered")
        subject.add_argument("--text-title", help="title of prose in paragraphs")
        parser.add_argument(
            "--description",
            default="",
            help="what the question says further, or what the poem is about: up to three words",
        )
        parser.add_argument("--author", default="", help="in whose manner")
        parser.add_argument("--method", default="inverse_prompting")
        parser.add_argument("--form", default="", help="jueju5, jueju7, lushi5 (as is), lushi7, ci or free")
        parser.add_argument("--tune", default="", help="tune of a ci, such as 浣溪沙")
        parser.add_argument("--heads", default="", help="first characters of the short sentences (acrostic)")
        parser.add_argument(
            "--model",
            default="",
            help="name (also of a served one) or folder of a language model",
        )
        parser.add_argument("--preset", default="", help="poem, poem_evaluation, authors, qa or qa_paragraph")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument(
            "--json", action="store_true", help="everything that is known of the text, as JSON"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        order = order_of(options)
        check_order(order)
        written = self.write(order)
        if options["json"]:
            self.stdout.write(json.dumps(asdict(written), ensure_ascii=False, indent=2))
            return
        self.stdout.write(written.best.text)
        terms = ", ".join(f"{name} {value:.2f}" for name, value in sorted(written.best.terms.items()))
        self.stderr.write(f"score {written.best.score:.2f} ({terms}); {written.seconds:.2f} s")
        if written.unknown:
            self.stderr.write(f"The model does not know {written.unknown}")

    def write(self, order: Order) -> Written:
        let_idle_threads_sleep()
        bound_threads()
        # Loading torch takes seconds, and it must find the process set up: a wrong option is told before.
        from generation.worker import write

        with tqdm(total=1, unit="short sentence", leave=False, disable=None) as bar:

            def show(step: Step) -> None:
                bar.total, bar.n = step.most, step.sentence
                bar.refresh()

            try:
                return write(order, show)
            except (JiugeFailed, EngineFailed) as refusal:
                raise CommandError(str(refusal)) from refusal


def order_of(options: dict[str, Any]) -> Order:
    subjects: dict[str, str | None] = {
        "poem": options["title"],
        "qa": options["question"],
        "text": options["text_title"],
    }
    genre, prompt = next((genre, prompt) for genre, prompt in subjects.items() if prompt is not None)
    names = ("method", "description", "author", "form", "tune", "heads", "model", "preset", "seed")
    return Order(genre=genre, prompt=prompt, **{name: options[name] for name in names})
