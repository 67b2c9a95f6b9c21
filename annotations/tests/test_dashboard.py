"""What is watched of a study while people answer."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from annotations.access.roles import give_role
from annotations.models import (
    AnswerChange,
    BestChoice,
    Enrolment,
    EvaluatorGroup,
    Invitation,
    Rating,
    Study,
    StudyRole,
)
from annotations.monitoring.dashboard import Stage, column_bins, dashboard, in_words, packed, sorted_rows
from annotations.plan.simulation import simulate_ratings
from annotations.recruiting.enrolment import enrol
from annotations.results.rating_table import page_seconds, rating_table
from annotations.tests.cast import answer_everything, build_study, build_user, shown
from generation.models import Method
from stats.agreement import agreement
from stats.quality import evaluator_quality

PAGE = "/manage/studies/poems/progress/"


@pytest.fixture
def simulated(db: None) -> Study:
    """A study of eight prompts, answered by five simulated evaluators."""
    study = build_study(prompts=8, pages_per_subtask=3)
    simulate_ratings(study, evaluators=5, seed=7)
    return study


@pytest.fixture
def olga(study: Study) -> User:
    """An observer of the study."""
    olga = build_user("olga")
    give_role(study, olga, StudyRole.Role.OBSERVER, by=None)
    return olga


def test_agreement_with_the_others_is_that_of_the_report(simulated: Study) -> None:
    Rating.objects.filter(enrolment__number=2, candidate__prompt__text__endswith="3").delete()
    table = rating_table(simulated)
    expected = {one.evaluator: one.leave_one_out_r for one in evaluator_quality(table, "overall")}
    assert all(r is not None and 0 < r < 1 for r in expected.values())
    for row in dashboard(simulated).evaluators:
        assert row.agreement == pytest.approx(expected[row.enrolment.pseudonym], abs=1e-12)


def test_alpha_of_all_evaluators_is_that_of_the_report(simulated: Study) -> None:
    Rating.objects.filter(enrolment__number=2, candidate__prompt__text__endswith="3").delete()
    table = rating_table(simulated)
    for alpha in dashboard(simulated).alphas:
        expected = agreement(table, alpha.criterion.key)
        assert alpha.texts == 32
        assert alpha.ordinal == pytest.approx(expected.alpha_ordinal, abs=1e-12)
        assert alpha.interval == pytest.approx(expected.alpha_interval, abs=1e-12)


def test_one_evaluator_agrees_with_nobody(enrolment: Enrolment) -> None:
    answer_everything(enrolment)
    found = dashboard(enrolment.study)
    assert [row.agreement for row in found.evaluators] == [None]
    assert [(alpha.texts, alpha.ordinal) for alpha in found.alphas] == [(0, None), (0, None)]


def test_packed_ratings_stand_under_their_texts() -> None:
    counts = np.array([[7, 3, 2], [5, 1, 1], [7, 4, 1]])
    ratings = packed(counts)
    assert ratings.shape == (3, 2)
    assert ratings[0].tolist() == [1, 3]
    assert ratings[:, 1].tolist() == [3, 3, 4]
    assert np.isnan(ratings[1:, 0]).all()
    assert packed(np.empty((0, 3), dtype=np.int64)).shape == (0, 0)


def test_the_median_time_of_a_page_is_of_the_longest_view_of_each(study: Study, enrolment: Enrolment) -> None:
    answer_everything(enrolment)
    first, second = BestChoice.objects.filter(enrolment=enrolment).order_by("page__number")
    for choice, seconds in ((first, 10.0), (first, 40.0), (second, 20.0), (second, None)):
        AnswerChange.objects.create(
            enrolment=enrolment,
            page=choice.page,
            candidate_id=choice.candidate_id,
            client_order=1,
            seconds_on_page=seconds,
        )
    (row,) = dashboard(study).evaluators
    assert row.page_seconds == 30.0
    assert np.median(page_seconds(study, rating_table(study)).value) == 30.0


def test_pace_counts_the_days_since_the_first_answer(study: Study, enrolment: Enrolment) -> None:
    Enrolment.objects.update(deadline=Now() + timedelta(days=9))
    answer_everything(enrolment)
    BestChoice.objects.filter(page__number=2).delete()
    assert dashboard(study).evaluators[0].pace == pytest.approx(17, rel=1e-3)
    Rating.objects.update(saved_at=Now() - timedelta(days=4))
    assert dashboard(study).evaluators[0].pace == pytest.approx(17 / 4, rel=1e-3)
    # Whoever can give no more answers gets no slower.
    BestChoice.objects.update(saved_at=Now() - timedelta(days=2))
    Enrolment.objects.update(deadline=Now() - timedelta(hours=1))
    assert dashboard(study).evaluators[0].pace == pytest.approx(17 / 2, rel=1e-3)


def test_the_funnel_holds_each_stage_in_the_one_before(study: Study, enrolment: Enrolment) -> None:
    answer_everything(enrolment)
    careless, unfinished, _unstarted, withdrawn = (
        enrol(study, build_user(name)) for name in ("bob", "dave", "erin", "frank")
    )
    answer_everything(careless, best_method=0)
    Rating.objects.create(
        enrolment=unfinished,
        candidate=unfinished.placements.first().candidate,  # type: ignore[union-attr]
        criterion=study.criteria.get(key="overall"),
        score=3,
    )
    Enrolment.objects.filter(pk=withdrawn.pk).update(withdrawn_at=Now(), answers_removed=0)
    expires = timezone.now() + timedelta(days=1)
    for number in range(6):
        Invitation.objects.create(study=study, token_hash=f"{number:064}", expires_at=expires)
    Invitation.objects.filter(token_hash=f"{0:064}").update(revoked_at=Now())
    found = dashboard(study)
    assert vars(found.funnel) == {
        "invited": 5,
        "enrolled": 4,
        "started": 3,
        "finished": 2,
        "valid": 1,
        "withdrawn": 1,
        "simulated": 0,
        "imported": 0,
    }
    assert [row.stage for row in found.evaluators] == [
        Stage.VALID,
        Stage.EXCLUDED,
        Stage.STARTED,
        Stage.ENROLLED,
        Stage.WITHDRAWN,
    ]


def test_the_matrix_has_every_prompt_once(simulated: Study) -> None:
    found = dashboard(simulated).matrix
    assert found.columns == ("0", "1", "2", "3", "4", "5")
    assert [(row.prompts, row.assigned, row.complete) for row in found.rows] == [
        (3, 5, 15),
        (3, 5, 15),
        (2, 5, 10),
    ]
    BestChoice.objects.filter(page__subtask__number=1, page__number=2, enrolment__number__lt=2).delete()
    assert dashboard(simulated).matrix.rows[0].cells == (0, 0, 0, 1, 0, 2)


def test_a_study_without_evaluators_is_uncovered(study: Study) -> None:
    found = dashboard(study)
    assert found.evaluators == ()
    assert found.matrix.columns == ("0",)
    assert [row.cells for row in found.matrix.rows] == [(2,)]


@pytest.mark.parametrize(
    ("highest", "columns"),
    [
        (0, ["0"]),
        (3, ["0", "1", "2", "3"]),
        (20, ["0", "1–3", "4–6", "7–9", "10–12", "13–15", "16–18", "19–21"]),
    ],
)
def test_many_numbers_share_a_column(highest: int, columns: list[str]) -> None:
    assert [in_words(one) for one in column_bins(highest)] == columns


def test_rows_without_a_value_come_last_either_way(study: Study, enrolment: Enrolment) -> None:
    enrol(study, build_user("bob"))
    answer_everything(enrolment)
    rows = dashboard(study).evaluators
    for sort in ("pace", "-pace"):
        assert [row.enrolment.pseudonym for row in sorted_rows(rows, sort)] == ["E001", "E002"]
    assert [row.enrolment.pseudonym for row in sorted_rows(rows, "-evaluator")] == ["E002", "E001"]
    assert [row.enrolment.pseudonym for row in sorted_rows(rows, "progress")] == ["E002", "E001"]


def test_an_observer_watches_and_a_stranger_does_not(
    client: Client, study: Study, olga: User, bob: User
) -> None:
    client.force_login(bob)
    assert client.get(PAGE).status_code == 404
    client.force_login(olga)
    page = shown(client, PAGE)
    assert "Progress of Poems on old themes" in page
    assert "Nobody is enrolled yet" in page
    # An observer has none of the other pages.
    for name in ("results", "payments", "roles"):
        assert f"/{name}/" not in page


def test_an_observer_who_opens_the_results_is_told_why_not(client: Client, study: Study, olga: User) -> None:
    client.force_login(olga)
    response = client.get("/studies/poems/results/")
    assert response.status_code == 403
    assert "Your role in this study does not let you see or do this." in response.content.decode()


def test_the_page_names_neither_methods_nor_people(
    client: Client, study: Study, enrolment: Enrolment, olga: User
) -> None:
    answer_everything(enrolment)
    client.force_login(olga)
    page = shown(client, PAGE)
    assert "E001" in page
    assert "alice" not in page
    for method in Method.objects.all():
        assert method.key not in page
        assert method.label not in page


def test_simulated_evaluators_are_labelled(client: Client, simulated: Study, carol: User) -> None:
    client.force_login(carol)
    page = shown(client, PAGE)
    assert '<span class="tag">simulated</span>' in page
    assert "5 of them are simulated." in page


def test_the_table_is_sorted_and_filtered_by_the_address(
    client: Client, study: Study, enrolment: Enrolment, carol: User
) -> None:
    group = EvaluatorGroup.objects.create(study=study, key="experts", name={"en": "Experts"})
    answer_everything(enrol(study, build_user("bob"), group=group))
    client.force_login(carol)

    def rows(query: str) -> list[str]:
        return re.findall(r'<th scope="row"> (E\d+)', shown(client, PAGE + query))

    assert rows("") == ["E001", "E002"]
    assert rows("?sort=-progress") == ["E002", "E001"]
    assert rows("?stage=valid") == ["E002"]
    assert rows("?stage=unstarted") == ["E001"]
    assert rows("?group=experts") == ["E002"]
    assert re.search(
        r'aria-sort="descending"> ?<a href="\?sort=progress#evaluators">',
        shown(client, PAGE + "?sort=-progress"),
    )
    for nonsense in ("?sort=method", "?stage=best", "?group=nobody"):
        assert client.get(PAGE + nonsense).status_code == 404


def test_the_fragment_is_the_part_that_changes(
    client: Client, study: Study, enrolment: Enrolment, carol: User
) -> None:
    client.force_login(carol)
    fragment = client.get(f"{PAGE}live/?stage=finished").content.decode()
    assert "<html" not in fragment
    assert fragment in client.get(f"{PAGE}?stage=finished").content.decode()
    assert 'data-source="/manage/studies/poems/progress/live/?stage=finished"' in shown(
        client, f"{PAGE}?stage=finished"
    )
    state = re.search(r'data-state="(\w+)"', fragment)
    answer_everything(enrolment)
    changed = re.search(r'data-state="(\w+)"', client.get(f"{PAGE}live/?stage=finished").content.decode())
    assert state and changed and state[1] != changed[1]


@pytest.mark.parametrize("prompts", [3, 24])
def test_the_page_takes_at_most_fourteen_queries(
    client: Client, db: None, prompts: int, django_assert_max_num_queries: Any
) -> None:
    study = build_study(prompts=prompts)
    owner = build_user("olga")
    give_role(study, owner, StudyRole.Role.OWNER, by=None)
    simulate_ratings(study, evaluators=3 + prompts // 10, seed=1)
    client.force_login(owner)
    with django_assert_max_num_queries(14):
        shown(client, PAGE)
