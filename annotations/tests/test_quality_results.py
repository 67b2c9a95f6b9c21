"""What checks say of evaluators, that none of it counts, and the results without those who are flagged."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotations.models import (
    AnswerChange,
    BestChoice,
    Criterion,
    Enrolment,
    EvaluatorGroup,
    Judgement,
    Page,
    PageEvent,
    Placement,
    Rating,
    Study,
)
from annotations.monitoring.evaluator_sums import study_sums
from annotations.questionnaire.events import LONGEST_SECONDS, MOST_EVENTS
from annotations.recruiting.enrolment import enrol
from annotations.results.answer_rows import answer_count, answers
from annotations.results.judgements.rows import judgement_count, judgement_rows
from annotations.results.rating_table import rating_table
from annotations.results.report import study_report
from annotations.results.report_formats import export
from annotations.setup.lifecycle import close_study, launch
from annotations.setup.quality.declaration import Declaration, DeclaredAnswer, DeclaredPage, declare
from annotations.tests.cast import build_study, build_user

pytestmark = pytest.mark.django_db


def checked_study(**fields: Any) -> Study:
    """Return a launched study of nine counted pages, a known answer that method 1 scores low, and a repeat."""
    study = build_study(prompts=10, methods=2)
    Study.objects.filter(pk=study.pk).update(
        state="draft", launched_at=None, signed_off_at="2026-01-01T00:00Z", **fields
    )
    study.refresh_from_db()
    known = DeclaredPage(
        "1/10", "known", (DeclaredAnswer("method-1", "overall", 0 if fields else 1, 0 if fields else 3),)
    )
    declare(study, Declaration({"repeats_per_subtask": 1, "has_flags": True}, (known,)), by=None)
    launch(study, by=None, without_plan=True)
    return study


def answer(enrolment: Enrolment, *, known: int = 2, again: int = 0, straight: bool = False) -> None:
    """Answer every page: method 1 is two points better, but on the known page; `again` is added on the repeat."""
    criteria = list(Criterion.objects.filter(study=enrolment.study))
    placed = Placement.objects.filter(enrolment=enrolment).select_related("page")
    rows, best = [], []
    for one in placed:
        method = one.candidate.pagecandidate_set.get().study_method.number
        score = 2 + one.page_id % 2 + 2 * method
        if one.page.role == Page.Role.REPEAT and one.page.repeats_id:
            score = 2 + one.page.repeats_id % 2 + 2 * method + again
        if one.page.role == Page.Role.KNOWN and method == 1:
            score = known
        for criterion in criteria:
            points = min(score, criterion.maximum)
            if straight:
                points = criterion.maximum
            rows.append(
                Rating(enrolment=enrolment, candidate_id=one.candidate_id, criterion=criterion, score=points)
            )
        is_best = method == 1 if one.page.role != Page.Role.KNOWN or known > 2 else method == 0
        if is_best:
            best.append(BestChoice(enrolment=enrolment, page=one.page, candidate_id=one.candidate_id))
    Rating.objects.bulk_create(rows)
    BestChoice.objects.bulk_create(best)


@pytest.fixture
def study(db: None) -> Study:
    return checked_study()


@pytest.fixture
def people(study: Study) -> list[Enrolment]:
    """Eight evaluators, of whom the first misses the known answer and the second rates everything alike."""
    found = [enrol(study, build_user(f"evaluator-{number}")) for number in range(8)]
    for number, enrolment in enumerate(found):
        answer(enrolment, known=6 if number == 0 else 2, again=1 if number == 2 else 0, straight=number == 1)
    return found


def test_checks_are_in_no_result(study: Study, people: list[Enrolment]) -> None:
    close_study(study)
    table = rating_table(study)
    assert len(table.prompts) == 9
    assert len(table) == 8 * 9 * 2 * 2
    report = study_report(study)
    assert report.study.prompts == 9
    assert report.participants.valid == 8
    rows = list(answers(study))
    assert len(rows) == answer_count(study) == 8 * 9 * (2 * 2 + 1)
    assert {sums.pages for sums in study_sums(study).evaluators} == {9}
    assert {sums.asked for sums in study_sums(study).evaluators} == {45}


def test_known_answers_are_counted_by_evaluator_and_flag_whoever_misses_them(
    study: Study, people: list[Enrolment]
) -> None:
    quality = study_report(study).quality
    assert quality is not None
    assert [(one.known, one.known_right) for one in quality.evaluators] == [(1, 0), (1, 0), *[(1, 1)] * 6]
    assert "known answers" in quality.evaluators[0].flags
    assert quality.evaluators[2].flags == ()


def test_straight_lines_are_those_at_the_same_part_of_every_scale(
    study: Study, people: list[Enrolment]
) -> None:
    quality = study_report(study).quality
    assert quality is not None
    assert (quality.evaluators[1].straight, quality.evaluators[1].rated) == (9, 9)
    assert quality.evaluators[0].straight == 0
    assert "straight lines" in quality.evaluators[1].flags


def test_agreement_with_oneself_is_that_of_the_repeat_with_the_first_showing(
    study: Study, people: list[Enrolment]
) -> None:
    quality = study_report(study).quality
    assert quality is not None
    of_all, of_third = (
        next(one for one in quality.self_agreement if (one.criterion, one.evaluator) == ("overall", name))
        for name in ("", "E003")
    )
    # Eight evaluators scored two texts twice; the third gave both a point more the second time.
    assert (of_all.texts, of_all.identical, of_all.mean_difference) == (16, 14 / 16, 2 / 16)
    assert (of_third.texts, of_third.identical, of_third.mean_difference) == (2, 0, 1)
    assert of_third.kappa == pytest.approx(1 - 1 / 3)


def test_every_result_stands_beside_the_one_without_whoever_is_flagged(
    study: Study, people: list[Enrolment]
) -> None:
    close_study(study)
    report = study_report(study)
    quality, analysis = report.quality, report.analysis
    assert quality is not None
    assert analysis is not None
    assert quality.flagged == ("E001", "E002")
    assert analysis.evaluators == 8
    by_criterion = {one.criterion: one for one in quality.without_flagged}
    assert by_criterion["overall"].crossed.evaluators == 6
    assert by_criterion["overall"].estimate == pytest.approx(2)
    assert analysis.comparison("overall", "method-0", "method-1").estimate == pytest.approx(2 * 7 / 8)
    for file_format in ("html", "json", "csv", "xlsx"):
        assert export(report, file_format)
    plain = json.loads(export(report, "json"))["quality"]
    assert plain["flagged"] == ["E001", "E002"]
    rows = list(csv.DictReader(io.StringIO(export(report, "csv").decode("utf-8-sig"))))
    tables = {row["table"] for row in rows}
    assert {
        "quality.E001.known_right",
        "self_agreement.all.kappa",
        "without_flagged.difference.estimate",
    } <= tables
    html = export(report, "html").decode()
    assert "The quality control was declared before the launch." in html
    assert "2 evaluators are flagged" in html


def test_a_study_that_declares_nothing_has_no_such_section() -> None:
    report = study_report(build_study())
    assert report.quality is None
    assert report.as_dict()["quality"] is None


@pytest.mark.parametrize("protocol", ["pairwise", "ranking"])
def test_pages_that_are_judged_as_a_whole_are_checked_too(protocol: str) -> None:
    study = checked_study(protocol=protocol, has_best_picks=False)
    enrolments = [enrol(study, build_user(f"evaluator-{number}")) for number in range(2)]
    for number, enrolment in enumerate(enrolments):
        placed = (
            Placement.objects.filter(enrolment=enrolment).select_related("page").order_by("page", "position")
        )
        for page in Page.objects.filter(subtask__study=study):
            methods = [
                one.candidate.pagecandidate_set.get().study_method.number
                for one in placed
                if one.page_id == page.pk
            ]
            # The first prefers method 0, which is right on the known page; the second method 1.
            liked = methods.index(number)
            said = (
                {"preference": 1 if liked else -1}
                if protocol == "pairwise"
                else {"places": [liked, 1 - liked]}
            )
            for criterion in study.criteria.all():
                Judgement.objects.create(enrolment=enrolment, page=page, criterion=criterion, **said)
    quality = study_report(study).quality
    assert quality is not None
    assert [(one.known, one.known_right) for one in quality.evaluators] == [(1, 1), (1, 0)]
    assert quality.self_agreement[0].identical == 1
    close_study(study)
    assert judgement_count(study) == 2 * 9 * 2
    assert len(list(judgement_rows(study))) == 2 * 9 * 2 * 2


def send(client: Client, fields: object, page: int = 1) -> int:
    path = f"/studies/poems/subtasks/1/pages/{page}/events/"
    return client.post(path, json.dumps(fields), content_type="application/json").status_code


def test_events_of_a_page_are_kept_once_and_flag_whoever_has_many(
    study: Study, people: list[Enrolment]
) -> None:
    client = Client()
    client.force_login(people[3].evaluator)
    assert "data-events-url" in client.get("/studies/poems/subtasks/1/pages/1/").content.decode()
    for page in (1, 2, 3, 4):
        for _ in range(2):
            assert send(client, {"kind": "left", "order": 7, "seconds": 30.5}, page) == 204
    assert send(client, {"kind": "pasted", "order": 9}) == 204
    assert PageEvent.objects.count() == 5
    AnswerChange.objects.create(
        enrolment=people[4], page=Page.objects.counted()[0], candidate=people[4].placements.all()[0].candidate,
        client_order=1, seconds_on_page=2,
    )  # fmt: skip
    quality = study_report(study).quality
    assert quality is not None
    one = quality.evaluators[3]
    assert (one.left, one.seconds_away, one.pasted) == (4, 122.0, 1)
    assert one.flags == ("left", "pasted")
    assert quality.evaluators[4].flags == ("hasty",)


NO_EVENTS: list[object] = [
    {},
    [],
    {"kind": "read", "order": 1},
    {"kind": "left", "order": 1},
    {"kind": "left", "order": 1, "seconds": -1},
    {"kind": "pasted", "order": 1, "seconds": 2},
    {"kind": "pasted", "order": -1},
    {"kind": "pasted", "order": True},
]


@pytest.mark.parametrize("fields", NO_EVENTS)
def test_what_is_no_event_is_refused(study: Study, people: list[Enrolment], fields: object) -> None:
    client = Client()
    client.force_login(people[0].evaluator)
    assert send(client, fields) == 400
    assert not PageEvent.objects.exists()


def test_an_event_that_nests_deeper_than_the_parser_goes_or_lasts_longer_than_a_number_is_no_failure(
    study: Study, people: list[Enrolment]
) -> None:
    client = Client()
    client.force_login(people[0].evaluator)
    path = "/studies/poems/subtasks/1/pages/1/events/"
    deep = b"[" * 100_000
    assert client.post(path, deep, content_type="application/json").status_code == 400
    assert send(client, {"kind": "left", "order": 1, "seconds": 10**400}) == 204
    assert PageEvent.objects.get().seconds == LONGEST_SECONDS


def test_events_are_kept_of_ones_own_pages_alone_and_so_many(
    study: Study, people: list[Enrolment], django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    stranger = Client()
    stranger.force_login(build_user("stranger"))
    send(stranger, {"kind": "pasted", "order": 1})
    assert not PageEvent.objects.exists()
    client = Client()
    client.force_login(people[0].evaluator)
    for order in range(MOST_EVENTS + 2):
        send(client, {"kind": "pasted", "order": order})
    assert PageEvent.objects.count() == MOST_EVENTS
    with django_assert_max_num_queries(4):
        send(client, {"kind": "left", "order": 1, "seconds": 3})
    Study.objects.filter(pk=study.pk).update(state="paused")
    send(client, {"kind": "left", "order": 2, "seconds": 3})
    assert PageEvent.objects.filter(kind="left").count() == 1


def test_a_study_that_declares_no_flags_notes_nothing() -> None:
    study = build_study()
    alice: User = build_user("alice")
    enrol(study, alice)
    client = Client()
    client.force_login(alice)
    assert "events.js" not in client.get("/studies/poems/subtasks/1/pages/1/").content.decode()
    assert send(client, {"kind": "pasted", "order": 1}) == 204
    assert not PageEvent.objects.exists()


def test_those_who_watch_see_checks_while_the_study_runs_and_no_method(
    study: Study, people: list[Enrolment], django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    client = Client()
    client.force_login(build_user("carol", is_staff=True))
    assert "/progress/checks/" in client.get("/manage/studies/poems/progress/").content.decode()
    with django_assert_max_num_queries(29):
        page = client.get("/manage/studies/poems/progress/checks/").content.decode()
    assert "known answers missed, straight lines" in page
    assert "2 evaluators are flagged" in page
    assert "Method 1" not in page
    found = client.get("/api/v1/studies/poems/checks/").json()
    assert found["flagged"] == ["E001", "E002"]
    assert found["without_flagged"] == []
    build_study(slug="bare")
    assert client.get("/manage/studies/bare/progress/checks/").status_code == 404
    assert client.get("/api/v1/studies/bare/checks/").status_code == 404


def test_groups_are_compared_by_their_group_and_by_what_they_chose(
    study: Study, people: list[Enrolment]
) -> None:
    question = {
        "key": "field", "kind": "choice", "label": {"en": "Field"}, "choices": ["letters", "law"], "is_required": True,
    }  # fmt: skip
    Study.objects.filter(pk=study.pk).update(questions=[question])
    experts = EvaluatorGroup.objects.create(study=study, key="experts", name={"en": "Experts"})
    students = EvaluatorGroup.objects.create(study=study, key="students", name={"en": "Students"})
    for number, one in enumerate(people):
        Enrolment.objects.filter(pk=one.pk).update(
            group=experts if number < 4 else students,
            form_answers={"field": ["letters", "law"][number % 2]},
        )
    close_study(Study.objects.get(pk=study.pk))
    report = study_report(Study.objects.get(pk=study.pk))
    by_group, by_field = report.groups
    assert (by_group.name, by_field.name) == ("Group of evaluators", "Field")
    [difference] = by_group.differences
    # One of four experts rates both methods alike, the others method 1 two points higher, as all students do.
    assert difference.groups == ("Experts", "Students")
    assert (difference.first, difference.second) == (1.5, 2)
    assert difference.crossed.estimate == pytest.approx(0.5)
    assert difference.crossed.ci is not None
    assert difference.p_holm == difference.crossed.p
    html = export(report, "html").decode()
    assert "Groups of evaluators compared" in html
    assert "group_difference.Field.law.letters.estimate" in export(report, "csv").decode()
    assert len(report.as_dict()["groups"]) == 2
