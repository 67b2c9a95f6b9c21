"""What visitors have written enters no study and no game by itself, whatever titles they choose."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from annotations.models import PageCandidate, Study, StudyRun
from annotations.recruiting.enrolment import enrol
from annotations.setup.runs import add_finished_runs
from annotations.tests.cast import build_study, build_user
from generation.compose.composing import compose
from generation.models import Candidate, Composition, GenerationRun, Prompt
from generation.orders import Order, ScoredText, Written
from generation.runs.claiming import claim, record
from turing.models import PoemPair
from turing.upkeep import poll

TEXT = "访客之诗，不入评测。"


@pytest.fixture
def study(db: None, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setattr("evalsite.celery.app.send_task", lambda *arguments, **options: None)
    return build_study()


@pytest.fixture
def composition(study: Study) -> Composition:
    """A poem that a visitor had written under a title of the study."""
    prompt = Prompt.objects.filter(genre="poem").order_by("pk")[0]
    asked = compose(Order("inverse_prompting", "poem", prompt.text), visitor="v", address="192.0.2.7")
    assert asked.run_prompt.prompt == prompt
    hand_in(TEXT)
    return asked


def hand_in(text: str) -> None:
    claimed = claim("generate")
    assert claimed is not None
    record(claimed, Written(ScoredText(text, -1.0, {"forward": -1.0}, ())))


def test_a_study_shows_no_text_of_a_visitor(study: Study, composition: Composition, client: Client) -> None:
    shown = list(PageCandidate.objects.order_by("pk").values_list("candidate", flat=True))
    add_finished_runs()
    poll()
    assert list(PageCandidate.objects.order_by("pk").values_list("candidate", flat=True)) == shown
    assert Candidate.objects.get(text=TEXT).pk not in shown
    assert not StudyRun.objects.exists()
    assert not PoemPair.objects.exists()
    alice = build_user("alice")
    enrol(study, alice)
    client.force_login(alice)
    for page in (1, 2):
        assert TEXT not in client.get(f"/studies/poems/subtasks/1/pages/{page}/").content.decode()
    client.force_login(User.objects.create_user("carol", is_staff=True))
    for address in ("/studies/poems/results/", "/studies/poems/results.json"):
        assert TEXT not in client.get(address).content.decode()


def test_candidates_for_a_study_are_written_anew(study: Study, composition: Composition) -> None:
    call_command("generate_candidates", "poems", method="search_baseline")
    run = GenerationRun.objects.get(study_run__isnull=False)
    assert run != composition.run_prompt.run
    for number in range(run.run_prompts.count()):
        hand_in(f"研究之诗，其{number}。")
    add_finished_runs()
    added = PageCandidate.objects.filter(candidate__run=run)
    assert added.count() == run.run_prompts.count()
    assert not PageCandidate.objects.filter(candidate__text=TEXT).exists()


def test_a_study_that_is_imported_later_shows_its_own_texts_only(
    study: Study, composition: Composition, tmp_path: Path
) -> None:
    title = composition.run_prompt.prompt.text
    path = tmp_path / "candidates.jsonl"
    rows = [{"prompt": title, "method": f"method-{n}", "text": f"第{n}首。"} for n in (1, 2)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    call_command("import_study", str(path), slug="later", rubric="poem")
    shown = PageCandidate.objects.filter(page__subtask__study__slug="later")
    assert {one.candidate.text for one in shown.select_related("candidate")} == {"第1首。", "第2首。"}


def test_an_evaluator_sees_no_text_of_a_study_under_a_visitors_link(study: Study, client: Client) -> None:
    for run in GenerationRun.objects.all():
        assert client.get(f"/compose/{run.uuid}/").status_code == 404
