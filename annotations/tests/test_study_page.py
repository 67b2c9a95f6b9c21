from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from annotations.models import Enrolment, Study
from annotations.questionnaire.saving import Answer, PageAddress, save_answer
from annotations.recruiting.enrolment import enrol
from annotations.tests.cast import build_study, build_user, placements, shown
from annotations.tests.test_progress import answer_page


def verbs(page: str) -> list[str]:
    """Return what each card of a sub-task offers."""
    return re.findall(r'<a class="subtask-verb"[^>]*> ?(\w+) ?<', page)


def test_a_visitor_is_sent_to_the_log_in(client: Client, study: Study) -> None:
    for path in ("/studies/", "/studies/poems/"):
        assert client.get(path).headers["Location"] == f"/accounts/login/?next={path}"


def test_an_evaluator_sees_the_studies_they_are_enrolled_in(
    as_alice: Client, enrolment: Enrolment, bob: User
) -> None:
    enrol(build_study(slug="other"), bob)
    Study.objects.filter(slug="other").update(title={"en": "Somebody else's"})
    page = shown(as_alice, "/studies/")
    assert "Poems on old themes" in page
    assert "0 of 18 answered" in page
    assert "6 days, 23 hours left" in page
    assert "Somebody else" not in page


def test_an_evaluator_without_a_study_is_told_how_to_begin(as_alice: Client, study: Study) -> None:
    assert "Ask the person who runs the study to enrol you" in shown(as_alice, "/studies/")


def test_a_study_of_others_is_not_found(client: Client, enrolment: Enrolment, bob: User, carol: User) -> None:
    for user in (bob, carol):
        client.force_login(user)
        assert client.get("/studies/poems/").status_code == 404


@pytest.mark.parametrize("source", [Enrolment.Source.SIMULATED, Enrolment.Source.IMPORTED])
def test_an_enrolment_that_is_no_questionnaire_is_not_shown(
    as_alice: Client, study: Study, alice: User, source: Enrolment.Source
) -> None:
    enrol(study, alice, source=source)
    assert as_alice.get("/studies/poems/").status_code == 404
    assert "Poems on old themes" not in shown(as_alice, "/studies/")


def test_staff_find_every_study_and_from_it_the_results(client: Client, study: Study, carol: User) -> None:
    client.force_login(carol)
    assert 'href="/manage/studies/poems/"' in shown(client, "/studies/")
    assert 'href="/studies/poems/results/"' in shown(client, "/manage/studies/poems/")


def test_an_evaluator_is_shown_no_results(as_alice: Client, enrolment: Enrolment) -> None:
    page = shown(as_alice, "/studies/").lower()
    assert "studies that you run" not in page
    assert "results" not in page


def test_a_new_study_shows_instructions_and_starts_at_the_first_page(
    as_alice: Client, enrolment: Enrolment
) -> None:
    page = shown(as_alice, "/studies/poems/")
    assert "Read the four poems, rate each of them, then pick the best one." in page
    assert re.search(r'<a class="button" href="/studies/poems/subtasks/1/pages/1/"> ?Start ?</a>', page)
    assert ">0 / 18<" in page


def test_the_deadline_is_machine_readable(as_alice: Client, enrolment: Enrolment) -> None:
    assert f'<time datetime="{enrolment_deadline(enrolment)}">' in shown(as_alice, "/studies/poems/")


def enrolment_deadline(enrolment: Enrolment) -> str:
    enrolment.refresh_from_db()
    return enrolment.deadline.isoformat()


def test_an_evaluator_continues_on_the_first_page_with_something_missing(
    as_alice: Client, study: Study, enrolment: Enrolment, alice: User
) -> None:
    answer_page(study, alice, page=1)
    page = shown(as_alice, "/studies/poems/")
    assert re.search(r'href="/studies/poems/subtasks/1/pages/2/"> ?Continue where you stopped ?</a>', page)
    assert ">9 / 18<" in page
    assert verbs(page) == ["Continue"]


def test_every_subtask_has_a_card_with_one_verb(as_alice: Client, alice: User) -> None:
    study = build_study(prompts=6, pages_per_subtask=2)
    enrol(study, alice)
    for number in (1, 2):
        answer_page(study, alice, subtask=1, page=number)
    save_answer(alice, PageAddress("poems", 2, 1), Answer(placements(study, alice, subtask=2)[0].token, 1))
    page = shown(as_alice, "/studies/poems/")
    assert verbs(page) == ["Review", "Continue", "Start"]


def test_a_finished_study_says_so(as_alice: Client, study: Study, enrolment: Enrolment, alice: User) -> None:
    for number in (1, 2):
        answer_page(study, alice, page=number)
    page = shown(as_alice, "/studies/poems/")
    assert "You have finished. Thank you." in page
    assert "Continue where you stopped" not in page


def test_after_the_deadline_nothing_can_be_continued(as_alice: Client, enrolment: Enrolment) -> None:
    Enrolment.objects.update(deadline=timezone.now() - timedelta(seconds=1))
    page = shown(as_alice, "/studies/poems/")
    assert "The time for this study is over." in page
    assert verbs(page) == ["Review"]


def test_a_reader_of_chinese_gets_chinese(as_alice: Client, enrolment: Enrolment) -> None:
    page = shown(as_alice, "/studies/poems/", language="zh-hans")
    assert '<html lang="zh-hans">' in page
    assert "古题新诗" in page
    assert "请读四首诗" in page
    assert "Start" not in page


def test_the_language_is_switched_by_a_button_and_kept(as_alice: Client, enrolment: Enrolment) -> None:
    as_alice.post("/accounts/language/", {"language": "zh-hans", "next": "/studies/poems/"})
    assert "古题新诗" in shown(as_alice, "/studies/poems/")


def test_the_pages_take_constant_queries(
    as_alice: Client, alice: User, django_assert_num_queries: Any
) -> None:
    for slug, prompts in (("small", 1), ("large", 24)):
        enrol(build_study(slug=slug, prompts=prompts), alice)
        with django_assert_num_queries(3):  # session with user, enrolment, progress
            as_alice.get(f"/studies/{slug}/")
        # session with user, enrolments, progress, studies that they run, permissions of their own and of their groups
        with django_assert_num_queries(6):
            as_alice.get("/studies/")


def test_the_list_for_staff_takes_constant_queries(
    client: Client, study: Study, django_assert_num_queries: Any
) -> None:
    client.force_login(build_user("dora", is_staff=True))
    for slug in ("one", "two", "three"):
        with django_assert_num_queries(3):
            client.get("/studies/")
        build_study(slug=slug, prompts=1)
