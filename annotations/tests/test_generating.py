"""Texts that workers write join their study once all are there, and never one that people rate already."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from annotations.imports.studies import create_once
from annotations.models import PageCandidate, Study, StudyRun
from annotations.plan.plan import lock_plan
from annotations.recruiting.enrolment import enrol
from annotations.setup.lifecycle import close_study, material_obstacles
from annotations.setup.material import material_checks
from annotations.setup.rubrics import RubricCriterion
from annotations.setup.runs import add_finished_runs, add_run, start_run
from annotations.tests.cast import build_study, shown
from generation.models import Candidate, GenerationRun, Worker
from generation.orders import OrderRefused, ScoredText, Written
from generation.prompts import PromptContent
from generation.refusals import Refused
from generation.runs.claiming import claim, give_up, record
from generation.runs.runs import ImportedText

METHOD = "inverse_prompting"
URL = "/manage/studies/poems/runs/"
CRITERION: dict[str, Any] = {
    "key": "overall",
    "label": {"en": "Overall", "zh-hans": "总体"},
    "question": {"en": "How good?", "zh-hans": "多好？"},
    "low": {"en": "poor", "zh-hans": "差"},
    "high": {"en": "good", "zh-hans": "好"},
    "minimum": 1,
    "maximum": 5,
    "is_overall": True,
}


def write_all(text: Callable[[int], str] = lambda number: f"新诗第{number}首。") -> None:
    """Hand in a text for everything that waits, as workers do."""
    number = 0
    while claimed := claim("generate"):
        number += 1
        record(claimed, Written(ScoredText(text(number), 0.0, {}, ())))


@pytest.fixture
def staff(client: Client, carol: User) -> Client:
    client.force_login(carol)
    return client


def methods(study: Study) -> list[str]:
    return list(study.study_methods.values_list("method__key", flat=True))


def test_finished_run_joins_its_study_as_the_last_method(study: Study) -> None:
    study_run = start_run(study, METHOD, seed=3)
    assert study_run.run.run_prompts.count() == 2
    write_all()
    add_finished_runs()
    assert methods(study) == ["method-0", "method-1", "method-2", "method-3", METHOD]
    joined = PageCandidate.objects.filter(page__subtask__study=study, study_method__method__key=METHOD)
    assert {one.candidate_id for one in joined} == set(study_run.run.candidates.values_list("pk", flat=True))
    study_run.refresh_from_db()
    assert study_run.added_at
    add_finished_runs()
    add_run(study_run)
    assert joined.count() == 2, "twice is once"


def test_evaluators_see_the_texts_that_joined(study: Study, alice: User, client: Client) -> None:
    start_run(study, METHOD)
    write_all()
    add_finished_runs()
    enrol(study, alice)
    client.force_login(alice)
    assert "新诗第1首。" in shown(client, "/studies/poems/subtasks/1/pages/1/")


def test_run_that_is_not_finished_joins_nothing(study: Study) -> None:
    study_run = start_run(study, METHOD)
    claimed = claim("generate")
    assert claimed
    record(claimed, Written(ScoredText("新诗。", 0.0, {}, ())))
    add_finished_runs()
    assert METHOD not in methods(study)
    with pytest.raises(Refused, match="Not all texts"):
        add_run(study_run)


def test_run_with_a_failed_prompt_joins_nothing(study: Study) -> None:
    start_run(study, METHOD)
    claimed = claim("generate")
    assert claimed
    give_up(claimed, OrderRefused("title: too long"))
    write_all()
    add_finished_runs()
    assert METHOD not in methods(study)


def test_study_with_evaluators_takes_no_run(study: Study, alice: User) -> None:
    enrol(study, alice)
    with pytest.raises(Refused, match="Evaluators are enrolled already"):
        start_run(study, METHOD)
    assert not GenerationRun.objects.filter(method__key=METHOD).exists()


def test_study_that_got_evaluators_meanwhile_stays_as_it_is(study: Study, alice: User) -> None:
    study_run = start_run(study, METHOD)
    enrol(study, alice)
    write_all()
    add_finished_runs()
    assert METHOD not in methods(study)
    study_run.refresh_from_db()
    assert study_run.refused_at
    with pytest.raises(Refused, match="enrolled"):
        add_run(study_run)


def test_closed_study_takes_no_run(study: Study) -> None:
    close_study(study)
    with pytest.raises(Refused, match="closed"):
        start_run(study, METHOD)


def test_study_with_a_locked_plan_takes_no_run(study: Study) -> None:
    lock_plan(study, staff=None, primary_criterion=study.criteria.get(key="overall"))
    with pytest.raises(Refused, match="The analysis plan is locked"):
        start_run(study, METHOD)


def test_method_is_taken_once(study: Study) -> None:
    start_run(study, METHOD)
    with pytest.raises(Refused, match="under way"):
        start_run(study, METHOD)
    write_all()
    add_finished_runs()
    with pytest.raises(Refused, match="has texts by Inverse prompting already"):
        start_run(study, METHOD)


def test_full_page_takes_no_further_method(db: None) -> None:
    study = build_study(methods=26)
    with pytest.raises(Refused, match="no page can show more"):
        start_run(study, METHOD)


def test_text_that_another_method_wrote_too_joins_and_is_counted(study: Study) -> None:
    study_run = start_run(study, METHOD)
    same = Candidate.objects.filter(prompt=study_run.run.run_prompts.get(number=1).prompt).first()
    assert same
    Candidate.objects.filter(pk=same.pk).update(text="新诗第1首。")
    write_all()
    add_finished_runs()
    assert METHOD in methods(study)
    checks = material_checks(study)
    assert [(one.text, one.times) for one in checks.same_texts] == [("新诗第1首。", 2)]
    assert material_obstacles(study, checks) == []


def test_import_of_the_same_file_is_still_known_after_a_run_joined(study: Study) -> None:
    criteria = [RubricCriterion(**CRITERION)]
    texts = [
        ImportedText(PromptContent(f"题{page}"), method, f"{method}{page}")
        for page in (1, 2)
        for method in ("a", "b")
    ]
    made = Study(slug="again", title={"en": "Again"})
    first, is_new = create_once(made, "poem", criteria, texts, source={"sha256": "ab"})
    assert is_new
    start_run(first, METHOD)
    write_all()
    add_finished_runs()
    second, is_new = create_once(
        Study(slug="again", title={"en": "Again"}), "poem", criteria, texts, source={"sha256": "ab"}
    )
    assert (second, is_new) == (first, False)


def sent(**changed: Any) -> dict[str, Any]:
    return {"method": METHOD, "model": "", "preset": "", "seed": "11"} | changed


def test_run_is_started_on_the_page_of_its_study(study: Study, staff: Client, carol: User) -> None:
    assert f'href="{URL}"' in shown(staff, "/studies/poems/results/")
    response = staff.post(URL, sent(preset="poem_evaluation"))
    run = GenerationRun.objects.get(method__key=METHOD)
    assert response.headers["Location"] == run.get_absolute_url()
    assert (run.seed, run.preset, run.started_by) == (11, "poem_evaluation", carol)
    page = shown(staff, URL)
    assert "0 of 2" in page
    assert "when all texts are written" in page
    write_all()
    add_finished_runs()
    page = shown(staff, URL)
    assert "2 of 2" in page
    assert re.search(r'<td class="sentence">\s*yes\s*</td>', page)
    assert f'name="method" value="{METHOD}"' not in page


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "human"},
        {"method": "method-0"},
        {"seed": "-1"},
        {"seed": ""},
        {"model": "../x"},
        {"preset": "x"},
    ],
)
def test_form_takes_nothing_else(study: Study, staff: Client, wrong: dict[str, str]) -> None:
    response = staff.post(URL, sent(**wrong))
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert "The run was not started" in response.content.decode()
    assert not StudyRun.objects.exists()


def test_model_of_a_living_worker_can_be_chosen(study: Study, staff: Client) -> None:
    Worker.objects.report("gpu@test", queues=["generate-large"])
    assert '<option value="large">' in shown(staff, URL)
    staff.post(URL, sent(model="large"))
    assert GenerationRun.objects.get(method__key=METHOD).queue == "generate-large"


def test_study_with_evaluators_says_why_it_takes_no_run(study: Study, staff: Client, alice: User) -> None:
    enrol(study, alice)
    page = shown(staff, URL)
    assert "This study takes no further method. Evaluators are enrolled already" in page
    assert "Start the run" not in page
    response = staff.post(URL, sent())
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert "Evaluators are enrolled already" in response.content.decode()


def test_run_that_was_kept_out_can_be_added_once_nothing_is_in_the_way(
    study: Study, staff: Client, alice: User
) -> None:
    study_run = start_run(study, METHOD)
    enrolment = enrol(study, alice)
    write_all()
    add_finished_runs()
    assert "no: Evaluators are enrolled already" in shown(staff, URL)
    address = f"{URL}{study_run.run.uuid}/add/"
    assert "Evaluators are enrolled already" in staff.post(address, follow=True).content.decode()
    enrolment.delete()
    assert "Add the texts to the study" in shown(staff, URL)
    assert "The texts are in the study." in staff.post(address, follow=True).content.decode()
    assert METHOD in methods(study)


def test_nobody_else_can_start_or_add_a_run(study: Study, as_alice: Client) -> None:
    study_run = start_run(study, METHOD)
    assert as_alice.get(URL).status_code == HTTPStatus.NOT_FOUND
    assert as_alice.post(URL, sent()).status_code == HTTPStatus.NOT_FOUND
    assert as_alice.post(f"{URL}{study_run.run.uuid}/add/").status_code == HTTPStatus.NOT_FOUND
    assert StudyRun.objects.count() == 1


def test_run_of_another_study_is_not_found(study: Study, staff: Client) -> None:
    study_run = start_run(build_study(slug="others"), METHOD)
    assert staff.post(f"{URL}{study_run.run.uuid}/add/").status_code == HTTPStatus.NOT_FOUND


def test_page_costs_the_same_with_many_runs(
    study: Study, staff: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in (1, 8):
        for _ in range(number):
            study_run = start_run(study, METHOD)
            GenerationRun.objects.filter(pk=study_run.run_id).update(state="done")
            StudyRun.objects.filter(pk=study_run.pk).update(refused_at=Now())
        with django_assert_num_queries(13):
            page = shown(staff, URL)
    assert page.count("Add the texts to the study") == 9


def generate(*words: str) -> str:
    output = io.StringIO()
    call_command("generate_candidates", "poems", *words, stdout=output, stderr=output)
    return output.getvalue()


def test_command_queues_a_run_and_says_that_nobody_takes_it(study: Study) -> None:
    said = generate("--method", METHOD, "--seed", "4")
    run = GenerationRun.objects.get(method__key=METHOD)
    assert f"poems: 2 texts by {METHOD} are queued, see {run.get_absolute_url()}" in said
    assert "No worker that takes the queue generate has reported for 45 seconds; 2 texts wait." in said
    assert run.seed == 4


def test_command_waits_until_the_texts_are_in_the_study(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: write_all())
    assert "All texts are written and in the study poems." in generate("--method", METHOD, "--wait")
    assert METHOD in methods(study)


def test_command_tells_what_went_wrong(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_all(seconds: float) -> None:
        while claimed := claim("generate"):
            give_up(claimed, OrderRefused("title: too long"))

    monkeypatch.setattr(time, "sleep", fail_all)
    with pytest.raises(
        CommandError, match=r"has ended: failed\n  poems 古题 1: title: too long\n  poems 古题 2"
    ):
        generate("--method", METHOD, "--wait")


def test_command_refuses_what_the_page_refuses(study: Study, alice: User) -> None:
    with pytest.raises(CommandError, match=r"poems: \.\./x is no name of a model"):
        generate("--method", METHOD, "--model", "../x")
    with pytest.raises(CommandError, match="invalid choice: 'human'"):
        generate("--method", "human")
    enrol(study, alice)
    with pytest.raises(CommandError, match="poems: Evaluators are enrolled already"):
        generate("--method", METHOD)
    with pytest.raises(CommandError, match="nothing-here: no such study"):
        call_command("generate_candidates", "nothing-here", method=METHOD)


def test_question_that_no_model_can_answer_starts_nothing(db: None) -> None:
    study = build_study(genre="qa")
    with pytest.raises(Refused, match="none comes with the site for Chinese prose"):
        start_run(study, METHOD)
    assert not StudyRun.objects.exists()
