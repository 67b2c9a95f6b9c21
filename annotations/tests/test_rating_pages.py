"""In the browser and by the API: files of ratings are uploaded, looked at, stored once, and taken back."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db.models.functions import Now
from django.test import Client

from annotations.imports.rating_forms import GENRE_WORDS
from annotations.models import Rating, Study, StudyMethod, StudyRole, WaitingFile, WaitingUpload
from annotations.tests.cast import shown
from annotations.tests.rating_files import long_rows, write_csv
from generation.genres import GENRES

UPLOAD = "/manage/ratings/"


@pytest.fixture
def researcher(alice: User) -> User:
    alice.user_permissions.add(Permission.objects.get(codename="add_study"))
    return User.objects.get(pk=alice.pk)


@pytest.fixture
def as_researcher(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return write_csv(tmp_path / "long.csv", long_rows(evaluators=3, prompts=4)).read_bytes()


def uploaded(client: Client, content: bytes, name: str = "my_ratings.csv") -> str:
    """Upload a file and return the address of the look."""
    response = client.post(UPLOAD, {"ratings": SimpleUploadedFile(name, content)})
    assert response.status_code == 302, response.content.decode()
    return str(response.headers["Location"])


def hidden(page: str, name: str) -> str:
    return page.split(f'name="{name}" value="')[1].split('"')[0].replace("&quot;", '"')


def fields(client: Client, look: str, **changed: str) -> dict[str, str]:
    """Return what the form of the look sends as it stands, with changes."""
    page = shown(client, look)
    roles = ("evaluator", "prompt", "method", "criterion", "score")
    return {
        **{f"column-{number}": role for number, role in enumerate(roles)},
        "criteria": hidden(page, "criteria"),
        "read_as": hidden(page, "read_as"),
        "minimum-0": "1",
        "maximum-0": "5",
        "overall": "overall",
        "slug": "mine",
        "title_en": "Mine",
        "genre": "text",
        "act": "store",
        **changed,
    }


def test_who_may_begin_studies_finds_the_way_on_the_list_of_studies(as_researcher: Client) -> None:
    assert 'href="/manage/ratings/">I have ratings already' in shown(as_researcher, "/studies/")
    assert 'href="/manage/ratings/">I have ratings already' in shown(as_researcher, "/")
    assert "我已有评分" in shown(as_researcher, "/studies/", "zh-Hans")


def test_whoever_may_not_begin_studies_is_not_let_in(as_alice: Client) -> None:
    assert as_alice.get(UPLOAD).status_code == 403
    assert "I have ratings already" not in shown(as_alice, "/")


def test_a_look_shows_columns_rows_counts_and_stores_nothing(as_researcher: Client, content: bytes) -> None:
    look = uploaded(as_researcher, content)
    page = shown(as_researcher, look)
    assert '<option value="evaluator" selected>evaluator</option>' in page
    assert "24 ratings by 3 evaluators of 8 texts: 4 prompts, 2 methods." in page
    assert "<td>r0</td>" in page
    assert not Study.objects.exists()
    assert "3 位评阅人对 8 篇文本给出的 24 个评分：4 道题目，2 种方法。" in shown(
        as_researcher, look, "zh-Hans"
    )


def test_stored_once_however_often_it_is_pressed(
    as_researcher: Client, content: bytes, researcher: User
) -> None:
    look = uploaded(as_researcher, content)
    sent = fields(as_researcher, look)
    first = as_researcher.post(look, sent)
    assert (first.status_code, first.headers["Location"]) == (302, "/studies/mine/results/")
    assert as_researcher.post(look, sent).headers["Location"] == "/studies/mine/results/"
    study = Study.objects.get()
    assert (study.title["en"], study.state, Rating.objects.count()) == ("Mine", "closed", 24)
    assert study.criteria.get().maximum == 5
    assert StudyRole.objects.filter(study=study, user=researcher, role="owner").exists()
    assert not WaitingFile.objects.exists()
    report = shown(as_researcher, "/studies/mine/results/")
    assert "Ratings collected elsewhere" in report
    assert "The plan was written after the data" in report
    assert "JSONL by ratings" in report and "by picks" not in report


def test_the_upload_of_another_is_not_found(as_researcher: Client, content: bytes, bob: User) -> None:
    look = uploaded(as_researcher, content)
    bob.user_permissions.add(Permission.objects.get(codename="add_study"))
    as_researcher.force_login(bob)
    assert as_researcher.get(look).status_code == 404


def test_columns_that_are_read_otherwise_are_counted_anew(as_researcher: Client) -> None:
    rows = b"who,what,by,wit,luck\na,p,T5,1,2\na,p,BART,3,4\n"
    look = uploaded(as_researcher, rows)
    response = as_researcher.get(look)
    assert response.status_code == 400
    page = " ".join(response.content.decode().split())
    assert "No column is the evaluator" in page
    columns = {"column-0": "evaluator", "column-1": "prompt", "column-2": "method", "column-3": "scores"}
    response = as_researcher.post(look, {**columns, "act": "look"})
    assert response.status_code == 200
    page = " ".join(response.content.decode().split())
    assert "2 ratings by 1 evaluator of 2 texts" in page
    assert "luck: " not in page
    assert "The ratings are not stored" not in page


def test_what_is_wrong_in_a_file_is_told_by_line_and_column(as_researcher: Client, content: bytes) -> None:
    look = uploaded(as_researcher, content + b"r0,p9,T5,overall,splendid\r\n")
    response = as_researcher.get(look)
    assert response.status_code == 400
    page = " ".join(response.content.decode().split())
    assert "line 26" in page
    assert "&#x27;splendid&#x27; is no number" in page
    again = as_researcher.post(look, {**{f"column-{n}": role for n, role in enumerate(
        ("evaluator", "prompt", "method", "criterion", "score"))}, "words": "splendid=5", "act": "look"})  # fmt: skip
    assert "25 ratings by 3 evaluators" in " ".join(again.content.decode().split())


def test_a_slug_that_is_taken_keeps_the_upload(as_researcher: Client, content: bytes, study: Study) -> None:
    look = uploaded(as_researcher, content)
    response = as_researcher.post(look, fields(as_researcher, look, slug=study.slug))
    assert response.status_code == 400
    assert "made of something else" in response.content.decode()
    assert Study.objects.get() == study
    assert WaitingFile.objects.count() == 1


def test_a_file_that_is_no_table_is_refused(as_researcher: Client) -> None:
    look = uploaded(as_researcher, b"%PDF-1.7 ...", "paper.pdf")
    response = as_researcher.get(look)
    assert response.status_code == 400
    assert "only tables can be read" in response.content.decode()


def test_files_that_waited_for_days_are_gone(as_researcher: Client, content: bytes) -> None:
    uploaded(as_researcher, content)
    WaitingUpload.objects.update(uploaded_at=Now() - timedelta(days=3))
    uploaded(as_researcher, content)
    assert WaitingUpload.objects.count() == 1


def test_one_upload_waits_for_a_user_and_takes_the_place_of_the_last(
    as_researcher: Client, content: bytes
) -> None:
    first, second = uploaded(as_researcher, content), uploaded(as_researcher, content)
    assert as_researcher.get(first).status_code == 404
    assert as_researcher.get(second).status_code == 200
    assert WaitingUpload.objects.count() == 1


def test_taking_back_asks_first(as_researcher: Client, content: bytes) -> None:
    look = uploaded(as_researcher, content)
    as_researcher.post(look, fields(as_researcher, look))
    assert "/manage/studies/mine/take-back/" in shown(as_researcher, "/manage/studies/mine/")
    assert "This cannot be undone." in shown(as_researcher, "/manage/studies/mine/take-back/")
    assert Rating.objects.count() == 24
    as_researcher.post("/manage/studies/mine/take-back/")
    assert not Study.objects.exists()


def put(client: Client, content: bytes, query: str = "") -> tuple[int, dict[str, object]]:
    response = client.put(f"/api/v1/studies/mine/ratings/{query}", content, content_type="text/csv")
    return response.status_code, json.loads(response.content)


def test_the_api_stores_ratings_once(as_researcher: Client, content: bytes) -> None:
    status, body = put(as_researcher, content, "?dry_run=true&scale=overall=1:5")
    assert (status, body["is_new"]) == (200, False)
    assert not Study.objects.exists()
    status, body = put(as_researcher, content, "?scale=overall=1:5")
    assert (status, body["is_new"]) == (201, True)
    assert body["summary"]["ratings"] == 24  # type: ignore[index]
    assert put(as_researcher, content, "?scale=overall=1:5")[0] == 200
    assert Rating.objects.count() == 24
    status, body = put(as_researcher, content + b"r0,p9,T5,overall,splendid\r\n")
    assert status == 409
    assert "line 26" in json.dumps(body)


CHINESE = "评价者,题目,方法,评分\n甲,登高,真人,5\n甲,登高,九歌,3\n乙,登高,真人,4\n乙,登高,九歌,1\n"


def test_ratings_in_an_encoding_that_nobody_can_tell_are_read_once_it_is_said(as_researcher: Client) -> None:
    look = uploaded(as_researcher, CHINESE.encode("gb18030"))
    asked = shown(as_researcher, look)
    assert "In which line are the words right?" in asked
    assert (
        'value="gb18030"> <span dir="auto">GB18030 or GBK (Chinese): &#x27;评价者,题目,方法,评分&#x27;'
        in asked
    )
    page = shown(as_researcher, f"{look}?encoding=gb18030")
    assert "4 ratings by 2 evaluators of 2 texts: 1 prompt, 2 methods." in page
    sent = {
        **{f"column-{number}": role for number, role in enumerate(("evaluator", "prompt", "method", "score"))},
        **{name: hidden(page, name) for name in ("criteria", "read_as", "encoding")},
        "minimum-0": "1", "maximum-0": "5", "slug": "mine", "title_en": "Mine", "genre": "text", "act": "store",
    }  # fmt: skip
    assert as_researcher.post(look, sent).headers["Location"] == "/studies/mine/results/"
    assert set(StudyMethod.objects.values_list("method__label", flat=True)) == {"真人", "九歌"}


def test_one_word_about_the_encoding_leaves_files_alone_that_tell_theirs(as_researcher: Client) -> None:
    more = CHINESE.replace("甲", "丙").replace("乙", "丁").encode()
    files = [SimpleUploadedFile("a.csv", more), SimpleUploadedFile("b.csv", CHINESE.encode("gb18030"))]
    look = str(as_researcher.post(UPLOAD, {"ratings": files}).headers["Location"])
    assert "In which line are the words right?" in shown(as_researcher, look)
    assert "8 ratings by 4 evaluators of 2 texts" in shown(as_researcher, f"{look}?encoding=gb18030")


def test_the_api_and_the_command_are_told_the_encoding(
    as_researcher: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ratings.csv"
    path.write_bytes(CHINESE.encode("gb18030"))
    address = "/api/v1/studies/mine/ratings/?dry_run=true"
    refused = as_researcher.put(address, path.read_bytes(), content_type="text/csv")
    assert refused.status_code == 409 and "GB18030 or GBK" in refused.content.decode()
    answer = as_researcher.put(f"{address}&encoding=gb18030", path.read_bytes(), content_type="text/csv")
    assert answer.json()["summary"]["ratings"] == 4
    call_command("import_ratings", str(path), slug="mine", dry_run=True, encoding="gb18030")
    assert "Methods: 真人, 九歌." in capsys.readouterr().out


def test_the_kinds_of_texts_are_named_in_the_readers_language(as_researcher: Client, content: bytes) -> None:
    page = shown(as_researcher, uploaded(as_researcher, content), "zh-Hans")
    assert '<option value="qa">问答</option>' in page and '<option value="poem">诗</option>' in page
    assert set(GENRE_WORDS) == set(GENRES)
