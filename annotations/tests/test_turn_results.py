"""What comes of ratings of turns: the report in all its formats, the archive, the API and rehearsals."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from annotations.models import Rating, Study, TurnRating
from annotations.plan.rehearsal import rehearse
from annotations.plan.simulation import Effects, simulate_ratings
from annotations.results.archive import study_archive
from annotations.results.rating_table import rating_table, verdicts_on
from annotations.results.report import study_report
from annotations.results.report_formats import FORMATS, export
from annotations.setup.lifecycle import close_study
from stats.reports.archive import differing, numbers_of

RUBRIC = {
    "genre": "qa",
    "criteria": [
        {"key": "fluency", "label": {"en": "Fluency"}, "rates_turns": True},
        {"key": "overall", "label": {"en": "Overall"}, "is_overall": True},
    ],
}


def dialogue(prompt: int, method: str) -> list[dict[str, str]]:
    """Return a dialogue of two or three rated turns."""
    return [
        {"role": role, "text": f"{role} {method} {prompt} {turn}"}
        for turn in range(2 + prompt % 2)
        for role in ("user", "assistant")
    ]


@pytest.fixture
def study(db: None, tmp_path: Path) -> Study:
    """A launched study of ten prompts and two methods whose texts are dialogues."""
    rubric, rows = tmp_path / "rubric.json", tmp_path / "talks.jsonl"
    rubric.write_text(json.dumps(RUBRIC), encoding="utf-8")
    lines = [
        json.dumps({"prompt": f"Talk {prompt}.", "method": method, "text": dialogue(prompt, method)})
        for prompt in range(10)
        for method in ("bot", "human")
    ]
    rows.write_text("\n".join(lines), encoding="utf-8")
    call_command("create_study", "talks", rubric=str(rubric))
    call_command("upload_material", "talks", rows)
    call_command("sign_off_study", "talks")
    call_command("launch_study", "talks", without_plan=True)
    return Study.objects.get()


@pytest.fixture
def rated(study: Study) -> Study:
    simulate_ratings(study, evaluators=8, seed=3, effects=Effects(step=1.5))
    close_study(study)
    study.refresh_from_db()
    return study


def test_simulated_evaluators_rate_every_turn_and_have_finished(rated: Study) -> None:
    # Of ten dialogues five have two turns and five three, by two methods, rated by eight.
    assert TurnRating.objects.count() == 8 * 2 * (5 * 2 + 5 * 3)
    assert all(one.is_finished for one in verdicts_on(rated, rating_table(rated)))


def test_the_mean_of_the_turns_of_a_text_is_a_criterion_of_the_score_table(rated: Study) -> None:
    table = rating_table(rated)
    assert [one.key for one in table.criteria] == ["fluency", "overall", "fluency:turns"]
    turns = table.for_criterion("fluency:turns")
    wanted = {
        (one["enrolment__pseudonym"], one["candidate__run__method__key"]): 0.0
        for one in TurnRating.objects.values("enrolment__pseudonym", "candidate__run__method__key")
    }
    for evaluator, method in wanted:
        own = TurnRating.objects.filter(enrolment__pseudonym=evaluator, candidate__run__method__key=method)
        by_text: dict[int, list[float]] = {}
        for candidate, score in own.values_list("candidate", "score"):
            by_text.setdefault(candidate, []).append(score)
        is_own = (turns.evaluator == table.evaluators.index(evaluator)) & (
            turns.method == table.methods.index(method)
        )
        assert sorted(turns.score[is_own]) == pytest.approx(sorted(np.mean(one) for one in by_text.values()))


def test_the_report_has_the_turns_in_every_format(rated: Study) -> None:
    report = study_report(rated)
    means = {(one.method, one.criterion): one for one in report.analysis.means} if report.analysis else {}
    mean = means["human", "fluency:turns"].crossed
    assert mean.ci is not None
    found = json.loads(export(report, "json"))
    assert [one["method"] for one in found["turns"]["criteria"][0]["methods"]] == ["bot", "human"]
    assert len(found["turns"]["criteria"][0]["methods"][0]["by_turn"]) == 3
    assert {one["criterion"] for one in found["comparisons"]} == {"fluency", "overall", "fluency:turns"}
    rows = list(csv.DictReader(io.StringIO(export(report, "csv").decode("utf-8-sig"))))
    change = next(one for one in rows if one["table"] == "turns.change.estimate" and one["method"] == "human")
    assert float(change["value"]) == pytest.approx(
        found["turns"]["criteria"][0]["methods"][1]["change"]["estimate"]
    )
    said = f"{mean.estimate:.2f}"
    assert "Turns of the dialogues" in (html := export(report, "html").decode())
    assert said in html
    assert "Fluency, mean of the turns" in export(report, "tex").decode()
    book = openpyxl.load_workbook(io.BytesIO(export(report, "xlsx")))
    cells = [str(one) for sheet in book for row in sheet.iter_rows(values_only=True) for one in row if one]
    assert "Fluency: the turns, and the dialogue as a whole" in cells
    assert set(FORMATS) == {"json", "html", "pdf", "tex", "xlsx", "csv"}
    assert export(report, "pdf").startswith(b"%PDF")


def test_the_cases_of_the_report_show_dialogues_as_their_turns(rated: Study) -> None:
    html = export(study_report(rated), "html").decode()
    assert "user bot" in html
    assert "&quot;role&quot;" not in html
    assert '"role"' not in html


def test_the_archive_makes_the_numbers_of_the_turns_again(rated: Study) -> None:
    with zipfile.ZipFile(io.BytesIO(study_archive(rated))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert files["turns.jsonl"].count(b"\n") == TurnRating.objects.count()
    found = numbers_of(files)
    assert found["turns"]["ratings"] == TurnRating.objects.count()
    assert list(differing(found, json.loads(files["results.json"]))) == []


def test_the_api_lists_the_ratings_of_turns(client: Client, carol: User, rated: Study) -> None:
    client.force_login(carol)
    body = client.get("/api/v1/studies/talks/turn-ratings/?page_size=3").json()
    assert (body["count"], len(body["results"])) == (TurnRating.objects.count(), 3)
    assert body["results"][0].items() >= {"criterion": "fluency", "turn": 1, "times_changed": None}.items()


def test_a_rehearsal_rates_turns_by_the_real_way_of_saving(study: Study) -> None:
    copy = rehearse(study, evaluators=2, effects=Effects(), seed=1)
    turns = TurnRating.objects.filter(enrolment__study=copy)
    assert (turns.count(), Rating.objects.filter(enrolment__study=copy).count()) == (2 * 50, 2 * 40)
    assert study_report(copy).turns is not None


def test_the_page_of_a_prompt_has_the_mean_of_the_turns(client: Client, carol: User, rated: Study) -> None:
    client.force_login(carol)
    page = client.get("/studies/talks/results/prompts/1/1/").content.decode()
    assert page.count("Fluency, mean of the turns") == 2


def test_a_dialogue_is_shown_as_turns_where_nobody_rates_these(
    client: Client, carol: User, study: Study, settings: Any
) -> None:
    Study.objects.filter(pk=study.pk).update(state=Study.State.DRAFT)
    study.criteria.update(rates_turns=False)
    client.force_login(carol)
    page = client.get("/manage/studies/talks/preview/subtasks/1/pages/1/").content.decode()
    assert page.count('class="turn"') >= 8
    assert "turn 1" not in page
    Study.objects.filter(pk=study.pk).update(rendering=Study.Rendering.CODE)
    assert (
        'class="turn"' not in client.get("/manage/studies/talks/preview/subtasks/1/pages/1/").content.decode()
    )
