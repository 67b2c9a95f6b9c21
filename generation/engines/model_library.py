"""Where language models lie, and which one writes what (no torch: the web process asks this too)."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from generation.genres import GENRES
from generation.methods import METHODS
from generation.orders import Order, OrderRefused
from generation.texts.normalising import is_chinese

ROOT = Path(__file__).resolve().parents[2]
# Where a worker looks for a model that does not come with the site: in EVALSITE_HOME, as the settings have it, which
# are not there where the models are used without Django.
OTHERS = (
    Path(ROOT, Path(os.environ.get("EVALSITE_HOME") or "var").expanduser()).resolve(strict=False) / "models"
)
VERSE = "verse"
VERSE_SELF_TRAINED = "verse-st"
ENGLISH = "smollm2"
FOLDERS = {
    VERSE: ROOT / "fixtures" / "verse-model",
    VERSE_SELF_TRAINED: ROOT / "fixtures" / "verse-model-st",
    ENGLISH: OTHERS / "smollm2",
}


def model_of(order: Order) -> str:
    """Return the name of the model that writes an order: its own, or the one for its genre and language.

    Raises `OrderRefused` where there is none for it.
    """
    if order.model:
        return order.model
    self_trained = order.method in METHODS and METHODS[order.method].self_trained
    if is_chinese(order.prompt):
        if not GENRES[order.genre].is_verse:
            raise OrderRefused("model: none comes with the site for Chinese prose; name the folder of one")
        return VERSE_SELF_TRAINED if self_trained else VERSE
    if self_trained:
        raise OrderRefused("model: none comes self-trained for English; name the folder of one")
    return ENGLISH


def folder_of(name: str) -> str:
    """Return the folder of a model that is known here by name or lies in `OTHERS`.

    Any other name is a folder as it stands, or known to a hub.
    """
    other = OTHERS / name
    return str(FOLDERS.get(name) or (other if other.is_dir() else name))


def is_there(name: str) -> bool:
    """Return whether a model's weights lie in its folder."""
    return any(Path(folder_of(name)).glob("*.safetensors"))


def new_folder_of(name: str) -> Path:
    """Return the folder in which a new model of this name comes to lie."""
    return OTHERS / name


def folder_id() -> str:
    """Return what tells this folder of models from those of other machines; drawn when it is first asked for.

    Machines that share the folder share this too.
    """
    path = OTHERS / ".folder-id"
    try:
        return path.read_text()
    except FileNotFoundError:
        OTHERS.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".folder-id.{os.getpid()}")
        draft.write_text(secrets.token_hex(16))
        try:
            # Two workers at once: the link of one of them wins, and both read what it wrote.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return path.read_text()


@cache
def known_words(folder: str) -> frozenset[str]:
    """Return the words of a model whose words are mostly single characters; none where that cannot be told."""
    path = Path(folder, "tokenizer.json")
    if not path.is_file():
        return frozenset()
    model: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))["model"]
    # A model whose words are longer knows every character in some way.
    return frozenset(model["vocab"] if model["type"] == "WordLevel" else ())


def known_characters(folder: str) -> frozenset[str]:
    """Return the characters that a model knows whose words are single characters; none where that cannot be told."""
    return frozenset(word for word in known_words(folder) if len(word) == 1)
