"""Reading the Quan Tang Shi from the folder `quantangshi` of the npm package chinese-poetry, and storing it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction

from generation.files.problems import FileRefused, Problems
from generation.texts.characters import CONTROL, simplified
from generation.verse.corpus import NOTE, OLD_STYLE, clean_title, read_entry
from generation.verse.forms import REGULATED_FORMS
from turing.models import Form, SourceText
from turing.pairs.normalising import normalised

DYNASTY = "唐"
PATTERN = "poet.tang.*.json"
FORM_BY_NAME = {**{form.name: key for key, form in REGULATED_FORMS.items()}, OLD_STYLE: Form.OLD_STYLE}
BATCH = 5000


@dataclass
class Collection:
    """The poems of the folder; `left_out` says of what has no lines where it stands."""

    texts: list[SourceText] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def read_quantangshi(
    directory: Path, progress: Callable[[Iterable[Path]], Iterable[Path]] = iter
) -> Collection:
    """Read all poems of the folder; raise `FileRefused` with everything that is wrong, by file and entry.

    `progress` wraps the list of files, for a progress bar.
    """
    collection, refused, seen = Collection(), [], set()
    for path in progress(_files(directory)):
        problems, left_out = Problems(path.name), Problems(path.name)
        for place, original, entry in _entries(path, problems):
            if original["id"] in seen:
                problems.add(0, f"{place}, id", "is that of an earlier entry too")
            seen.add(original["id"])
            text = source_text(original, entry)
            if text.text:
                collection.texts.append(text)
            else:
                left_out.add(0, place, "has no lines")
        collection.left_out += left_out.listed()
        if problems:
            refused.append(problems)
    if refused:
        raise FileRefused(*refused)
    return collection


def source_text(original: dict[str, Any], entry: dict[str, Any]) -> SourceText:
    """Return one entry, given as it is and in simplified characters, as it will be stored."""
    poem = read_entry("tang", entry)
    text = poem.text if poem else NOTE.sub("", "\n".join(entry["paragraphs"]))
    return SourceText(
        source_id=original["id"],
        title=poem.title if poem else clean_title(entry["title"]),
        author=entry["author"],
        dynasty=DYNASTY,
        form=FORM_BY_NAME[poem.form] if poem else "",
        text=normalised(text, "poem"),
        original_title=original["title"],
        original_author=original["author"],
        original_text="\n".join(original["paragraphs"]),
    )


@transaction.atomic
def store(texts: list[SourceText]) -> int:
    """Store texts, again or for the first time, and return how many are new; what is in play stays in play."""
    before = SourceText.objects.count()
    fields = [
        "title",
        "author",
        "dynasty",
        "form",
        "text",
        "original_title",
        "original_author",
        "original_text",
    ]
    SourceText.objects.bulk_create(
        texts, batch_size=BATCH, update_conflicts=True, unique_fields=["source_id"], update_fields=fields
    )
    return SourceText.objects.count() - before


def _files(directory: Path) -> list[Path]:
    """Return the files of the collection in the order of their numbers."""
    files = sorted(
        (path for path in directory.glob(PATTERN) if path.name.split(".")[2].isdecimal()),
        key=lambda path: int(path.name.split(".")[2]),
    )
    if not files:
        problems = Problems(str(directory))
        problems.add(
            0, "", f"holds no {PATTERN}: it is not the folder quantangshi of the package chinese-poetry"
        )
        raise FileRefused(problems)
    return files


def _entries(path: Path, problems: Problems) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield the place of each sound entry, the entry, and the entry in simplified characters."""
    try:
        content = path.read_text(encoding="utf-8")
        originals = json.loads(content)
    except (OSError, ValueError) as error:
        problems.add(0, "", f"cannot be read: {error}")
        return
    if not isinstance(originals, list):
        problems.add(0, "", "must hold a list of entries")
        return
    # The whole file at once: a call of the converter for each poem would take long.
    for number, (original, entry) in enumerate(
        zip(originals, json.loads(simplified(content)), strict=True), 1
    ):
        place = f"entry {number}"
        if wrong := _wrong_field(original):
            problems.add(0, f"{place}, {wrong}", "is missing or no text that can be stored")
        else:
            yield place, original, entry


def _wrong_field(entry: object) -> str:
    """Return the first field that an entry lacks or that holds something else than text."""
    if not isinstance(entry, dict):
        return "author, title, paragraphs, id"
    for name, longest in (("id", 100), ("author", 100), ("title", 500)):
        value = entry.get(name)
        if not isinstance(value, str) or len(value) > longest or CONTROL.search(value):
            return name
    lines = entry.get("paragraphs")
    is_text = isinstance(lines, list) and all(
        isinstance(line, str) and not CONTROL.search(line) for line in lines
    )
    return "" if is_text and entry["id"] else "paragraphs" if entry["id"] else "id"
