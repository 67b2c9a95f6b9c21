"""A criterion may be rated with a slider, which is never set before somebody sets it."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotations.models import Criterion, Enrolment, Rating, Study
from annotations.questionnaire.progress import study_progress
from annotations.setup.row_forms import criteria_formset
from annotations.setup.rubrics import read_rubric
from annotations.setup.study import create_study
from annotations.tests.cast import placements
from generation.files.problems import FileRefused

FIRST = "/studies/poems/subtasks/1/pages/1/"
RUBRIC = {
    "genre": "qa",
    "criteria": [
        {
            "key": "overall",
            "label_en": "Overall",
            "minimum": 0,
            "maximum": 100,
            "is_slider": True,
            "is_overall": True,
        }
    ],
}


@pytest.fixture
def slider(study: Study) -> Criterion:
    Criterion.objects.filter(study=study, key="overall").update(minimum=0, maximum=100, is_slider=True)
    return Criterion.objects.get(study=study, key="overall")


def test_page_shows_a_slider_that_stands_nowhere(
    slider: Criterion, enrolment: Enrolment, as_alice: Client
) -> None:
    page = as_alice.get(FIRST).content.decode()
    assert page.count('<div class="slider is-unset">') == 4
    assert page.count('aria-valuetext="not rated yet"') == 4
    assert page.count('aria-label="A Overall"') == 2
    # What is sent without JavaScript is the number, which is empty; the slider has no name.
    name = f"{placements(slider.study, enrolment.evaluator)[0].token}.overall"
    assert f'<input type="number" name="{name}"' in page
    assert page.count('<input type="range"') == 4
    assert not Rating.objects.exists()


def test_number_is_saved_like_a_point_of_the_segmented_scale(
    slider: Criterion, enrolment: Enrolment, as_alice: Client
) -> None:
    token = placements(slider.study, enrolment.evaluator)[0].token
    answer = {"token": token, "criterion": "overall", "score": 0, "order": 5, "seconds": None}
    sent = as_alice.post(f"{FIRST}answers/", json.dumps(answer), content_type="application/json")
    assert sent.json()["score"] == 0
    page = as_alice.get(FIRST).content.decode()
    assert page.count('<div class="slider">') == 1
    assert page.count('value="0"') >= 2
    answer |= {"score": 101, "order": 6}
    off = as_alice.post(f"{FIRST}answers/", json.dumps(answer), content_type="application/json")
    assert off.status_code == 400


def test_form_without_javascript_leaves_an_empty_number_unanswered(
    slider: Criterion, enrolment: Enrolment, as_alice: Client
) -> None:
    first, second, *_ = placements(slider.study, enrolment.evaluator)
    sent = as_alice.post(FIRST, {f"{first.token}.overall": "73", f"{second.token}.overall": ""})
    assert sent.status_code == 302
    assert list(Rating.objects.values_list("candidate", "score")) == [(first.candidate_id, 73)]
    assert study_progress(enrolment).answered == 1
    refused = as_alice.post(FIRST, {f"{second.token}.overall": "101"})
    assert "A score must be a whole number from 0 to 100." in refused.content.decode()


def test_rubric_and_editor_set_it(alice: User, db: None) -> None:
    study = create_study(slug="rated", rubric=read_rubric(json.dumps(RUBRIC).encode(), "r.json"), by=alice)
    assert study.criteria.get().is_slider
    assert criteria_formset(study).forms[0].initial["is_slider"] is True
    wrong = json.loads(json.dumps(RUBRIC))
    wrong["criteria"][0]["is_slider"] = 1
    with pytest.raises(FileRefused, match=r"criteria\[0\]\.is_slider: must be true or false"):
        read_rubric(json.dumps(wrong).encode(), "r.json")


def test_api_says_it(as_alice: Client, slider: Criterion, enrolment: Enrolment) -> None:
    found = as_alice.get("/api/v1/my/studies/poems/").json()
    assert {one["key"]: one["is_slider"] for one in found["criteria"]} == {"format": False, "overall": True}
