"""The archive of a study makes its results again without the site."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from annotations.models import Enrolment, Study
from annotations.plan.simulation import simulate_ratings
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import answer_everything, build_study
from stats.reports.archive import differing, main


@pytest.fixture
def archive(db: None, tmp_path: Path) -> Path:
    study = build_study(slug="poems", prompts=12, methods=3)
    simulate_ratings(study, evaluators=7, seed=1)
    close_study(study)
    path = tmp_path / "poems.zip"
    call_command("export_archive", "poems", "--output", path)
    return path


def test_one_command_makes_every_number_again(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(archive)]) == 0
    assert "every number is that of results.json" in capsys.readouterr().out
    with zipfile.ZipFile(archive) as files:
        assert "python -m stats.reports.archive poems.zip" in files.read("README.md").decode()
        assert {"answers.jsonl", "material.jsonl", "ratings.csv", "results.json"} <= set(files.namelist())
        texts = [json.loads(line) for line in files.read("material.jsonl").splitlines()]
        assert len(texts) == 12 * 3
        answers = files.read("answers.jsonl").decode()
        assert answers.count("\n") == 7 * 12 * (3 * 2 + 1)
        assert "@" not in answers


def test_a_number_that_was_changed_is_named(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(archive) as files:
        bodies = {name: files.read(name) for name in files.namelist()}
    results: Any = json.loads(bodies["results.json"])
    results["comparisons"][0]["estimate"] += 0.01
    bodies["results.json"] = json.dumps(results).encode()
    with zipfile.ZipFile(archive, "w") as files:
        for name, body in bodies.items():
            files.writestr(name, body)
    assert main([str(archive)]) == 1
    assert "differs: /comparisons/0/estimate" in capsys.readouterr().out


def test_what_is_no_archive_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
    assert list(differing({"a": [1.0, "x"]}, {"a": [1.0 + 1e-9, "y"]})) == ["/a/1"]


def test_an_open_study_has_no_archive(study: Study, enrolment: Enrolment, tmp_path: Path) -> None:
    answer_everything(enrolment)
    with pytest.raises(CommandError, match="sealed"):
        call_command("export_archive", study.slug, "--output", tmp_path / "open.zip")
