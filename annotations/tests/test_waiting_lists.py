"""Files of prompts and of people wait as candidates do, where they do not say themselves how they are read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from annotations.models import Invitation, Page, Study, StudyRole, WaitingUpload
from annotations.setup.rubrics import load_rubric
from annotations.setup.study import create_study
from annotations.tests.cast import build_user
from annotations.tests.test_confirm_columns import NONCE, plain
from generation.tests.test_tables import workbook

MATERIAL = "/manage/studies/mine/material/"
PROMPTS = f"{MATERIAL}prompts/"
PEOPLE = "/manage/studies/mine/people/invitations/file/"
UPLOADS = {PROMPTS: "prompts_file", PEOPLE: "file", f"{MATERIAL}candidates/": "candidates"}


@pytest.fixture
def draft(alice: User) -> Study:
    return create_study(slug="mine", rubric=load_rubric("qa"), by=alice)


@pytest.fixture
def as_alice(draft: Study, client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def sent(client: Client, address: str, content: str | bytes, name: str = "a.csv", **more: str) -> Any:
    data = content if isinstance(content, bytes) else content.encode()
    more = {"days_valid": "30", **more} if address == PEOPLE else more
    return client.post(address, {UPLOADS[address]: SimpleUploadedFile(name, data), **more})


def prompts() -> list[str]:
    return [page.prompt.text for page in Page.objects.select_related("prompt")]


def emails() -> set[str]:
    return set(Invitation.objects.values_list("email", flat=True))


def test_a_file_that_says_how_it_is_read_is_stored_at_once(as_alice: Client) -> None:
    assert sent(as_alice, PROMPTS, "Why?\nHow?\n", "list.txt").headers["Location"] == MATERIAL
    assert prompts() == ["Why?", "How?"]
    people = "Email address,Name\na@example.org,Ann\n"
    assert "a@example.org" in sent(as_alice, PEOPLE, people).content.decode()
    assert emails() == {"a@example.org"}
    assert not WaitingUpload.objects.exists()


def test_the_encoding_of_prompts_is_chosen_without_choosing_the_file_again(as_alice: Client) -> None:
    address = sent(as_alice, PROMPTS, "春天来了\n秋天来了\n".encode("gb18030"), "list.txt").headers[
        "Location"
    ]
    assert '<input type="radio" name="encoding" value="gb18030">' in plain(as_alice.get(address))
    page = plain(as_alice.get(address, {"encoding": "gb18030"}))
    assert "秋天来了" in page
    assert 'name="is_list" id="id_is_list" checked' in page
    said = {"encoding": "gb18030", "is_list": "on", "column-0": "note"}
    assert as_alice.post(address, said).headers["Location"] == MATERIAL
    assert prompts() == ["春天来了", "秋天来了"]


def test_further_columns_of_prompts_are_notes_and_others_what_somebody_says(as_alice: Client) -> None:
    table = "Question,domain,by,turns\nWhy?,news,Ann,\nHow?,law,Ben,\n"
    address = sent(as_alice, PROMPTS, table).headers["Location"]
    page = plain(as_alice.get(address))
    assert '<option value="prompt" selected>' in page
    assert 'value="texts_of"' not in page
    assert '<option value="turns" selected>' in page
    said = {"column-0": "prompt", "column-1": "tag:", "column-2": "note", "column-3": "turns"}
    assert as_alice.post(address, said).headers["Location"] == MATERIAL
    assert [(one.prompt.tags, one.notes) for one in Page.objects.order_by("number")] == [
        ({"domain": "news"}, {"by": "Ann"}),
        ({"domain": "law"}, {"by": "Ben"}),
    ]
    rows = as_alice.get("/api/v1/studies/mine/prompts/").json()["results"]
    assert [row["notes"] for row in rows] == [{"by": "Ann"}, {"by": "Ben"}]


def test_notes_of_prompts_stay_when_sub_tasks_are_cut_anew(as_alice: Client, draft: Study) -> None:
    sent(as_alice, PROMPTS, '{"prompt": "Why?", "by": {"name": "Ann"}}\n', "a.jsonl")
    as_alice.post(f"{PROMPTS}{WaitingUpload.objects.get().uuid}/", {"column-0": "prompt", "column-1": "note"})
    response = as_alice.patch(
        "/api/v1/studies/mine/", {"prompts_per_subtask": 3}, content_type="application/json"
    )
    assert response.status_code == 200
    assert Page.objects.get().notes == {"by": {"name": "Ann"}}


def test_turns_and_parts_are_read_from_json_in_a_cell(as_alice: Client) -> None:
    table = (
        "prompt,turns,parts,tags\n"
        'Answer.,"[{""role"": ""user"", ""text"": ""Hi""}]","{""source"": ""It rained.""}","{""domain"": ""news""}"\n'
    )
    assert sent(as_alice, PROMPTS, table).headers["Location"] == MATERIAL
    prompt = Page.objects.select_related("prompt").get().prompt
    assert prompt.turns == [{"role": "user", "text": "Hi"}]
    assert prompt.parts == [{"name": "source", "text": "It rained."}]
    assert prompt.tags == {"domain": "news"}
    broken = sent(as_alice, PROMPTS, 'prompt,turns\nWhat?,"[{role: user}]"\n', is_meant="on")
    assert "<td>line 2</td><td>turns</td><td>is not JSON:" in plain(broken)


def test_the_sheet_of_a_workbook_with_prompts_is_chosen(as_alice: Client, tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", About=[["read me"]], Prompts=[["prompt"], ["Why?"]])
    address = sent(as_alice, PROMPTS, path.read_bytes(), "a.xlsx").headers["Location"]
    assert "<option selected>About</option><option>Prompts</option>" in plain(as_alice.get(address))
    assert "Why?" in plain(as_alice.get(address, {"sheet": "Prompts"}))
    as_alice.post(address, {"sheet": "Prompts", "column-0": "prompt"})
    assert prompts() == ["Why?"]


def test_encoding_and_sheet_of_people_are_chosen_and_shown_before_anybody_is_invited(
    as_alice: Client, tmp_path: Path
) -> None:
    listed = "Email,姓名\na@example.org,王安\n"
    address = sent(as_alice, PEOPLE, listed.encode("gb18030"), days_valid="7").headers["Location"]
    path, _mark, query = address.partition("?")
    assert query == "days_valid=7"
    assert '<input type="radio" name="encoding" value="gb18030">' in plain(as_alice.get(address))
    page = plain(as_alice.get(path, {"encoding": "gb18030", "days_valid": "7"}))
    assert '<td>a@example.org</td><td dir="auto" translate="no">王安</td>' in page
    assert 'name="days_valid" value="7"' in page
    assert not Invitation.objects.exists()
    as_alice.post(path, {"encoding": "gb18030", "days_valid": "7", "nonce": NONCE})
    again = as_alice.post(path, {"encoding": "gb18030", "days_valid": "7", "nonce": NONCE})
    assert "a@example.org" in again.content.decode(), "a second press shows the links of the first"
    assert Invitation.objects.get().name == "王安"
    book = workbook(
        tmp_path / "a.xlsx", Old=[["Email"], ["old@example.org"]], New=[["Email"], ["new@example.org"]]
    )
    address = sent(as_alice, PEOPLE, book.read_bytes(), "a.xlsx").headers["Location"].partition("?")[0]
    assert "<option selected>New</option>" in plain(as_alice.get(address, {"sheet": "New"}))
    as_alice.post(address, {"sheet": "New", "days_valid": "7"})
    assert emails() == {"a@example.org", "new@example.org"}


def test_what_is_wrong_in_a_waiting_list_of_people_is_told(as_alice: Client) -> None:
    listed = "Email,姓名\nnobody,王安\n"
    address = sent(as_alice, PEOPLE, listed.encode("gb18030")).headers["Location"].partition("?")[0]
    page = plain(as_alice.get(address, {"encoding": "gb18030"}))
    assert "Nobody was invited" in page
    assert "line 2, email: &#x27;nobody&#x27; is no e-mail address" in page
    assert as_alice.post(address, {"encoding": "gb18030", "days_valid": "7"}).status_code == 400
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("address", UPLOADS)
def test_the_waiting_file_of_another_is_not_found(as_alice: Client, draft: Study, address: str) -> None:
    content = "prompt,甲,乙\n一,二,三\n" if "candidates" in address else "春天来了,a@example.org\n"
    waiting = sent(as_alice, address, content.encode("gb18030")).headers["Location"].partition("?")[0]
    assert as_alice.get(waiting).status_code == 200
    olga = build_user("olga")
    StudyRole.objects.create(study=draft, user=olga, role="owner")
    other = Client()
    other.force_login(olga)
    assert other.get(waiting).status_code == 404
    assert other.post(waiting, {"encoding": "gb18030", "days_valid": "7"}).status_code == 404


@pytest.mark.parametrize("address", UPLOADS)
def test_an_upload_pressed_twice_leads_to_one_waiting_file(as_alice: Client, address: str) -> None:
    content = "prompt,甲,乙\n一,二,三\n" if "candidates" in address else "春天来了,a@example.org\n"
    places = {
        sent(as_alice, address, content.encode("gb18030"), nonce=NONCE).headers["Location"] for _ in "12"
    }
    assert len(places) == 1
    assert as_alice.get(places.pop()).status_code == 200
    assert WaitingUpload.objects.count() == 1


def test_prompts_pressed_twice_are_stored_once(as_alice: Client) -> None:
    for _press in "12":
        assert sent(as_alice, PROMPTS, "Why?\n", "a.txt", nonce=NONCE).headers["Location"] == MATERIAL
    assert prompts() == ["Why?"]


def test_a_file_that_was_replaced_since_it_was_looked_at_is_not_stored(as_alice: Client) -> None:
    first = sent(as_alice, PROMPTS, "春天来了\n".encode("gb18030")).headers["Location"]
    second = sent(as_alice, PROMPTS, "秋天来了\n".encode("gb18030")).headers["Location"]
    said = {"encoding": "gb18030", "is_list": "on", "column-0": "note"}
    assert as_alice.post(first, said).status_code == 404
    assert not prompts()
    as_alice.post(second, said)
    assert prompts() == ["秋天来了"]


@pytest.mark.parametrize("address", UPLOADS)
def test_a_file_of_50_megabytes_is_refused_in_a_line(as_alice: Client, address: str) -> None:
    response: HttpResponse = sent(as_alice, address, b"prompt\n" + b"x" * 50_000_000)
    assert response.status_code == 400
    words = "500 kB" if address == PEOPLE else "This file has more than 20 MB"
    assert re.search(words, response.content.decode())
    assert not WaitingUpload.objects.exists()
