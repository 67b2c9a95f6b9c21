"""Choose the poems of the demo study from the Quan Tang Shi.

The rule, for each theme in turn:

1. A poem is eligible if it is by one of the four poets, of eight or four short sentences of five or seven characters
   each, in characters of everyday use once it is in simplified ones, and not taken by an earlier theme.
2. It is on a theme if one of the theme's own characters stands in its title and one in its text. Its score is 2 for
   each of the theme's own characters in the text and 1 for each other character that goes with the theme and is there.
3. Each poet enters the poem with the highest score; of equal ones the first in the collection.
4. All four must be of one form, so that the form tells nothing: that in which the lowest of the four scores is highest,
   of equal ones that in which their sum is, then the first of `FORMS`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from opencc import OpenCC

from generation.files.candidates import shuffled

# By the key of the 'method' that each poet is in the study.
POETS = {"li-bai": "李白", "du-fu": "杜甫", "bai-juyi": "白居易", "liu-yuxi": "刘禹锡"}
# Characters in a short sentence, short sentences, and what that is called.
FORMS = {(5, 8): "五言八句", (7, 4): "七言四句", (7, 8): "七言八句", (5, 4): "五言四句"}
# Title, the theme's own characters, others that go with it.
THEMES = [
    ("溪", "溪", "水清石流鸟幽竹"),
    ("月", "月", "光辉影清圆明夜照"),
    ("春", "春", "花柳莺风草暖桃"),
    ("秋", "秋", "风叶霜露凉雁寒虫蝉"),
    ("雪", "雪", "寒白冰冻玉冷"),
    ("夜", "夜", "月灯星寒梦漏更"),
    ("酒", "酒醉饮", "杯樽歌醒壶酌客"),
    ("送别", "送别", "君去泪远离路帆"),
    ("怀人", "忆怀思", "君故远情书友梦"),
    ("远望", "望", "山高天云远水目"),
    ("归", "归", "家故园客路乡心"),
    ("山", "山", "峰云石崖岩林松"),
    ("江", "江", "水波舟帆流浪潮"),
    ("池", "池", "水鱼莲荷清波岸"),
    ("舟", "舟船泛", "水江波浪帆流岸"),
    ("花", "花", "红香枝开落春蝶"),
    ("寺", "寺僧", "钟禅松磬山经林"),
    ("楼", "楼", "望高城远山水云"),
    ("城", "城", "边楼秋声树江晚"),
    ("亭", "亭", "山水风竹林石客"),
]


@dataclass(frozen=True)
class Poem:
    poet: str
    title: str
    lines: tuple[str, ...]
    form: tuple[int, int]
    source: str

    def score(self, own: str, others: str) -> int:
        """Return how well the poem fits a theme; 0 if it is on something else."""
        text = "".join(self.lines)
        named = sum(text.count(character) for character in own)
        if not named or not any(character in self.title for character in own):
            return 0
        return 2 * named + sum(character in text for character in others)


class Command(BaseCommand):
    help = "Choose the poems of the demo study from DIR, the unpacked npm package chinese-poetry (fixtures/README.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dir", type=Path)
        parser.add_argument("--output", type=Path, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        collection = options["dir"] / "dist" / "quantangshi"
        if not list(collection.glob("poet.tang.*.json")):
            raise CommandError(f"{collection} holds no poet.tang.*.json")
        version = json.loads((options["dir"] / "package.json").read_text(encoding="utf-8"))["version"]
        poems = list(eligible_poems(collection, f"chinese-poetry {version}", by=POETS.values()))
        rows = list(shuffled(chosen_rows(poems)))
        options["output"].write_text(
            "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8"
        )
        self.stdout.write(f"{len(rows)} poems out of {len(poems)} written to {options['output']}")


def eligible_poems(collection: Path, package: str, *, by: Collection[str] | None) -> Iterator[Poem]:
    """Yield the eligible poems by these poets (None: by all) in simplified characters, in the collection's order."""
    simplify = OpenCC("t2s").convert
    seen = set()
    files = sorted(collection.glob("poet.tang.*.json"), key=lambda path: int(path.name.split(".")[2]))
    for file in files:
        for entry in json.loads(file.read_text(encoding="utf-8")):
            poet = simplify(entry["author"])
            if by is not None and poet not in by:
                continue
            lines = tuple(simplify(line) for line in entry["paragraphs"])
            form = form_of(lines)
            # The collection holds some poems twice, under two titles.
            if form is not None and lines not in seen:
                seen.add(lines)
                source = f"{package}, {collection.name}/{file.name}, {entry['id']}"
                yield Poem(poet, simplify(entry["title"]), lines, form, source)


def form_of(lines: tuple[str, ...]) -> tuple[int, int] | None:
    """Return the form of a poem set in couplets, None where it has none of `FORMS` or holds a rare character."""
    couplets = [re.fullmatch(r"(\w+)[，？](\w+)[。？！]", line) for line in lines]
    try:
        "".join(lines).encode("gb2312")
    except UnicodeEncodeError:
        return None
    lengths = {len(half) for couplet in couplets if couplet for half in couplet.groups()}
    if len(lengths) != 1 or not all(couplets):
        return None
    form = (lengths.pop(), 2 * len(lines))
    return form if form in FORMS else None


def chosen_rows(poems: list[Poem]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the study's file, four to a theme."""
    taken: set[Poem] = set()
    for theme, own, others in THEMES:
        entered = {form: entries(poems, form, own, others, taken) for form in FORMS}
        complete = [form for form in FORMS if len(entered[form]) == len(POETS)]
        if not complete:
            raise CommandError(f"There is no form in which all poets have a poem on {theme}")
        form = max(complete, key=lambda form: rank(entered[form], own, others))
        for method, poem in entered[form].items():
            taken.add(poem)
            yield {
                "prompt": f"《{theme}》",
                "description": f"四首写“{theme}”的唐诗，都是{FORMS[form]}。",
                "method": method,
                "text": "\n".join(poem.lines),
                "title": poem.title,
                "author": poem.poet,
                "origin": poem.source,
            }


def entries(
    poems: list[Poem], form: tuple[int, int], own: str, others: str, taken: set[Poem]
) -> dict[str, Poem]:
    """Return each poet's best poem of a form on a theme; poets without one are left out."""
    entered = {}
    for method, poet in POETS.items():
        by_poet = [poem for poem in poems if poem.poet == poet and poem.form == form and poem not in taken]
        best = max(by_poet, key=lambda poem: poem.score(own, others), default=None)
        if best is not None and best.score(own, others):
            entered[method] = best
    return entered


def rank(entered: dict[str, Poem], own: str, others: str) -> tuple[int, int]:
    scores = [poem.score(own, others) for poem in entered.values()]
    return min(scores), sum(scores)
