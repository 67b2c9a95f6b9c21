"""Methods may lack texts for some prompts where the study declares it: from the upload to the report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from annotations.models import PageCandidate, Placement, Rating, Study
from annotations.monitoring.evaluator_sums import sums_by_evaluator
from annotations.plan.rehearsal import rehearse
from annotations.plan.simulation import Effects, simulate_ratings
from annotations.questionnaire.progress import study_progress
from annotations.recruiting.enrolment import enrol
from annotations.results.rating_table import rating_table, verdicts_on
from annotations.results.report import study_report
from annotations.results.report_formats import export
from annotations.setup.lifecycle import close_study, material_obstacles
from annotations.setup.material import material_checks
from annotations.setup.rubrics import load_rubric
from annotations.setup.study import change_study, create_study
from annotations.tests.cast import answer_everything

PROMPTS = 12


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three methods, of which the last lacks the even prompts."""
    rows = [
        {"prompt": f"Why {number}?", "method": method, "text": f"Because of {number}, says {method}."}
        for number in range(1, PROMPTS + 1)
        for method in ("a", "b", "c")
        if method != "c" or number % 2
    ]
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def draft(alice: User) -> Study:
    return create_study(slug="why", rubric=load_rubric("qa"), by=alice)


@pytest.fixture
def declared(draft: Study, file: Path) -> Study:
    change_study(draft, by=None, allows_missing_texts=True)
    call_command("upload_material", "why", str(file))
    return draft


@pytest.fixture
def opened(declared: Study) -> Study:
    Study.objects.filter(slug="why").update(state="open")
    declared.refresh_from_db()
    return declared


def test_without_the_declaration_the_file_is_refused(draft: Study, file: Path) -> None:
    with pytest.raises(CommandError, match=r"prompt 'Why 2\?' has no text by c"):
        call_command("upload_material", "why", str(file))
    assert not PageCandidate.objects.exists()


def test_prompt_with_a_text_by_one_method_alone_is_refused_all_the_same(draft: Study, tmp_path: Path) -> None:
    change_study(draft, by=None, allows_missing_texts=True)
    rows = [("Why?", "a"), ("Why?", "b"), ("How?", "a")]
    path = tmp_path / "one.jsonl"
    path.write_text("".join(json.dumps({"prompt": p, "method": m, "text": "x"}) + "\n" for p, m in rows))
    with pytest.raises(CommandError, match=r"prompt 'How\?' has no text by b"):
        call_command("upload_material", "why", str(path))


def test_declared_it_can_be_signed_off_and_taking_that_back_stops_it(declared: Study) -> None:
    checks = material_checks(declared)
    assert (checks.missing, checks.texts) == (6, 30)
    assert material_obstacles(declared, checks) == []
    change_study(declared, by=None, allows_missing_texts=False)
    assert material_obstacles(declared, checks) == ["6 texts are missing."]
    change_study(declared, by=None, allows_missing_texts=True)
    PageCandidate.objects.filter(page__number=2, page__subtask__number=1, study_method__number=1).delete()
    assert material_obstacles(declared, material_checks(declared)) == [
        "1 prompt has texts by fewer than two methods."
    ]


def test_settings_page_declares_it_and_material_page_says_so(
    draft: Study, client: Client, alice: User, file: Path
) -> None:
    client.force_login(alice)
    page = client.get("/manage/studies/why/settings/").content.decode()
    assert "Methods may lack texts for some prompts" in page
    change_study(draft, by=None, allows_missing_texts=True)
    with file.open("rb") as upload:
        waits = client.post("/manage/studies/why/material/candidates/", {"candidates": upload})
    columns = {f"column-{number}": name for number, name in enumerate(("prompt", "method", "text"))}
    client.post(waits.headers["Location"], columns)
    page = client.get("/manage/studies/why/material/").content.decode()
    assert "The settings of the study declare that methods may lack texts." in page
    assert PageCandidate.objects.count() == 30


def test_evaluator_has_finished_with_the_texts_that_there_are(
    opened: Study, bob: User, client: Client
) -> None:
    enrolment = enrol(opened, bob)
    client.force_login(bob)
    assert client.get("/studies/why/subtasks/1/pages/2/").content.decode().count('<article class="card"') == 2
    places = Placement.objects.filter(enrolment=enrolment, page__subtask__number=1, page__number=2)
    assert sorted(places.values_list("position", flat=True)) == [0, 1]
    answer_everything(enrolment, best_method=0)
    progress = study_progress(enrolment)
    # Four criteria of 30 texts, and a pick of each page.
    assert (progress.answered, progress.total) == (4 * 30 + PROMPTS, 4 * 30 + PROMPTS)
    [verdict] = verdicts_on(opened, rating_table(opened))
    [sums] = sums_by_evaluator(opened)
    assert verdict.is_finished
    assert (verdict.pages_answered, verdict.exclusion) == (sums.pages_answered, sums.exclusion)
    Rating.objects.filter(candidate__run__method__key="c").first().delete()  # type: ignore[union-attr]
    [verdict] = verdicts_on(opened, rating_table(opened))
    assert (verdict.is_finished, verdict.pages_answered) == (False, PROMPTS - 1)


def test_report_compares_where_both_methods_wrote_and_says_what_is_missing(opened: Study) -> None:
    simulate_ratings(opened, evaluators=8, seed=3)
    close_study(opened)
    report = study_report(opened)
    assert report.participants.finished == 8
    assert report.study.missing_texts == 6
    assert report.analysis is not None
    pages = rating_table(opened).for_criterion("overall").pages()
    pair = report.analysis.comparison("overall", "a", "c")
    assert pair.estimate is not None
    odd = pages.prompt % 2 == 0
    assert np.isnan(pages.scores[~odd, 2]).all()
    assert pair.estimate == pytest.approx(
        float((pages.scores[odd, 2] - pages.scores[odd, 0]).mean()), abs=0.5
    )
    html = export(report, "html").decode()
    assert "By design 6 of 36 texts were not there" in html
    assert "Texts were shown by the rule of prose" in html


def test_rehearsal_answers_what_is_there(declared: Study) -> None:
    copy = rehearse(declared, evaluators=2, effects=Effects(), seed=1)
    assert copy.allows_missing_texts
    assert Rating.objects.filter(enrolment__study=copy).count() == 2 * 4 * 30
