"""The data sheet as the file that the public form of HEDS 3.0 loads."""

from __future__ import annotations

import json
from io import StringIO

from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from annotations.data_sheet import heds_form
from annotations.models import Enrolment, Study, StudyRole
from annotations.plan.plan import lock_plan
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import answer_everything

DESIGN = "heds-sample_evaluators_design"
RESPONSE = "heds-criteria-criterion-response_elicitation"


def test_a_question_in_words_holds_its_answer_and_its_number(study: Study, enrolment: Enrolment) -> None:
    form, _left = heds_form(study)
    assert form[f"{DESIGN}-evaluators-number_of_evaluators"] == {
        "data": {"": "0"},
        "control": {},
        "number": "3.2.1",
    }
    assert form[f"{DESIGN}-sample-number_of_system_outputs"]["data"] == {"": "2, one for each prompt."}


def test_an_option_is_ticked_in_a_field_of_its_own(study: Study) -> None:
    form, _left = heds_form(study)
    # The field of a language is one further than its number on the form.
    assert form["heds-system-output_languages-30"] == {
        "data": {"": True},
        "control": {},
        "text": {"": "29. Chinese"},
        "number": "2.5",
    }
    assert form[f"{DESIGN}-experimental_design-experimental_conditions-1"]["data"] == {"": True}


def test_a_language_that_the_form_is_not_known_to_have_stands_in_words(study: Study) -> None:
    Study.objects.update(text_language="gsw")
    study.refresh_from_db()
    form, _left = heds_form(study)
    assert form["heds-system-output_languages-185"]["data"] == {"": True}
    assert form["heds-system-output_languages-other_text"]["data"][""]


def test_each_criterion_is_a_tab_with_its_answers(study: Study) -> None:
    form, _left = heds_form(study)
    tabs = form["heds-criteria-criterion"]
    names = list(tabs["control"])
    assert names[1:] == ["Overall", "Best text of a page"]
    # One tab is in front.
    assert list(tabs["control"].values()) == [True, False, False]
    assert form[f"{RESPONSE}-size_of_scale"]["data"]["Overall"] == "10"
    assert form[f"{RESPONSE}-form_of_response-2"]["data"] == {names[0]: True, "Overall": True}
    assert form[f"{RESPONSE}-form_of_response-3"]["data"] == {"Best text of a page": True}


def test_every_field_is_one_that_the_form_can_load(study: Study, enrolment: Enrolment, bob: User) -> None:
    lock_plan(study, staff=None, primary_criterion=study.criteria.get(is_overall=True), planned_evaluators=12)
    answer_everything(enrolment, best_method=1)
    answer_everything(enrol(study, bob), best_method=1)
    form, _left = heds_form(study)
    criteria = set(form["heds-criteria-criterion"]["control"])
    for name, field in form.items():
        assert name.startswith("heds-") and {"data", "control"} <= field.keys(), name
        assert set(field["data"]) <= (criteria if name.startswith("heds-criteria") else {""}), name
        if "text" in field and field["data"]:
            assert set(field["text"]) == set(field["data"]) and set(field["data"].values()) == {True}, name
    assert "SHA-256" in form[f"{DESIGN}-experimental_design-preregistered-other_text"]["data"][""]
    assert form[f"{RESPONSE}-inter_annotator-agreement_score"]["data"]["Overall"].startswith("1.00")


def test_what_only_the_authors_know_stays_for_them(study: Study) -> None:
    form, left = heds_form(study)
    assert {"1.1.1", "1.3.1.1", "3.2.2.1", "3.2.2.4", "4.1.1", "4.3.1.2", "5.1", "5.4"} <= set(left)
    assert not {"2.5", "3.1.1", "3.2.1", "3.3.5", "4.2.1", "4.3.3"} & set(left)
    assert not any(name.startswith(("heds-paper", "heds-ethics-review")) for name in form)


def test_page_api_and_command_give_the_same_file(study: Study, client: Client, bob: User) -> None:
    form, left = heds_form(study)
    StudyRole.objects.create(study=study, user=bob, role=StudyRole.Role.ANALYST)
    client.force_login(bob)
    response = client.get(f"/studies/{study.slug}/heds.json")
    assert response.json() == form
    assert response["Content-Disposition"] == f'attachment; filename="{study.slug}-heds.json"'
    found = client.get(f"/api/v1/studies/{study.slug}/heds/").json()
    assert (found["form"], found["left"]) == (form, list(left))
    output, said = StringIO(), StringIO()
    call_command("export_heds", study.slug, "--format", "json", stdout=output, stderr=said)
    assert json.loads(output.getvalue()) == form
    assert said.getvalue() == f"Questions that only you can answer: {', '.join(left)}\n"
