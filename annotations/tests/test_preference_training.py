"""Every layout of preferences is what TRL's trainers read: one step on the tiny model, where TRL is."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from annotations.models import Study
from annotations.plan.simulation import simulate_ratings
from annotations.questionnaire.saving import PageAddress
from annotations.questionnaire.written.saving import SentText, save_text
from annotations.recruiting.enrolment import enrol
from annotations.results.preferences.layouts import columns_of, layout_rows
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import build_checklist_study, build_user, placements
from generation.tests.tiny_models import verse_model

# A Python with trl and datasets, in an environment of its own: they are no part of this project.
PYTHON = os.environ.get("TRL_PYTHON", "")
STEP = settings.BASE_DIR / "generation" / "tests" / "train_one_step.py"


@pytest.fixture
def answered(db: None) -> Study:
    """A closed study with a checklist, answered by simulated evaluators."""
    study = build_checklist_study(prompts=3)
    Study.objects.update(reasons="candidate")
    simulate_ratings(study, evaluators=4, seed=1)
    close_study(study)
    return study


@pytest.mark.skipif(not PYTHON, reason="TRL_PYTHON names no Python that has TRL")
@pytest.mark.parametrize(
    ("layout", "options"),
    [("pairs", {}), ("pairs", {"conversational": True}), ("unpaired", {}), ("ranked", {})],
)
def test_a_trainer_takes_one_step_on_each_layout(
    answered: Study, tmp_path: Path, layout: str, options: dict[str, Any]
) -> None:
    tiny = verse_model()
    tiny.model.save_pretrained(tmp_path / "model")
    tiny.tokenizer.save_pretrained(tmp_path / "model")
    path = tmp_path / "rows.jsonl"
    call_command("export_preferences", "poems", layout=layout, output=path, **options)
    run = subprocess.run(
        [PYTHON, STEP, tmp_path / "model", layout, path], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-2000:]
    said = json.loads(run.stdout.splitlines()[-1])
    assert said["rows"] == len(path.read_text(encoding="utf-8").splitlines()) >= 3
    assert said["loss"] > 0


def rows(study: Study, layout: Any, **options: Any) -> list[dict[str, Any]]:
    return [dict(zip(columns_of(layout), row, strict=True)) for row in layout_rows(study, layout, **options)]


def test_answers_to_a_checklist_and_reasons_are_the_rationale(db: None) -> None:
    study = build_checklist_study(prompts=1, methods=2)
    Study.objects.update(reasons="candidate")
    study.refresh_from_db()
    for name, words in (("alice", "It sings."), ("bob", "")):
        user = build_user(name)
        enrolment = enrol(study, user)
        for placement in placements(study, user):
            is_first = placement.candidate.run.method.key == "method-0"
            for item in study.checklist_items.all():
                enrolment.checklist_answers.create(
                    candidate=placement.candidate, item=item, answer=1 if is_first else 2
                )
            if is_first and words:
                save_text(user, PageAddress("poems", 1, 1), SentText(placement.token, "reason", words, 1))
    close_study(study)
    (pair,) = rows(study, "pairs")
    assert pair["rationale"].splitlines() == [
        "chosen: It rhymes. yes 2",
        "chosen: It has four lines. yes 2",
        "chosen: It names the rain. yes 2",
        "chosen: It sings.",
        "rejected: It rhymes. no 2",
        "rejected: It has four lines. no 2",
        "rejected: It names the rain. no 2",
    ]
    mine, other = rows(study, "pairs", by_evaluator=True)
    assert "chosen: It sings." in mine["rationale"]
    assert "chosen: It rhymes. yes\n" in other["rationale"]
    assert "sings" not in other["rationale"]
    assert rows(study, "unpaired")[0]["rationale"].startswith("completion: It rhymes. yes 2")
    assert rows(study, "ranked")[0]["rationale"].startswith("completion 1: It rhymes. yes 2")


def test_without_reasons_and_checklists_there_is_no_rationale(answered: Study) -> None:
    Study.objects.update(protocol="ratings", reasons="none")
    simulate_ratings(Study.objects.get(), evaluators=2, seed=1)
    found = rows(Study.objects.get(), "pairs")
    assert {one["rationale"] for one in found} <= {None}
