"""The titles that a self-training writes poems for: listed by somebody, or drawn from the corpus."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from generation.engines.model_library import ROOT, folder_of, is_there, known_characters
from generation.orders import LONGEST
from generation.refusals import Refused
from generation.texts.characters import control_characters, simplified, unknown_characters
from generation.training.titles import sample_titles, telling_titles
from generation.verse.corpus import poems_of

MOST_TITLES = 10_000
# What is drawn from where no corpus has been prepared: the poems that come with the site.
FEW_POEMS = ROOT / "fixtures" / "tang-poets.jsonl"


class TitlesRefused(Refused):
    """Titles that cannot be drawn, with a message for staff."""


def listed_titles(text: str) -> list[str]:
    """Return the titles of a list, one a line, each once, in the characters of the corpus.

    >>> listed_titles(" 《登高》\\n\\n登高\\n秋興 \\n")
    ['登高', '秋兴']
    """
    lines = (simplified(line.strip().lstrip("\ufeff").strip("《》").strip()) for line in text.splitlines())
    return list(dict.fromkeys(line for line in lines if line))


def draw_titles(number: int, *, cycles: int, seed: int, model: str) -> list[list[str]]:
    """Draw titles that a model knows for each cycle, anew each time; raise `TitlesRefused` where there are too few.

    They are those of the training part of the prepared corpus, or of the few poems that come with the site.
    """
    if not 1 <= number <= MOST_TITLES:
        raise TitlesRefused(_("The titles must be from 1 to %(most)d.") % {"most": MOST_TITLES})
    known = _known_to(model)
    titles = [title for title in _titles_here() if not _wrong(title, known)]
    try:
        return [sample_titles(titles, number, seed, cycle) for cycle in range(1, cycles + 1)]
    except Refused:
        said = _("There are %(titles)d titles to draw from here. manage.py prepare_corpus --fetch gets more.")
        raise TitlesRefused(said % {"titles": len(titles)}) from None


def corpus_here() -> Path | None:
    """Return the prepared corpus of this machine, None where there is none."""
    path = Path(settings.HOME_DIR) / "corpus" / "poems.jsonl"
    return path if path.is_file() else None


def _titles_here() -> list[str]:
    path = corpus_here()
    if path is None:
        lines = FEW_POEMS.read_text(encoding="utf-8").splitlines()
        return list(dict.fromkeys(simplified(json.loads(line)["title"]) for line in lines))
    return telling_titles(poems_of(path))


def check_titles(titles: Sequence[str], model: str) -> str:
    """Return what is wrong with a cycle's titles, in words for staff; nothing where they will do."""
    if not titles:
        return _("There are no titles.")
    if len(titles) > MOST_TITLES:
        return _("There are %(titles)d titles; at most %(most)d can be written for.") % {
            "titles": len(titles),
            "most": MOST_TITLES,
        }
    known = _known_to(model)
    return next((wrong for title in titles if (wrong := _wrong(title, known))), "")


def _known_to(model: str) -> frozenset[str]:
    """Return the characters that a model knows; none where the model is on another machine."""
    return known_characters(folder_of(model)) if is_there(model) else frozenset()


def _wrong(title: str, known: frozenset[str]) -> str:
    """Return what is wrong with one title."""
    most = LONGEST["title"]
    if len(title) > most:
        said = _("The title %(title)s is longer than %(most)d characters.")
        return said % {"title": f"{title[:most]}…", "most": most}
    if control_characters(title):
        return _("The title %(title)s has characters that cannot be seen.") % {"title": title}
    if known and (unknown := unknown_characters(title, known)):
        said = _("The model does not know %(characters)s, in the title %(title)s.")
        return said % {"characters": unknown, "title": title}
    return ""
