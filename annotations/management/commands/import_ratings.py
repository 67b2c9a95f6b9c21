"""Make a closed study of ratings that were collected elsewhere, or take one back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from annotations.imports.rating_columns import ROLES, Reading, read_map, read_scale, read_words
from annotations.imports.rating_wording import summary_lines
from annotations.imports.ratings import (
    FoundRatings,
    NamedFile,
    find_ratings,
    import_ratings,
    take_back_ratings,
)
from annotations.management.table_options import add_table_options
from annotations.management.text_options import add_text_options, text_from
from annotations.models import Study
from generation.files.problems import FileRefused
from generation.management.act_command import ActCommand, words
from generation.refusals import Refused


class Command(ActCommand):
    help = (
        "Make a closed study of files of ratings: CSV, TSV, JSON, JSON Lines, XLSX or Parquet, a row a rating, a column"
        " a criterion or a rater, or pairs; exports of Potato, Label Studio, Argilla, Appraise, Mechanical Turk,"
        " Qualtrics and Google Forms are known. Nothing is stored if anything is wrong."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", type=Path, nargs="*", metavar="FILE")
        parser.add_argument("--slug", required=True, help="the study's name in addresses")
        add_text_options(parser, "title", "the slug if left out")
        parser.add_argument(
            "--genre", default="text", help="the kind of the texts: text, poem, qa or summary"
        )
        parser.add_argument(
            "--map",
            default="",
            metavar="ROLE=COLUMN,...",
            help=f"what the columns are, where a look at them does not tell; roles: {', '.join(ROLES)}."
            " A column may be a pattern such as Answer.*",
        )
        parser.add_argument(
            "--scale", action="append", default=[], metavar="CRITERION=LOW:HIGH", help="as overall=1:5"
        )
        parser.add_argument(
            "--lower-is-better", action="append", default=[], metavar="CRITERION", help="a scale of faults"
        )
        parser.add_argument("--overall", default="", metavar="CRITERION", help="the overall one")
        parser.add_argument(
            "--words", default="", metavar="WORD=POINT,...", help="points that words stand for"
        )
        parser.add_argument("--off-scale", action="store_true", help="keep and flag scores off a given scale")
        parser.add_argument(
            "--threshold",
            default="",
            metavar="SHARE",
            help="only those count who rated everything and have at most this share of inconsistent pages",
        )
        parser.add_argument("--hide-names", action="store_true", help="call the evaluators E001, E002, ...")
        parser.add_argument("--texts", type=Path, help="a table with the columns id, prompt, method, text")
        add_table_options(parser)
        parser.add_argument(
            "--dry-run", action="store_true", help="say what is in the files and store nothing"
        )
        parser.add_argument(
            "--take-back", action="store_true", help="delete the study and all that came with it"
        )
        parser.add_argument("--yes", action="store_true", help="take back without asking")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["take_back"]:
            self.take_back(options)
            return
        try:
            found = self.found(options)
            for line in summary_lines(found):
                self.stdout.write(line)
            if options["dry_run"]:
                self.stdout.write("Nothing was stored: this was a look.")
                return
            receipt = import_ratings(
                found,
                slug=options["slug"],
                title=text_from(options, "title"),
                genre=options["genre"],
            )
        except FileRefused as error:
            raise CommandError(f"Nothing was imported.\n{error}") from error
        except Refused as error:
            raise CommandError(f"Nothing was imported: {error}") from error
        except ValidationError as error:
            raise CommandError(f"Nothing was imported: {words(error)}") from error
        if not receipt.is_new:
            self.stdout.write(
                f"Study {receipt.study} was already made of the same ratings; nothing has changed."
            )
            return
        self.stdout.write(
            f"Study {receipt.study} is stored, closed.\n"
            f"Next: manage.py export_report {receipt.study} --format html --output report.html"
        )

    def found(self, options: dict[str, Any]) -> FoundRatings:
        reading = Reading(
            columns=read_map(options["map"]),
            words=read_words(options["words"]),
            scales=dict(read_scale(scale) for scale in options["scale"]),
            lower_is_better=tuple(options["lower_is_better"]),
            overall=options["overall"],
            keeps_off_scale=options["off_scale"],
            hides_names=options["hide_names"],
            threshold=options["threshold"],
            encoding=options["encoding"],
            sheet=options["sheet"],
        )
        files = [NamedFile(path, path.name) for path in options["files"]]
        texts = options["texts"]
        return find_ratings(files, reading, texts=NamedFile(texts, texts.name) if texts else None)

    def take_back(self, options: dict[str, Any]) -> None:
        slug = options["slug"]
        study = Study.objects.filter(slug=slug).first()
        if study is None:
            raise CommandError(f"{slug}: no such study")
        if not options["yes"]:
            answer = input(
                f"Delete study {slug} with all its ratings? This cannot be undone. Type its name: "
            )
            if answer.strip() != slug:
                raise CommandError("Nothing was taken back.")
        try:
            ratings = take_back_ratings(study)
        except Refused as error:
            raise CommandError(f"{slug}: {error}") from error
        self.stdout.write(f"Study {slug} and its {ratings} ratings are gone.")
