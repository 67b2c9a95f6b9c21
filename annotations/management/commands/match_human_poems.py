"""Choose a human poem for each of a list of titles: the one whose own title is nearest.

Two titles are as near as their sets of characters, by the cosine with each character weighted by its inverse document
frequency among all titles of the collection: a rare character that both have counts for more than 送 or 山. Of equally
near ones the first in the collection is taken; no poem is taken twice, and the titles choose in their order. Eligible
are poems of one form in characters of everyday use.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from annotations.management.commands.build_demo_study import FORMS, Poem, eligible_poems
from generation.management.act_command import ActCommand


class Command(ActCommand):
    help = (
        "Choose the human poem with the nearest title for each title of a JSON list, from DIR, the unpacked npm package"
        " chinese-poetry, and write them as candidates of the method human."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dir", type=Path)
        parser.add_argument("titles", type=Path, help="a JSON list of titles")
        parser.add_argument("--form", default="七言四句", choices=FORMS.values())
        parser.add_argument("--output", type=Path, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        collection = options["dir"] / "dist" / "quantangshi"
        if not list(collection.glob("poet.tang.*.json")):
            raise CommandError(f"{collection} holds no poet.tang.*.json")
        try:
            titles = json.loads(options["titles"].read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CommandError(f"{options['titles']}: is no JSON list of titles: {error}") from error
        version = json.loads((options["dir"] / "package.json").read_text(encoding="utf-8"))["version"]
        form = next(shape for shape, name in FORMS.items() if name == options["form"])
        poems = [
            poem
            for poem in eligible_poems(collection, f"chinese-poetry {version}", by=None)
            if poem.form == form
        ]
        rows = list(matched_rows(titles, poems, options["form"]))
        options["output"].write_text(
            "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8"
        )
        self.stdout.write(f"{len(rows)} poems out of {len(poems):,} written to {options['output']}")


def matched_rows(titles: Sequence[str], poems: Sequence[Poem], form: str) -> Iterator[dict[str, str]]:
    """Yield a row for each title with the poem that is nearest to it among those not taken yet."""
    documents = Counter(character for poem in poems for character in set(poem.title))
    weight = {character: math.log(len(poems) / count) for character, count in documents.items()}
    rarest = math.log(len(poems))
    lengths = [norm(set(poem.title), weight, rarest) for poem in poems]
    taken: set[int] = set()
    for title in titles:
        own = set(title)
        near = [
            sum(weight[character] ** 2 for character in own & set(poem.title)) / (length or 1)
            for poem, length in zip(poems, lengths, strict=True)
        ]
        best = max((place for place in range(len(poems)) if place not in taken), key=near.__getitem__)
        taken.add(best)
        poem = poems[best]
        yield {
            "prompt": title,
            "description": form,
            "method": "human",
            "text": "\n".join(poem.lines),
            "title": poem.title,
            "author": poem.poet,
            "origin": poem.source,
        }


def norm(characters: set[str], weight: dict[str, float], rarest: float) -> float:
    return math.sqrt(sum(weight.get(character, rarest) ** 2 for character in characters))
