"""Known-answer, repeated and training pages stand among the others, and nothing of a page tells which it is."""

from __future__ import annotations

import random
import re
from collections import Counter
from math import sqrt

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client

from annotations.models import Page, PageCandidate, Placement, QualityControl, Study
from annotations.plan.rehearsal import copy_study
from annotations.recruiting.enrolment import enrol
from annotations.setup.quality.layout import FEWEST_BETWEEN, lay_out_checks, with_known, with_repeats
from annotations.tests.cast import build_study, build_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return build_user("alice")


def study_with_checks(*, prompts: int = 24, size: int = 8, known: int = 3, repeats: int = 1) -> Study:
    """Return a study whose last prompts have known answers, laid out as at its launch."""
    study = build_study(prompts=prompts, methods=4, pages_per_subtask=size)
    Study.objects.filter(pk=study.pk).update(prompts_per_subtask=size)
    study.refresh_from_db()
    pages = list(Page.objects.filter(subtask__study=study))
    Page.objects.filter(pk__in=[page.pk for page in pages[-known:]]).update(role=Page.Role.KNOWN)
    QualityControl.objects.create(study=study, repeats_per_subtask=repeats)
    lay_out_checks(study)
    return study


def test_known_answer_pages_are_shared_out_evenly_and_sub_tasks_keep_their_size() -> None:
    for seed in range(50):
        batches = with_known(range(100), range(-7, 0), size=10, rng=random.Random(seed))
        assert [len(batch) for batch in batches] == [10] * 10 + [7]
        assert Counter(sum(page < 0 for page in batch) for batch in batches) == {0: 4, 1: 7}
        assert [page for batch in batches for page in batch if page >= 0] == list(range(100))


def test_whoever_knows_the_rule_of_the_layout_cannot_say_which_page_has_a_known_answer() -> None:
    times = 4000
    at = Counter(
        batch.index(-1)
        for seed in range(times)
        for batch in with_known(range(9), [-1], size=10, rng=random.Random(seed))
    )
    # Each place is as likely as any other: four standard errors, and the seeds are fixed.
    assert set(at) == set(range(10))
    assert max(at.values()) / times < 0.1 + 4 * sqrt(0.1 * 0.9 / times)


@pytest.mark.parametrize("seed", range(30))
def test_a_repeat_comes_after_five_other_pages_at_least(seed: int) -> None:
    pages = with_repeats(range(10), repeats=3, may_repeat=lambda page: page != 1, rng=random.Random(seed))
    again = [page for page, is_repeat in pages if is_repeat]
    assert len(again) == len(set(again)) == 3
    assert 1 not in again
    order = [page for page, _ in pages]
    for page in again:
        first, second = (place for place, one in enumerate(order) if one == page)
        assert second - first > FEWEST_BETWEEN


def test_a_sub_task_that_is_too_short_has_no_repeat() -> None:
    pages = with_repeats(range(5), repeats=2, may_repeat=lambda page: True, rng=random.Random(1))
    assert pages == [(page, False) for page in range(5)]


def test_the_launch_puts_the_checks_among_the_pages() -> None:
    study = study_with_checks()
    pages = Page.objects.filter(subtask__study=study)
    assert Counter(pages.values_list("role", flat=True)) == {"counted": 21, "known": 3, "repeat": 3}
    by_subtask = Counter(pages.values_list("subtask__number", "role"))
    assert {by_subtask[number, "known"] for number in (1, 2, 3)} == {1}
    assert {by_subtask[number, "repeat"] for number in (1, 2, 3)} == {1}
    for number in (1, 2, 3):
        assert sorted(pages.filter(subtask__number=number).values_list("number", flat=True)) == [
            *range(1, 10)
        ]
    for page in pages.filter(role="repeat").select_related("repeats"):
        assert page.repeats is not None
        assert page.prompt_id == page.repeats.prompt_id
        assert texts(page) == texts(page.repeats)


def texts(page: Page) -> dict[int, str]:
    """Return the texts of a page by method."""
    shown = PageCandidate.objects.filter(page=page)
    return dict(shown.values_list("study_method__number", "candidate__text"))


def test_training_pages_are_a_sub_task_before_the_first() -> None:
    study = build_study(prompts=6, methods=2)
    trained = Page.objects.filter(subtask__study=study).order_by("number")[:2]
    Page.objects.filter(pk__in=[page.pk for page in trained]).update(role=Page.Role.TRAINING)
    lay_out_checks(study)
    pages = Page.objects.filter(subtask__study=study).values_list("subtask__number", "number", "role")
    assert list(pages) == [(0, 1, "training"), (0, 2, "training")] + [
        (1, number, "counted") for number in range(1, 5)
    ]


def test_a_study_without_checks_stays_as_it_is() -> None:
    study = build_study(prompts=3)
    before = list(Page.objects.filter(subtask__study=study).values())
    lay_out_checks(study)
    assert list(Page.objects.filter(subtask__study=study).values()) == before


@pytest.mark.parametrize("size", [None, 3])
def test_a_repeat_shows_an_evaluator_the_texts_of_its_first_showing_in_an_order_of_its_own(
    alice: User, size: int | None
) -> None:
    study = study_with_checks(prompts=16, size=16, known=1, repeats=6)
    Study.objects.filter(pk=study.pk).update(candidates_per_page=size)
    study.refresh_from_db()
    enrolment = enrol(study, alice)
    placed = Placement.objects.filter(enrolment=enrolment).order_by("page", "position")
    methods: dict[int, list[int]] = {}
    for page, method in placed.values_list("page", "candidate__pagecandidate__study_method__number"):
        methods.setdefault(page, []).append(method)
    repeats = list(Page.objects.filter(subtask__study=study, role="repeat"))
    assert len(repeats) == 6
    first = {page.pk: page.repeats_id or 0 for page in repeats}
    for again, once in first.items():
        assert set(methods[again]) == set(methods[once])
    assert any(methods[again] != methods[once] for again, once in first.items())
    assert {len(shown) for shown in methods.values()} == {size or 4}


def test_nothing_in_the_page_that_a_browser_gets_tells_what_it_is_for(alice: User, client: Client) -> None:
    study = study_with_checks(prompts=16, size=16, known=2, repeats=2)
    enrol(study, alice)
    client.force_login(alice)
    pages = list(Page.objects.filter(subtask__study=study).select_related("prompt"))
    shapes = {page.role: set[str]() for page in pages}
    for page in pages:
        html = client.get(f"/studies/poems/subtasks/1/pages/{page.number}/").content.decode()
        for role in ("known", "repeat", "counted", "training"):
            assert f'"{role}' not in html
        assert f'"{page.pk}"' not in html
        for text in [
            page.prompt.text,
            *(text for shown in texts(page).values() for text in shown.split("\n")),
        ]:
            html = html.replace(text, "text")
        # What is drawn for every page: tokens, the seals of forms and the clock.
        html = re.sub(
            r'value="[\w-]{22,}"|name="[\w-]{22}\.|data-server-time="\d+"|[\w-]{22,}', "drawn", html
        )
        if 1 < page.number < len(pages):
            shapes[page.role].add(re.sub(r"\b\d+\b", "number", html))
    assert len(shapes["counted"]) == 1
    assert shapes["counted"] == shapes["known"] == shapes["repeat"]


def test_a_page_that_repeats_none_is_no_repeat() -> None:
    page = Page.objects.filter(subtask__study=build_study(prompts=1)).get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Page.objects.filter(pk=page.pk).update(role=Page.Role.REPEAT)


def test_a_copy_for_a_rehearsal_has_the_checks_of_the_study() -> None:
    study = build_study(prompts=3)
    first = Page.objects.filter(subtask__study=study).first()
    assert first is not None
    Page.objects.filter(pk=first.pk).update(role=Page.Role.KNOWN)
    copy = copy_study(study, "copy")
    assert [page.role for page in Page.objects.filter(subtask__study=copy)] == ["known", "counted", "counted"]
