"""What the tests of self-training share: a verse model that knows nothing and learns in a moment, and its titles."""

from __future__ import annotations

from pathlib import Path

from generation.conftest import written
from generation.models import SelfTraining
from generation.runs.claiming import claim, record
from generation.self_training.chain import advance
from generation.tests.training_cast import verse
from generation.training.architecture import build_model, save_model
from generation.training.settings import Architecture
from generation.training.vocabulary import build_tokenizer

TINY = Architecture(layers=1, width=32, heads=2, inner=64)
TITLES = ["秋夜", "春山", "江上", "月"]


def make_verse_model(folder: Path) -> Path:
    """Write a tiny verse model with random weights into a new folder and return that."""
    folder.mkdir(parents=True)
    tokenizer = build_tokenizer(verse() * 3)
    save_model(build_model(tokenizer, TINY, seed=1), tokenizer, folder)
    return folder


def write_all(chain: SelfTraining, queue: str = "generate") -> None:
    """Have a stand-in write the poems of a chain's run, and let the chain move on."""
    while claimed := claim(queue):
        record(claimed, written("山中一夜雨，树杪百重泉。\n汉女输橦布，巴人讼芋田。"))
    advance(chain.pk)
    chain.refresh_from_db()
