"""Where language models lie, and which one writes what (no torch: the web process asks this too)."""

from __future__ import annotations

from pathlib import Path

from generation.normalising import is_chinese
from generation.orders import Order, OrderRefused

ROOT = Path(__file__).resolve().parent.parent
# Where a worker looks for a model that does not come with the site.
OTHERS = ROOT / "var" / "models"
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
    if is_chinese(order.prompt):
        if order.genre != "poem":
            raise OrderRefused("model: none comes with the site for Chinese prose; name the folder of one")
        return VERSE_SELF_TRAINED if order.method == "inverse_prompting_st" else VERSE
    if order.method == "inverse_prompting_st":
        raise OrderRefused("model: none comes self-trained for English; name the folder of one")
    return ENGLISH


def folder_of(name: str) -> str:
    """Return the folder of a model that is known here by name or lies in `var/models/`.

    Any other name is a folder as it stands, or known to a hub.
    """
    other = OTHERS / name
    return str(FOLDERS.get(name) or (other if other.is_dir() else name))


def is_there(name: str) -> bool:
    """Return whether a model's weights lie in its folder."""
    return any(Path(folder_of(name)).glob("*.safetensors"))
