"""The folder of a model: whether it can be loaded, and what tells its weights from others."""

from __future__ import annotations

import hashlib
from pathlib import Path

from generation.refusals import Refused

PICKLES = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")


def digest_weights(folder: Path) -> str:
    """Return a digest of the weights in a folder; of a model from a hub, whose name says as much, nothing."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest() if folder.is_dir() else ""


def check_folder(folder: Path) -> None:
    """Refuse a folder that no model can be loaded from, with the reason; raise `Refused`."""
    if not folder.is_dir():
        raise Refused(f"There is no folder {folder}")
    if not (folder / "config.json").is_file():
        raise Refused(f"{folder} is no model: it has no config.json")
    if not any(folder.glob("*.safetensors")):
        pickle = next((path.name for pattern in PICKLES for path in folder.glob(pattern)), None)
        if pickle is not None:
            raise Refused(
                f"{folder} has its weights only as a pickle ({pickle}), which can run code; save it as safetensors"
            )
        raise Refused(f"{folder} has no weights (*.safetensors)")
