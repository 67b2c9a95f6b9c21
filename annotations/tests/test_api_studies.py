"""Studies by the API: who sees which, in pages and by filters, and how they are set up and launched."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from annotations.models import Enrolment, StaffAct, Study, StudyRole
from annotations.tests.cast import build_study, build_user

API = "/api/v1/"
Role = StudyRole.Role

ROWS = "\n".join(
    ["prompt,method,text"]
    + [
        f"题目{number},{method},{method}的山中一夜雨{number}，树杪百重泉。"
        for number in range(3)
        for method in ("human", "cpm")
    ]
)


@pytest.fixture
def olga(study: Study) -> User:
    return with_role(study, "olga", Role.OWNER)


@pytest.fixture
def anna(study: Study) -> User:
    return with_role(study, "anna", Role.ANALYST)


@pytest.fixture
def oscar(study: Study) -> User:
    return with_role(study, "oscar", Role.OBSERVER)


@pytest.fixture
def nora(db: None) -> User:
    """Who may begin studies and has none."""
    user = build_user("nora")
    user.user_permissions.add(Permission.objects.get(codename="add_study"))
    return user


def with_role(study: Study, name: str, role: StudyRole.Role) -> User:
    user = build_user(name)
    StudyRole.objects.create(study=study, user=user, role=role)
    return user


def called(user: User | None, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """Call the API as a user who is logged in and return the response."""
    client = Client(headers=headers)
    if user:
        client.force_login(user)
    options = {} if body is None else {"data": body, "content_type": "application/json"}
    return getattr(client, method)(f"{API}{path}", **options)


def test_a_list_holds_the_studies_one_has_a_part_in(study: Study, olga: User, alice: User) -> None:
    build_study(slug="another")
    (row,) = called(olga, "get", "studies/").json()["results"]
    assert (row["slug"], row["sealed"], row["rights"]) == ("poems", False, ["analyse", "run", "watch"])
    assert called(alice, "get", "studies/").json()["results"] == []


def test_an_administrator_sees_all_studies_the_latest_first(study: Study, carol: User) -> None:
    build_study(slug="another")
    page = called(carol, "get", "studies/").json()
    assert [row["slug"] for row in page["results"]] == ["another", "poems"]
    assert (page["count"], page["next"], page["previous"]) == (2, None, None)


def test_nobody_comes_in_without_a_token_or_a_session(study: Study) -> None:
    response = called(None, "get", "studies/")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert response.json() == {"detail": "Authentication credentials were not provided."}


def test_an_evaluator_finds_no_study_among_those_that_are_run(
    enrolment: Enrolment, alice: User, olga: User
) -> None:
    assert called(alice, "get", "studies/poems/").status_code == 404
    assert called(olga, "get", "studies/poems/").status_code == 200


def test_a_study_is_shown_with_its_criteria_and_without_its_methods(olga: User) -> None:
    response = called(olga, "get", "studies/poems/")
    assert [criterion["key"] for criterion in response.json()["criteria"]] == ["format", "overall"]
    assert "method" not in response.content.decode()


def test_a_page_leads_to_those_beside_it(study: Study, carol: User) -> None:
    for number in range(3):
        build_study(slug=f"more-{number}", prompts=1)
    first = called(carol, "get", "studies/?page_size=3").json()
    assert (first["count"], len(first["results"]), first["previous"]) == (4, 3, None)
    second = called(carol, "get", first["next"].split(API)[1]).json()
    assert ([row["slug"] for row in second["results"]], second["next"]) == (["poems"], None)
    assert called(carol, "get", second["previous"].split(API)[1]).json() == first


def test_a_page_after_the_last_one_is_empty(carol: User, study: Study) -> None:
    page = called(carol, "get", "studies/?page=7").json()
    assert page["results"] == []
    assert page["previous"].endswith("page=1")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "colour"),
        ("state=ajar", "state"),
        ("page=0", "page"),
        ("page_size=501", "page_size"),
        ("state=open&state=closed", "state"),
        ("roles__user__password__startswith=a", "roles__user__password__startswith"),
    ],
)
def test_a_filter_that_is_unknown_or_wrong_is_refused_by_name(carol: User, query: str, field: str) -> None:
    response = called(carol, "get", f"studies/?{query}")
    assert response.status_code == 400
    assert list(response.json()["fields"]) == [field]
    assert field in response.json()["detail"]


def test_the_state_is_a_filter(study: Study, carol: User) -> None:
    Study.objects.filter(pk=build_study(slug="over").pk).update(state=Study.State.CLOSED)
    (row,) = called(carol, "get", "studies/?state=closed").json()["results"]
    assert row["slug"] == "over"


@pytest.mark.parametrize("studies", [2, 12])
def test_the_number_of_queries_does_not_grow_with_the_studies(
    carol: User, studies: int, django_assert_max_num_queries: Any
) -> None:
    for number in range(studies):
        build_study(slug=f"study-{number}", prompts=1)
    client = Client()
    client.force_login(carol)
    with django_assert_max_num_queries(4):
        assert len(client.get(f"{API}studies/").json()["results"]) == studies


RIGHTS = {
    # path: who may, of observer, analyst and owner; the others get 403
    "": "observer analyst owner",
    "prompts/": "observer analyst owner",
    "progress/": "observer analyst owner",
    "evaluators/": "observer analyst owner",
    "methods/": "analyst owner",
    "candidates/": "analyst owner",
    "ratings/": "analyst owner",
    "report/": "analyst owner",
    "heds/": "analyst owner",
    "material/": "owner",
    "runs/": "owner",
    "enrolments/": "owner",
    "groups/": "owner",
    "invitations/": "owner",
    "links/": "owner",
    "payments/": "owner",
    "roles/": "owner",
    "log/": "owner",
}


@pytest.mark.parametrize(("path", "may"), RIGHTS.items())
def test_each_role_reads_what_it_may(
    study: Study, olga: User, anna: User, oscar: User, alice: User, path: str, may: str
) -> None:
    statuses = {
        name: called(user, "get", f"studies/poems/{path}").status_code
        for name, user in (("observer", oscar), ("analyst", anna), ("owner", olga), ("stranger", alice))
    }
    expected = {role: 200 if role in may.split() else 403 for role in ("observer", "analyst", "owner")}
    assert statuses == {**expected, "stranger": 404}


ACTS = [
    ("patch", "", {"contact": "the office"}),
    (
        "put",
        "criteria/",
        {"genre": "poem", "criteria": [{"key": "overall", "label": {"en": "O"}, "is_overall": True}]},
    ),
    ("post", "sign-off/", None),
    ("post", "launch/", None),
    ("post", "pause/", None),
    ("post", "resume/", None),
    ("post", "close/", None),
    ("post", "unblind/", {"reason": "The board asked for it."}),
    ("post", "plan/", {"primary_criterion": "overall"}),
    ("post", "runs/", {"method": "sampling"}),
    ("put", "groups/", {"key": "students", "name_en": "Students"}),
    ("post", "invitations/", {"people": [{}]}),
    ("post", "links/", {"limit": 3}),
    ("post", "enrolments/", {"username": "alice"}),
    ("post", "enrolments/extend/", {"evaluator": "E001", "days": 2}),
    ("post", "enrolments/withdraw/", {"evaluator": "E001"}),
    ("post", "payments/approve/", {"evaluators": ["E001"]}),
    ("post", "payments/paid/", {"evaluators": ["E001"]}),
    ("post", "payments/revoke/", {"evaluators": ["E001"]}),
    ("post", "roles/", {"username": "alice", "role": "owner"}),
    ("post", "roles/take/", {"username": "olga"}),
]


@pytest.mark.parametrize(("method", "path", "body"), ACTS)
def test_nobody_but_an_owner_changes_anything(
    study: Study, anna: User, alice: User, method: str, path: str, body: Any
) -> None:
    before = Study.objects.values().get(pk=study.pk)
    assert called(anna, method, f"studies/poems/{path}", body).status_code == 403
    assert called(alice, method, f"studies/poems/{path}", body).status_code == 404
    assert called(None, method, f"studies/poems/{path}", body).status_code == 401
    assert Study.objects.values().get(pk=study.pk) == before
    assert not StaffAct.objects.exists()
    assert not study.enrolments.exists()


def test_a_study_goes_from_its_beginning_to_its_launch(nora: User) -> None:
    created = called(nora, "post", "studies/", {"slug": "tang", "title": {"en": "Tang"}, "rubric": "poem"})
    assert (created.status_code, created.json()["state"]) == (201, "draft")
    changed = called(nora, "patch", "studies/tang/", {"days_to_rate": 3, "payment": "12.50"})
    assert (changed.json()["days_to_rate"], changed.json()["payment"]) == (3, "12.50")
    client = Client()
    client.force_login(nora)
    stored = client.put(f"{API}studies/tang/material/?name=tang.csv", ROWS.encode(), content_type="text/csv")
    assert (stored.json()["prompts"], stored.json()["is_complete"]) == (3, True)
    early = called(nora, "post", "studies/tang/launch/")
    assert (early.status_code, early.json()) == (409, {"detail": "Nobody has signed the material off."})
    assert called(nora, "post", "studies/tang/sign-off/").json()["signed_off_at"]
    unplanned = called(nora, "post", "studies/tang/launch/")
    assert "without a plan" in str(unplanned.json())
    launched = called(nora, "post", "studies/tang/launch/", {"without_plan": True})
    assert launched.json()["state"] == "open"
    assert called(nora, "post", "studies/tang/pause/").json()["state"] == "paused"
    assert called(nora, "post", "studies/tang/pause/").status_code == 409
    assert called(nora, "post", "studies/tang/resume/").json()["state"] == "open"
    assert called(nora, "post", "studies/tang/close/").json()["state"] == "closed"
    acts = [act["act"] for act in called(nora, "get", "studies/tang/log/").json()["results"]]
    assert acts == [
        "study.closed",
        "study.resumed",
        "study.paused",
        "study.launched",
        "study.signed_off",
        "study.material",
        "study.changed",
        "study.created",
    ]


def test_whoever_may_not_begin_studies_begins_none(alice: User) -> None:
    assert called(alice, "post", "studies/", {"slug": "mine"}).status_code == 403
    assert not Study.objects.exists()


def test_a_slug_that_is_taken_is_refused_by_its_field(study: Study, nora: User) -> None:
    response = called(nora, "post", "studies/", {"slug": "poems"})
    assert response.status_code == 409
    assert list(response.json()["fields"]) == ["slug"]


def test_a_field_that_no_body_has_is_refused_by_name(nora: User) -> None:
    response = called(nora, "post", "studies/", {"slug": "mine", "state": "open", "order_seed": 1})
    assert response.status_code == 400
    assert sorted(response.json()["fields"]) == ["order_seed", "state"]
    assert not Study.objects.exists()


def test_what_is_wrong_in_a_list_is_told_by_the_way_to_it(olga: User) -> None:
    body = {"genre": "poem", "criteria": [{"key": "overall", "is_overall": True}, {"key": "two words"}]}
    response = called(olga, "put", "studies/poems/criteria/", body)
    assert response.status_code == 400
    assert "criteria.1.key" in response.json()["fields"]


def test_problems_of_a_file_are_told_by_line_and_field_and_nothing_is_stored(nora: User) -> None:
    called(nora, "post", "studies/", {"slug": "tang"})
    client = Client()
    client.force_login(nora)
    broken = ROWS.replace("题目1,cpm", "题目1,c p m")
    response = client.put(
        f"{API}studies/tang/material/?name=tang.csv", broken.encode(), content_type="text/csv"
    )
    assert response.status_code == 409
    assert any("tang.csv, line" in problem and "method" in problem for problem in response.json()["problems"])
    assert not Study.objects.get().subtasks.exists()


@pytest.mark.parametrize(
    "body", [b"{not json", b"[" * 100_000, b'{"slug": "\\ud800"}', b'{"slug": "a\\u0000"}', b"[1]", b"3"]
)
def test_a_body_that_is_none_is_refused(nora: User, body: bytes) -> None:
    client = Client()
    client.force_login(nora)
    response = client.post(f"{API}studies/", body, content_type="application/json")
    assert response.status_code == 400
    assert response.json()["detail"]


def test_a_body_that_is_too_large_is_refused(nora: User, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    response = called(nora, "post", "studies/", {"slug": "tang", "title_en": "x" * 150})
    assert response.status_code == 413
    settings.UPLOAD_MEGABYTES = 0
    client = Client()
    client.force_login(nora)
    called(nora, "post", "studies/", {"slug": "tang"})
    sent = client.put(f"{API}studies/tang/material/", ROWS.encode(), content_type="text/csv")
    assert sent.status_code == 413


def test_a_session_alone_changes_nothing_without_its_csrf_token(nora: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(nora)
    response = client.post(f"{API}studies/", {"slug": "tang"}, content_type="application/json")
    assert response.status_code == 403
    assert not Study.objects.exists()
