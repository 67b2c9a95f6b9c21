"""Staff lock a study's plan on a page, and read it there afterwards."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from annotations.models import AnalysisPlan, Enrolment, Study
from annotations.plan.plan import lock_plan
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import answer_everything

URL = "/studies/poems/plan/"


@pytest.fixture
def staff(client: Client, carol: User) -> Client:
    client.force_login(carol)
    return client


def sent(**changed: Any) -> dict[str, Any]:
    """Return the fields of the form as a browser sends them, with some changed."""
    return {
        "primary_criterion": "overall",
        "comparisons": ["method-0:method-3", "method-1:method-3"],
        "off_scale": "kept",
        "equivalence_margin": "",
        "planned_evaluators": "",
        "planned_prompts": "2",
        "notes": "",
        "is_meant": "on",
    } | changed


def test_the_form_proposes_what_most_studies_plan(study: Study, staff: Client) -> None:
    page = staff.get(URL).content.decode()
    checked = {
        (match["name"], match["value"])
        for tag in re.findall(r"<input[^>]* checked[^>]*>", page)
        if (match := re.search(r'name="(?P<name>[^"]+)" value="(?P<value>[^"]+)"', tag))
    }
    assert {value for name, value in checked if name == "primary_criterion"} == {"overall"}
    assert {value for name, value in checked if name == "off_scale"} == {"kept"}
    assert len([value for name, value in checked if name == "comparisons"]) == 6
    assert re.search(r'name="planned_prompts" value="2"', page)
    assert "more than 20\N{NO-BREAK SPACE}% of the pages inconsistent" in page
    assert "Lock the plan for good." in page


def test_every_field_has_a_name_that_a_screen_reader_says(study: Study, staff: Client) -> None:
    page = staff.get(URL).content.decode()
    labelled = set(re.findall(r'<label for="([^"]+)"', page))
    for tag in re.findall(r"<(?:input|textarea)[^>]*>", page):
        if 'type="hidden"' not in tag and 'type="radio"' not in tag and 'type="checkbox"' not in tag:
            assert re.search(r'id="([^"]+)"', tag)[1] in labelled  # type: ignore[index]
    assert page.count("<legend>") == page.count("<fieldset") == 5


def test_the_plan_that_was_sent_is_locked_and_shown(study: Study, staff: Client, carol: User) -> None:
    fields = sent(equivalence_margin="0.5", planned_evaluators="30", notes="先定后评。")
    response = staff.post(URL, fields, follow=True)
    page = response.content.decode()
    plan = AnalysisPlan.objects.get()
    assert response.redirect_chain == [(URL, 302)]
    assert plan.comparisons == [["method-0", "method-3"], ["method-1", "method-3"]]
    assert (plan.equivalence_margin, plan.planned_evaluators) == (Decimal("0.5"), 30)
    assert (plan.locked_by, plan.off_scale) == (carol, "kept")
    for words in (
        "The plan is locked.",
        "Method 3 − Method 1",
        "0.5 points",
        "先定后评。",
        plan.digest,
        "by carol",
    ):
        assert words in page
    assert f'action="{URL}"' not in page


@pytest.mark.parametrize(
    ("fields", "anchor", "message"),
    [
        ({"comparisons": []}, "id_comparisons", "Choose at least one pair of methods to compare."),
        ({"comparisons": ["method-0:lost"]}, "id_comparisons", "Select a valid choice."),
        ({"primary_criterion": "lost"}, "id_primary_criterion", "Select a valid choice."),
        ({"equivalence_margin": "-1"}, "id_equivalence_margin", "greater than or equal to 0.001"),
        ({"planned_evaluators": "0"}, "id_planned_evaluators", "greater than or equal to 1"),
        ({"planned_prompts": ""}, "id_planned_prompts", "This field is required."),
        ({"is_meant": ""}, "id_is_meant", "Tick the box to lock the plan."),
    ],
)
def test_what_is_wrong_is_said_above_and_at_its_field(
    study: Study, staff: Client, fields: dict[str, Any], anchor: str, message: str
) -> None:
    response = staff.post(URL, sent(**fields))
    page = response.content.decode()
    assert response.status_code == 400
    assert f'<a href="#{anchor}">' in page
    assert f'id="{anchor}"' in page
    assert page.count(message) == 2
    assert not AnalysisPlan.objects.exists()


def test_a_margin_wider_than_the_scale_is_refused(study: Study, staff: Client) -> None:
    response = staff.post(URL, sent(equivalence_margin="9"))
    assert response.status_code == 400
    assert "less than the 9 points of the scale" in response.content.decode()


def test_a_plan_after_the_first_answer_is_refused(study: Study, enrolment: Enrolment, staff: Client) -> None:
    answer_everything(enrolment)
    response = staff.post(URL, sent())
    page = response.content.decode()
    assert response.status_code == 400
    assert "The first answer has been given." in page
    assert "Lock the plan" not in page
    assert not AnalysisPlan.objects.exists()


def test_a_closed_study_offers_no_form(study: Study, staff: Client) -> None:
    close_study(study)
    page = staff.get(URL).content.decode()
    assert "nothing of it changes any more" in page
    assert "Lock the plan" not in page


def test_a_second_plan_is_refused(study: Study, staff: Client) -> None:
    plan = lock_plan(study, staff=None, primary_criterion=study.criteria.get(key="format"))
    response = staff.post(URL, sent())
    assert response.status_code == 400
    assert "locked already" in response.content.decode()
    assert AnalysisPlan.objects.get().digest == plan.digest


def test_nobody_else_finds_the_plan(study: Study, client: Client, alice: User) -> None:
    assert client.get(URL).status_code == 302
    client.force_login(alice)
    assert client.get(URL).status_code == 404
    assert client.post(URL, sent()).status_code == 404
    assert not AnalysisPlan.objects.exists()


def test_a_plan_is_locked_by_a_form_of_this_site_alone(study: Study, carol: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(carol)
    assert strict.post(URL, sent()).status_code == 403
    page = strict.get(URL).content.decode()
    form = page[page.index(f'action="{URL}"') :]
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    assert token
    assert strict.post(URL, sent(csrfmiddlewaretoken=token[1])).status_code == 302


def test_the_results_lead_to_the_plan(study: Study, staff: Client) -> None:
    assert f'href="{URL}"' in staff.get(reverse("annotations:results", args=["poems"])).content.decode()
