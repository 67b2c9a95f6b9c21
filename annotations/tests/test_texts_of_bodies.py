"""Where a body of the API holds a text nothing else is taken for one, and a wrong choice reads which there are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.urls import get_resolver
from rest_framework import serializers

from annotations.models import Study, Unblinding
from annotations.recruiting.enrolment import enrol
from annotations.setup.api import NewStudyBody
from annotations.setup.rubrics import READY_MADE
from annotations.tests.cast import build_study, build_user
from annotations.tests.test_api_studies import called
from generation.web.rest import Strict

pytestmark = pytest.mark.django_db
LONG = int("9" * 400)


@pytest.fixture
def study() -> Study:
    return build_study()


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser("root")


def bodies(kind: type[Strict] = Strict) -> Iterator[type[Strict]]:
    """Yield everything that a request is read by, once the addresses of the site are known."""
    assert get_resolver().url_patterns
    for one in kind.__subclasses__():
        yield one
        yield from bodies(one)


def texts_of(body: type[Strict]) -> list[str]:
    return [
        name
        for name, field in body().fields.items()
        if isinstance(field, serializers.CharField) and not field.read_only
    ]


def test_no_text_of_any_body_is_a_number() -> None:
    asked = [(body, name) for body in bodies() for name in texts_of(body)]
    assert (NewStudyBody, "slug") in asked
    for body, name in asked:
        for value in (5, 1e308, LONG, True, ["a"], {"en": "a"}):
            found = body(data={name: value})
            assert not found.is_valid()
            assert found.errors[name] == ["Text is wanted here."], (body, name, value)


def test_no_text_in_a_list_or_by_a_name_is_a_number() -> None:
    class Lists(Strict):
        names = serializers.ListField(child=serializers.CharField())
        titles = serializers.DictField(child=serializers.CharField())

    found = Lists(data={"names": ["a", 5], "titles": {"en": 1.5}})
    assert not found.is_valid()
    assert found.errors == {name: ["Text is wanted here."] for name in ("names", "titles")}
    assert Lists(data={"names": ["a"], "titles": {"en": "b"}}).is_valid()


def test_all_that_stands_in_a_body_is_read_as_strictly() -> None:
    nested = [
        (body, getattr(field, "child", field))
        for body in bodies()
        for field in body().fields.values()
        if isinstance(getattr(field, "child", field), serializers.Serializer)
    ]
    assert nested
    assert [one for one in nested if not isinstance(one[1], Strict)] == []


@pytest.mark.parametrize("body", [{"reason": LONG}, LONG, {"reason": True}, [LONG], str(LONG)])
def test_no_study_is_unblinded_by_a_number(study: Study, root: User, body: Any) -> None:
    response = called(root, "post", "studies/poems/unblind/", body)
    assert response.status_code == 400
    assert not Unblinding.objects.exists()


@pytest.mark.parametrize("body", [1e308, LONG, "yes", [1], {"answers": 1e308}, {"answers": {"field": 1e308}}])
def test_nobody_agrees_by_a_number(study: Study, body: Any) -> None:
    Study.objects.update(consent={"en": "Agree?"})
    alice = build_user("alice")
    enrolment = enrol(study, alice)
    assert called(alice, "post", "my/studies/poems/consent/", body).status_code == 400
    enrolment.refresh_from_db()
    assert enrolment.consented_at is None


def test_a_question_for_a_number_takes_one_and_a_question_for_words_does_not(study: Study) -> None:
    questions = [
        {"key": key, "kind": kind, "label": {"en": key}, "is_required": True}
        for key, kind in (("age", "number"), ("field", "text"))
    ]
    Study.objects.update(consent={"en": "Agree?"}, questions=questions)
    alice = build_user("alice")
    enrolment = enrol(study, alice)
    path = "my/studies/poems/consent/"
    refused = called(alice, "post", path, {"answers": {"age": 31, "field": 7}})
    assert refused.status_code == 409
    assert "Text is wanted here." in str(refused.json())
    assert called(alice, "post", path, {"answers": {"age": 31, "field": "law"}}).json() == {"changed": True}
    enrolment.refresh_from_db()
    assert enrolment.form_answers == {"age": 31, "field": "law"}


def test_a_choice_that_is_none_reads_which_there_are(study: Study, root: User) -> None:
    response = called(root, "post", "studies/", {"slug": "new", "rubric": "helpful_harmless"})
    said = response.json()["fields"]["rubric"][0]
    assert "“helpful_harmless” is none of the choices: " in said
    assert all(name in said for name in READY_MADE)
    response = called(root, "post", "studies/poems/jobs/", {"kind": "report", "format": "json"})
    assert response.json()["fields"] == {"format": ["“json” is none of the choices: pdf, xlsx."]}
    assert "answers" in called(root, "post", "studies/poems/jobs/", {"kind": "x"}).json()["fields"]["kind"][0]


@pytest.mark.parametrize("name", READY_MADE)
def test_a_rubric_file_is_a_body_of_the_criteria(root: User, name: str) -> None:
    called(root, "post", "studies/", {"slug": "tang", "title": {"en": "New"}})
    rubric = json.loads((settings.BASE_DIR / "fixtures" / "rubrics" / f"{name}.json").read_bytes())
    response = called(root, "put", "studies/tang/criteria/", rubric)
    assert response.status_code == 200, response.json()
    study = Study.objects.get(slug="tang")
    assert list(study.criteria.values_list("key", flat=True)) == [one["key"] for one in rubric["criteria"]]
    assert dict(study.title) == {"en": "New"}
