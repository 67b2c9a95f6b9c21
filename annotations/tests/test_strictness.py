"""How strict evaluators are, on the page that watches an open study."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client

from annotations.access.roles import give_role
from annotations.models import Rating, Study, StudyRole
from annotations.monitoring.strictness import strictness
from annotations.plan.simulation import simulate_ratings
from annotations.results.rating_table import rating_table
from annotations.tests.cast import build_study, build_user, shown
from stats.ordinal.severity import severity

PAGE = "/manage/studies/poems/progress/"


@pytest.fixture
def simulated(db: None) -> Study:
    """An open study of twelve prompts with five evaluators, of whom the third gives two points less."""
    study = build_study(prompts=12, pages_per_subtask=3)
    simulate_ratings(study, evaluators=5, seed=7)
    Rating.objects.filter(enrolment__number=2, score__gt=3).update(score=F("score") - 2)
    return study


@pytest.fixture
def observer(simulated: Study, client: Client) -> User:
    olga = build_user("olga")
    give_role(simulated, olga, StudyRole.Role.OBSERVER, by=None)
    client.force_login(olga)
    return olga


def test_evaluators_stand_from_strict_to_lenient_as_in_the_report(simulated: Study) -> None:
    found = strictness(simulated)
    assert found is not None and found.criterion.is_overall
    expected = {one.evaluator: one for one in severity(rating_table(simulated), "overall").evaluators}
    assert len(expected) == 5
    strictest = simulated.enrolments.get(number=2).pseudonym
    assert found.rows[0].found.evaluator == strictest
    values = [row.found.severity for row in found.rows]
    assert values == sorted(values, reverse=True)
    for row in found.rows:
        assert row.found.severity == pytest.approx(expected[row.found.evaluator].severity, abs=1e-4)
        assert row.found.infit == pytest.approx(expected[row.found.evaluator].infit, abs=1e-3)
        assert 0 <= row.low < row.place < row.high <= 200


def test_page_shows_them_and_names_no_method(simulated: Study, observer: User, client: Client) -> None:
    page = shown(client, PAGE)
    part = page[page.index('id="strictness"') :]
    assert simulated.enrolments.get(number=2).pseudonym in part
    assert re.search(r"<circle cx=\"[\d.]+\"", part)
    assert not any(name in page for name in simulated.study_methods.names().values())
    assert "严格程度" in shown(client, PAGE, "zh-hans")


def test_nothing_is_said_before_two_have_rated(observer: User, simulated: Study, client: Client) -> None:
    Rating.objects.filter(enrolment__number__gt=0).delete()
    assert strictness(simulated) is None
    assert 'id="strictness"' not in shown(client, PAGE)


def test_of_too_many_ratings_the_page_says_so(
    observer: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("annotations.monitoring.strictness.MOST_RATINGS", 10)
    assert "How strict evaluators are cannot be told: there are too many ratings." in shown(client, PAGE)
