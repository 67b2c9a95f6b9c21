"""Beside every upload there are examples with two prompts, which the upload takes as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotations.models import Study, StudyRole
from annotations.recruiting.invitations import read_invitees
from annotations.setup.rubrics import READY_MADE, load_rubric
from annotations.setup.uploads.examples import NAMES, examples_for
from annotations.tests.cast import build_study, shown
from generation.files.candidates import read_candidates
from generation.files.prompts import read_prompts


@pytest.fixture(params=["csv", "xlsx"])
def file_format(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def reader(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def downloaded(client: Client, folder: Path, name: str, file_format: str) -> Path:
    response = client.get(f"/manage/examples/{name}.{file_format}")
    assert response.headers["Content-Disposition"] == f'attachment; filename="{name}.{file_format}"'
    path = folder / "example"
    path.write_bytes(response.content)
    return path


@pytest.mark.parametrize("rubric", READY_MADE)
def test_each_rubric_has_an_example_of_two_prompts(
    reader: Client, tmp_path: Path, rubric: str, file_format: str
) -> None:
    file = read_candidates(downloaded(reader, tmp_path, rubric, file_format), load_rubric(rubric).genre)
    assert (len(file.prompts), len(file.methods), len(file.rows)) == (2, 2, 4)
    assert rubric in examples_for(file.genre)


def test_an_id_of_the_example_keeps_its_zeros(reader: Client, tmp_path: Path, file_format: str) -> None:
    file = read_candidates(downloaded(reader, tmp_path, "qa", file_format), "qa")
    assert [prompt.external_id for prompt in file.prompts] == ["001", "002"]


def test_prompts_and_people_have_examples(
    study: Study, reader: Client, tmp_path: Path, file_format: str
) -> None:
    assert len(read_prompts(downloaded(reader, tmp_path, "prompts", file_format), "qa").prompts) == 2
    people = read_invitees(downloaded(reader, tmp_path, "people", file_format), "people", study)
    assert [one.name for one in people] == ["Dora Dai", "Emil Ebert"]


def test_pages_link_the_examples(client: Client, alice: User) -> None:
    study = build_study()
    Study.objects.update(state="draft", launched_at=None)
    StudyRole.objects.create(study=study, user=alice, role="owner")
    client.force_login(alice)
    page = shown(client, "/manage/studies/poems/material/")
    assert "/manage/examples/poem.csv" in page
    assert "/manage/examples/prompts.xlsx" in page
    assert "/manage/examples/qa.csv" not in page
    assert "/manage/examples/people.csv" in shown(client, "/manage/studies/poems/people/")
    assert client.get("/manage/examples/other.csv").status_code == 404
    assert client.get("/manage/examples/poem.pdf").status_code == 404
    assert len(NAMES) == len(READY_MADE) + 2
