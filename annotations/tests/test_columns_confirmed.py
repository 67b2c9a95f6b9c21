"""A file with columns of other names is shown as it was understood, and stored once that is confirmed."""

from __future__ import annotations

import io
import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from annotations.models import PageCandidate, Study, StudyRole
from annotations.setup.rubrics import load_rubric
from annotations.setup.study import create_study
from annotations.tests.cast import build_user
from generation.models import Candidate, Method

WIDE = "Question,GPT-4 (t=0.7),真人,Asked by\nWhy?,Because.,因为。,Ann\nHow?,Thus.,这样。,Bob\n"
ROLES = {"Question": "prompt", "GPT-4 (t=0.7)": "texts_of", "真人": "texts_of"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "answers.csv"
    path.write_text(WIDE)
    return path


@pytest.fixture
def draft(db: None) -> Study:
    return create_study(slug="mine", rubric=load_rubric("qa"), by=None)


@pytest.fixture
def as_owner(draft: Study, client: Client) -> Client:
    owner = build_user("olga")
    StudyRole.objects.create(study=draft, user=owner, role=StudyRole.Role.OWNER)
    client.force_login(owner)
    return client


def texts() -> set[tuple[str, str, str]]:
    rows = PageCandidate.objects.values_list(
        "page__prompt__text", "study_method__method__label", "candidate__text"
    )
    return set(rows)


AS_WRITTEN = {
    ("Why?", "GPT-4 (t=0.7)", "Because."),
    ("Why?", "真人", "因为。"),
    ("How?", "GPT-4 (t=0.7)", "Thus."),
    ("How?", "真人", "这样。"),
}


def test_commands_show_the_first_rows_and_how_to_confirm(draft: Study, file: Path) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("upload_material", "mine", str(file))
    assert str(refused.value).splitlines() == [
        "Nothing was stored.",
        "answers.csv: has columns of other names; they seem to be: Question=prompt, GPT-4 (t=0.7)=texts_of,"
        " 真人=texts_of, Asked by=texts_of",
        "Its first rows:",
        "  Question: 'Why?', GPT-4 (t=0.7): 'Because.', 真人: '因为。', Asked by: 'Ann'",
        "  Question: 'How?', GPT-4 (t=0.7): 'Thus.', 真人: '这样。', Asked by: 'Bob'",
        "Confirm or change it: --column Question=prompt --column 'GPT-4 (t=0.7)=texts_of' --column '真人=texts_of'"
        " --column 'Asked by=texts_of'",
    ]
    assert not Candidate.objects.exists()
    chosen = [option for name, role in ROLES.items() for option in ("--column", f"{name}={role}")]
    call_command("upload_material", "mine", str(file), *chosen, stdout=io.StringIO())
    assert texts() == AS_WRITTEN
    assert {one.notes["Asked by"] for one in Candidate.objects.all()} == {"Ann", "Bob"}
    with pytest.raises(CommandError, match="must be NAME=WHAT"):
        call_command("upload_material", "mine", str(file), "--column", "Question")


def test_an_export_is_imported_as_the_same_methods_with_the_notes(
    db: None, file: Path, tmp_path: Path
) -> None:
    chosen = [option for name, role in ROLES.items() for option in ("--column", f"{name}={role}")]
    options = ["--rubric", "qa", *chosen]
    call_command("import_study", str(file), "--slug", "first", *options, stdout=io.StringIO())
    exported = tmp_path / "candidates.jsonl"
    call_command("export_candidates", "first", "--output", str(exported), stdout=io.StringIO())
    rows = [json.loads(line) for line in exported.read_text().splitlines()]
    assert {row["method"] for row in rows} == {"GPT-4 (t=0.7)", "真人"}
    assert {row["notes"]["Asked by"] for row in rows} == {"Ann", "Bob"}
    call_command("import_study", str(exported), "--slug", "second", "--rubric", "qa", stdout=io.StringIO())
    assert Method.objects.count() == 2
    assert {row.candidate.notes["Asked by"] for row in PageCandidate.objects.all()} == {"Ann", "Bob"}


def test_the_api_takes_what_the_columns_are(draft: Study, as_owner: Client) -> None:
    url = "/api/v1/studies/mine/material/"
    body = WIDE.encode()
    response = as_owner.put(f"{url}?name=a.csv", body, content_type="text/csv")
    assert response.status_code == 409
    (problem,) = response.json()["problems"]
    assert problem.startswith("a.csv: has columns of other names; they seem to be: Question=prompt,")
    for wrong in ("x", "[]", '{"Question": 3}'):
        assert as_owner.put(f"{url}?columns={wrong}", body, content_type="text/csv").status_code == 400
    query = urlencode({"columns": json.dumps(ROLES)})
    response = as_owner.put(f"{url}?{query}", body, content_type="text/csv")
    assert response.status_code == 200, response.json()
    assert {one["label"] for one in response.json()["methods"]} == {"GPT-4 (t=0.7)", "真人"}
    assert texts() == AS_WRITTEN


def test_the_api_takes_an_encoding_that_is_confirmed(draft: Study, as_owner: Client) -> None:
    url = "/api/v1/studies/mine/material/"
    body = "prompt,method,text\n为何,a,因为。\n为何,b,所以。\n".encode("gb18030")
    response = as_owner.put(url, body, content_type="text/csv")
    assert "read as GB18030 or GBK (Chinese): '为何,a,因为。'" in response.json()["problems"][0]
    assert as_owner.put(f"{url}?encoding=gb18030", body, content_type="text/csv").status_code == 200
    assert set(Candidate.objects.values_list("text", flat=True)) == {"因为。", "所以。"}
