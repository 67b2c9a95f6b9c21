"""Candidates are uploaded in two steps: the file waits, its first rows are shown, and it is stored as confirmed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client

from annotations.models import PageCandidate, StaffAct, Study, StudyRole, WaitingUpload
from annotations.setup.pages import clear
from annotations.setup.rubrics import load_rubric
from annotations.setup.study import create_study
from annotations.setup.uploads.waiting import Kind, keep_material
from annotations.tests.cast import build_study, build_user
from annotations.tests.test_recruiting_races import at_once
from generation.models import Candidate
from generation.tests.test_tables import workbook

MATERIAL = "/manage/studies/poems/material/"
UPLOAD = f"{MATERIAL}candidates/"
WIDE = "Question,GPT-4 (t=0.7),真人,Score\nWhy?,Because.,因为。,3\nHow?,Thus.,这样。,4\n"
CONFIRMED = {"column-0": "prompt", "column-1": "texts_of", "column-2": "texts_of", "column-3": "note"}
NONCE = "n" * 22


@pytest.fixture
def draft(alice: User) -> Study:
    study = build_study()
    Study.objects.update(state="draft", launched_at=None)
    clear(study)
    Candidate.objects.all().delete()
    StudyRole.objects.create(study=study, user=alice, role="owner")
    return study


@pytest.fixture
def as_alice(draft: Study, client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def sent(client: Client, content: str | bytes, name: str = "answers.csv") -> Any:
    data = content if isinstance(content, bytes) else content.encode()
    return client.post(UPLOAD, {"candidates": SimpleUploadedFile(name, data)}, follow=True)


def address() -> str:
    return f"{UPLOAD}{WaitingUpload.objects.get().uuid}/"


def plain(response: Any) -> str:
    return re.sub(r"\s*(<[^>]*>)\s*", r"\1", response.content.decode())


def stored() -> set[tuple[str, str]]:
    return set(PageCandidate.objects.values_list("study_method__method__label", "candidate__text"))


def test_first_rows_are_shown_with_the_guess_and_stored_as_confirmed(as_alice: Client) -> None:
    response = sent(as_alice, WIDE)
    assert response.redirect_chain == [(address(), 302)]
    page = plain(response)
    assert '<label for="id_column-1" dir="auto">GPT-4 (t=0.7)</label>' in page
    assert page.count('<option value="texts_of" selected>') == 2
    cell = '<p class="cell" dir="auto" translate="no">'
    assert f"{cell}Because.</p>{cell}Thus.</p>" in page
    assert not PageCandidate.objects.exists()
    response = as_alice.post(address(), CONFIRMED, follow=True)
    assert response.redirect_chain == [(MATERIAL, 302)]
    assert stored() == {
        ("GPT-4 (t=0.7)", "Because."), ("GPT-4 (t=0.7)", "Thus."), ("真人", "因为。"), ("真人", "这样。"),
    }  # fmt: skip
    assert {one.notes["Score"] for one in Candidate.objects.all()} == {"3", "4"}
    assert not WaitingUpload.objects.exists()
    assert StaffAct.objects.get(act="study.material").details["file"] == "answers.csv"


def test_a_second_press_changes_nothing(as_alice: Client) -> None:
    sent(as_alice, WIDE)
    page = address()
    for _press in range(2):
        assert as_alice.post(page, {**CONFIRMED, "nonce": NONCE}).headers["Location"] == MATERIAL
    assert Candidate.objects.count() == 4
    assert as_alice.get(page).status_code == 404


def test_what_there_is_is_replaced_only_if_that_is_meant(as_alice: Client) -> None:
    for _file in range(2):
        sent(as_alice, WIDE)
        response = as_alice.post(address(), CONFIRMED)
    assert response.status_code == 400
    assert "Tick the box to replace what there is." in response.content.decode()
    assert as_alice.post(address(), {**CONFIRMED, "is_meant": "on"}).status_code == 302


def test_what_is_wrong_in_the_rows_is_told_and_the_file_waits_on(as_alice: Client) -> None:
    sent(as_alice, WIDE.replace("Thus.", "Thus\x07"))
    response = as_alice.post(address(), CONFIRMED)
    assert response.status_code == 400
    assert "<td>line 3</td><td>GPT-4 (t=0.7)</td><td>holds the control character U+0007</td>" in plain(
        response
    )
    response = as_alice.post(address(), {**CONFIRMED, "column-0": "note"})
    assert "<td>prompt</td><td>no such column; there are:" in plain(response)
    response = as_alice.post(address(), {**CONFIRMED, "column-0": "anything"})
    assert "Select a valid choice" in response.content.decode()
    assert not PageCandidate.objects.exists()
    assert WaitingUpload.objects.count() == 1


def test_an_encoding_that_is_not_certain_is_chosen_by_its_words(as_alice: Client) -> None:
    page = plain(sent(as_alice, WIDE.encode("gb18030")))
    assert "is neither UTF-8 nor UTF-16" in page
    assert '<input type="radio" name="encoding" value="gb18030">' in page
    assert "GB18030 or GBK (Chinese): &#x27;Question,GPT-4 (t=0.7),真人,Score&#x27;" in page
    assert "id_column-1" not in page
    chosen = as_alice.get(f"{address()}?encoding=gb18030")
    assert '<input type="hidden" name="encoding" value="gb18030" id="id_encoding">' in chosen.content.decode()
    assert as_alice.post(address(), {**CONFIRMED, "encoding": "gb18030"}).status_code == 302
    assert ("真人", "因为。") in stored()


def test_a_sheet_of_a_workbook_is_chosen(as_alice: Client, tmp_path: Path) -> None:
    rows = [line.split(",") for line in WIDE.splitlines()]
    path = workbook(tmp_path / "a.xlsx", About=[["read me"]], Answers=rows)
    page = plain(sent(as_alice, path.read_bytes(), "a.xlsx"))
    assert "<option selected>About</option><option>Answers</option>" in page
    assert "GPT-4" in plain(as_alice.get(f"{address()}?sheet=Answers"))
    assert as_alice.post(address(), {**CONFIRMED, "sheet": "Answers"}).status_code == 302
    assert len(stored()) == 4


def test_what_is_no_table_does_not_wait(as_alice: Client) -> None:
    response = sent(as_alice, b"%PDF-1.7")
    assert response.status_code == 400
    assert "is a PDF; only tables can be read" in response.content.decode()
    assert not WaitingUpload.objects.exists()
    Study.objects.update(state="open", launched_at="2026-05-01T00:00Z")
    assert "has been launched" in sent(as_alice, WIDE).content.decode()


def test_a_file_waits_for_its_owner_for_a_day(as_alice: Client, draft: Study) -> None:
    sent(as_alice, WIDE)
    owner = build_user("olga")
    StudyRole.objects.create(study=draft, user=owner, role="owner")
    other = Client()
    other.force_login(owner)
    assert other.get(address()).status_code == 404
    with pytest.raises(IntegrityError, match="waiting_upload_one_each"), transaction.atomic():
        file = WaitingUpload.objects.get()
        WaitingUpload.objects.create(kind=file.kind, study=draft, uploaded_by=file.uploaded_by)
    WaitingUpload.objects.update(uploaded_at="2026-01-01T00:00Z")
    assert as_alice.get(address()).status_code == 404
    assert WaitingUpload.objects.forget_old() == 1


@pytest.mark.parametrize("rows", [2, 500])
def test_the_queries_of_the_page_do_not_grow_with_the_file(
    as_alice: Client, rows: int, django_assert_num_queries: Any
) -> None:
    sent(as_alice, WIDE + "What?,a,b,1\n" * rows)
    page = address()
    with django_assert_num_queries(7):
        assert as_alice.get(page).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_two_uploads_at_once_one_file_waits() -> None:
    olga = build_user("olga")
    draft = create_study(slug="mine", rubric=load_rubric("qa"), by=olga)

    def upload() -> WaitingUpload:
        return keep_material(
            Kind.CANDIDATES, draft, SimpleUploadedFile("a.csv", b"prompt,a,b\np,x,y\n"), by=olga
        )

    results = at_once(*[upload] * 6)
    assert [type(result) for result in results] == [WaitingUpload] * 6
    assert WaitingUpload.objects.count() == 1
