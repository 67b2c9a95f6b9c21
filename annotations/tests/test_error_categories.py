"""The categories and severities of errors in a study's set-up: from rubrics, by the API, and fixed with the launch."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from annotations.models import Study
from annotations.setup.error_categories.rows import marking_obstacles
from annotations.setup.rubrics import checked_rubric, load_rubric, rubric_document
from annotations.setup.study import change_study, create_study, replace_criteria, rubric_of
from annotations.tests.marking_cast import build_marked_study
from generation.files.problems import FileRefused, Problems
from generation.refusals import Refused


@pytest.mark.parametrize("name", ["mqm", "esa"])
def test_a_ready_made_rubric_begins_a_study_of_error_spans(db: None, name: str) -> None:
    study = create_study(slug="marked", rubric=load_rubric(name), by=None)
    assert (study.protocol, study.has_best_picks) == ("spans", False)
    assert marking_obstacles(study) == []
    assert "best" not in study.instructions["en"]
    again = checked_rubric(rubric_document(rubric_of(study)), Problems("again"))
    assert again.error_categories == load_rubric(name).error_categories
    assert again.severities == load_rubric(name).severities


def test_mqm_has_the_published_weights(db: None) -> None:
    """Freitag et al. (2021): minor 1, major 5, non-translation 25, minor punctuation .1."""
    study = create_study(slug="marked", rubric=load_rubric("mqm"), by=None)
    minor, major = study.severities.all()
    cost = {
        (one.key, grade.key): one.penalty(grade)
        for one in study.error_categories.all()
        for grade in (minor, major)
    }
    assert (cost["accuracy", "minor"], cost["accuracy", "major"]) == (1, 5)
    assert (cost["punctuation", "minor"], cost["punctuation", "major"]) == (0.1, 5)
    assert cost["non-translation", "major"] == 25


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"severities": [{"key": "A b", "label": {"en": "A"}}]}, "severities[0].key: must be given"),
        ({"severities": [{"key": "a", "label": {"en": "A"}, "weight": -1}]}, "a number from 0 to 1000"),
        ({"severities": [{"key": "a", "label": {"en": "A"}, "weight": True}]}, "a number from 0 to 1000"),
        ({"error_categories": [{"key": "a", "label": {}}]}, "error_categories[0].label: must be given"),
        ({"error_categories": [{"key": "a", "label": {"en": "A"}, "x": 1}]}, "is none of key, label"),
        (
            {"error_categories": [{"key": "a", "label": {"en": "A"}, "penalties": {"zz": 1}}]},
            "is none of minor",
        ),
        ({"error_categories": [{"key": "a", "label": {"en": "A"}}] * 2}, "stands twice"),
        ({"error_categories": [{"key": f"a{n}", "label": {"en": "A"}} for n in range(27)]}, "at most 26"),
        ({"error_categories": []}, "give both severities and error_categories"),
        ({"protocol": "marks"}, "protocol: must be one of ratings"),
        (
            {"criteria": [{"key": "a", "label": {"en": "A"}, "derived": "sum"}]},
            "derived: must be one of penalty",
        ),
    ],
)
def test_a_rubric_whose_errors_cannot_be_marked_is_refused_by_place(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(FileRefused) as refused:
        checked_rubric(rubric_document(load_rubric("mqm")) | change, Problems("mqm.json"))
    assert message in str(refused.value)


def test_a_study_without_categories_or_penalty_cannot_be_signed_off(db: None) -> None:
    study = create_study(slug="plain", rubric=load_rubric("translation"), by=None)
    change_study(study, by=None, protocol="spans")
    assert len(marking_obstacles(study)) == 2
    replace_criteria(study, load_rubric("esa"), by=None)
    assert marking_obstacles(study) == []
    change_study(study, by=None, protocol="ratings")
    assert marking_obstacles(study) == ["By this protocol no criterion is reckoned from penalty."]


def test_categories_are_fixed_once_evaluators_are_at_work(db: None) -> None:
    study = build_marked_study()
    Study.objects.update(launched_at="2026-01-01T00:00Z")
    study.refresh_from_db()
    with pytest.raises(Refused, match="has been launched"):
        replace_criteria(study, load_rubric("mqm"), by=None)
    assert study.error_categories.count() == 3


def test_categories_are_changed_by_api_and_command_and_shown_in_the_set_up(
    db: None, client: Client, carol: User
) -> None:
    client.force_login(carol)
    call_command("create_study", "marked", "--rubric", "esa")
    body = {
        "genre": "text",
        "protocol": "spans",
        "criteria": [{"key": "p", "label": {"en": "Penalty"}, "derived": "penalty", "maximum": 9}],
        "severities": [{"key": "bad", "label": {"en": "Bad"}, "weight": 2}],
        "error_categories": [{"key": "any", "label": {"en": "Any error"}, "penalties": {"bad": 3.5}}],
    }
    put = client.put("/api/v1/studies/marked/criteria/", json.dumps(body), content_type="application/json")
    assert put.status_code == 200, put.content
    study = Study.objects.get()
    assert [one.penalty(study.severities.get()) for one in study.error_categories.all()] == [3.5]
    page = client.get("/manage/studies/marked/criteria/").content.decode()
    assert "Any error" in page
    assert "3.5" in page
    body["severities"] = [{"key": "bad", "label": {"en": "Bad"}, "weight": -2}]
    assert (
        client.put(
            "/api/v1/studies/marked/criteria/", json.dumps(body), content_type="application/json"
        ).status_code
        == 400
    )
