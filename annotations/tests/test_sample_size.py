"""A study's size is planned before its launch: what power so many evaluators and prompts have."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotations.access.roles import give_role
from annotations.models import Study, StudyRole
from annotations.plan.simulation import Effects, simulate_ratings
from annotations.sample_size.sizing import sizing, spread_found, usual_spread
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import build_study, build_user, shown
from generation.refusals import Refused
from stats.mixed import VarianceComponents

PAGE = "/manage/studies/poems/sample-size/"


@pytest.fixture
def draft(db: None) -> Study:
    study = build_study(prompts=20)
    Study.objects.update(state="draft")
    return study


@pytest.fixture
def owner(draft: Study) -> Client:
    user, client = build_user("dora"), Client()
    give_role(draft, user, StudyRole.Role.OWNER, by=None)
    client.force_login(user)
    return client


def test_the_page_answers_before_anything_is_asked(owner: Client) -> None:
    page = shown(owner, PAGE)
    assert re.search(r"Power 0\.\d\d</h2>", page)
    assert "finds it with a chance of" in page
    assert re.search(
        r'<img src="data:image/svg\+xml[^"]+" alt="10 prompts: power 0\.\d\d with 4 evaluators', page
    )
    assert page.count('<th scope="row">') >= 8
    assert "检验功效" in shown(owner, PAGE, "zh-hans")


def test_more_evaluators_have_more_power_and_the_numbers_go_into_the_plan(owner: Client) -> None:
    asked = "criterion=overall&difference=1&spread=usual&prompts=20&evaluators="
    powers = [
        float(re.findall(r"Power ([\d.]+)</h2>", shown(owner, f"{PAGE}?{asked}{number}"))[0])
        for number in (4, 12, 40)
    ]
    assert powers == sorted(set(powers))
    plan = re.findall(r'href="(/studies/poems/plan/\?[^"]+)"', shown(owner, f"{PAGE}?{asked}15"))[0]
    form = shown(owner, plan.replace("&amp;", "&"))
    assert re.search(r'name="planned_evaluators" value="15"', form)
    assert re.search(r'name="planned_effect" value="1.0"', form)


def test_the_size_needed_is_that_of_the_paper_on_crossed_designs(draft: Study) -> None:
    """Westfall, Kenny and Judd (2014): with few prompts no number of evaluators reaches a power of .8."""
    components = VarianceComponents(evaluator=0.5, prompt=4.0, residual=1.0)
    few = sizing(components, evaluators=10, prompts=5, difference=1)
    assert few.evaluators_needed is None
    assert few.prompts_needed is not None


def test_a_finished_study_gives_the_spread_to_those_who_may_analyse_it(owner: Client, draft: Study) -> None:
    pilot = build_study(slug="pilot", prompts=12)
    simulate_ratings(pilot, evaluators=8, seed=1, effects=Effects(liking=0.1, luck=0.1, noise=0.5))
    close_study(pilot)
    assert "Poems on old themes”</option>" not in shown(owner, PAGE)
    give_role(pilot, User.objects.get(username="dora"), StudyRole.Role.ANALYST, by=None)
    assert '<option value="pilot">as in “Poems on old themes”</option>' in shown(owner, PAGE)
    asked = "criterion=overall&difference=1&prompts=20&evaluators=6&spread="
    usual, found = (
        float(re.findall(r"Power ([\d.]+)</h2>", shown(owner, f"{PAGE}?{asked}{spread}"))[0])
        for spread in ("usual", "pilot")
    )
    # Its evaluators vary much less than those of the published study.
    assert found > usual
    overall = draft.criteria.get(key="overall")
    assert spread_found(pilot, overall).total < usual_spread(overall).total


def test_a_study_without_ratings_has_no_spread(owner: Client, draft: Study) -> None:
    empty = build_study(slug="empty")
    close_study(empty)
    with pytest.raises(Refused, match="No spread can be estimated"):
        spread_found(empty, draft.criteria.get(key="overall"))
    give_role(empty, User.objects.get(username="dora"), StudyRole.Role.OWNER, by=None)
    page = shown(owner, f"{PAGE}?spread=empty")
    assert "No spread can be estimated from “Poems on old themes”." in page


def test_what_cannot_be_is_said_at_its_field(owner: Client) -> None:
    page = shown(owner, f"{PAGE}?difference=9&evaluators=1")
    assert "It must be less than the whole scale, 9 points." in page
    assert '<a href="#id_evaluators">' in page
    assert "</h2> <p> If two" not in page


def test_the_steps_of_the_set_up_lead_to_plan_and_size(owner: Client, django_assert_num_queries: Any) -> None:
    page = shown(owner, "/manage/studies/poems/")
    assert f'href="{PAGE}"' in page
    assert "Plan, sample size and rehearsal" in page
