"""The page of a study's judges and their API: upload, list, delete, in both languages."""

from __future__ import annotations

import io
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotations.access.roles import give_role
from annotations.judges.metrics import compute_metric
from annotations.judges.prompt_draw import draw_prompts
from annotations.judges.tests.cast import score_rows, write_scores
from annotations.models import Judge, JudgeRating, Study, StudyRole
from annotations.tests.cast import build_study, build_user, shown
from generation.models import Prompt

PAGE = "/manage/studies/poems/judges/"
API = "/api/v1/studies/poems/"


@pytest.fixture
def study(db: None) -> Study:
    return build_study()


@pytest.fixture
def owner(client: Client, study: Study) -> Client:
    user = build_user("olga")
    give_role(study, user, StudyRole.Role.OWNER, by=None)
    client.force_login(user)
    return client


def scores(study: Study, tmp_path: Path, **changed: Any) -> SimpleUploadedFile:
    rows = [{**row, **changed} for row in score_rows(study)]
    return SimpleUploadedFile("scores.csv", write_scores(tmp_path / "scores.csv", rows).read_bytes())


def said(**fields: Any) -> dict[str, Any]:
    return {"key": "comet", "saw_answers": "no", "sampling": "all", **fields}


def test_a_file_is_stored_and_listed(owner: Client, study: Study, tmp_path: Path) -> None:
    response = owner.post(PAGE, said(scores=scores(study, tmp_path), own_methods=["method-0"]))
    assert response.status_code == HTTPStatus.FOUND
    page = shown(owner, PAGE)
    assert "8 scores are stored." in page
    assert '<th scope="row">comet</th> <td>scores from a file</td>' in page
    assert Judge.objects.get().own_methods == ["method-0"]
    owner.post(PAGE, said(scores=scores(study, tmp_path), own_methods=["method-0"]))
    assert "These scores are there already." in shown(owner, PAGE)


def test_problems_of_a_file_are_told_on_the_page_by_line_and_field(
    owner: Client, study: Study, tmp_path: Path
) -> None:
    response = owner.post(PAGE, said(scores=scores(study, tmp_path, score="x")))
    assert response.status_code == HTTPStatus.BAD_REQUEST
    page = " ".join(response.content.decode().split())
    assert "<td>line 2</td> <td>score</td> <td>&#x27;x&#x27; is no finite number (8 of this kind" in page
    assert not Judge.objects.exists()


def test_it_has_to_be_said_whether_answers_were_in_sight(owner: Client, study: Study, tmp_path: Path) -> None:
    response = owner.post(PAGE, {"key": "comet", "sampling": "all", "scores": scores(study, tmp_path)})
    assert "Say whether people&#x27;s answers were in sight." in response.content.decode()


def test_the_page_is_chinese_for_chinese_readers(owner: Client) -> None:
    page = shown(owner, PAGE, "zh-hans")
    assert "评审程序与自动指标" in page and "Store" not in page


def test_the_page_takes_the_same_queries_however_many_judges_there_are(
    owner: Client, study: Study, tmp_path: Path, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for key in ("one", "two", "three"):
        owner.post(PAGE, said(key=key, scores=scores(study, tmp_path)))
    with django_assert_max_num_queries(9):
        owner.get(PAGE)


def test_deleting_a_judge_asks_first(owner: Client, study: Study, tmp_path: Path) -> None:
    owner.post(PAGE, said(scores=scores(study, tmp_path)))
    address = reverse("annotations:delete_judge", args=["poems", "comet"])
    assert "Delete the judge comet?" in shown(owner, address)
    assert Judge.objects.exists()
    owner.post(address)
    assert not Judge.objects.exists() and not JudgeRating.objects.exists()


def test_the_api_stores_lists_and_deletes(owner: Client, study: Study, tmp_path: Path) -> None:
    address = f"{API}judge-ratings/?judge=comet&saw_answers=no&version=22"
    body = write_scores(tmp_path / "scores.csv", score_rows(study)).read_bytes()

    def put(where: str) -> Any:
        return owner.put(where, body, content_type="text/csv")

    first = put(address)
    assert first.status_code == HTTPStatus.CREATED, first.content
    assert first.json()["scores"] == 8 and first.json()["version"] == "22"
    assert put(address).status_code == HTTPStatus.OK
    assert put(f"{API}judge-ratings/?judge=comet").status_code == HTTPStatus.BAD_REQUEST
    listed = owner.get(f"{API}judges/").json()
    assert [one["key"] for one in listed["results"]] == ["comet"]
    assert "score" not in listed["results"][0]
    assert owner.delete(f"{API}judges/comet/").status_code == HTTPStatus.NO_CONTENT
    assert owner.delete(f"{API}judges/comet/").status_code == HTTPStatus.NOT_FOUND


def test_the_api_tells_problems_of_a_file(owner: Client, study: Study) -> None:
    body = io.BytesIO(b"prompt,method,score\nnowhere,method-0,3\n").getvalue()
    response = owner.put(f"{API}judge-ratings/?judge=comet&saw_answers=no", body, content_type="text/csv")
    assert response.status_code == HTTPStatus.CONFLICT
    assert "no prompt of the study" in str(response.json()["problems"])


def test_analysts_and_observers_may_not_see_or_store_judges(client: Client, study: Study) -> None:
    user = build_user("ana")
    give_role(study, user, StudyRole.Role.ANALYST, by=None)
    client.force_login(user)
    assert client.get(PAGE).status_code == HTTPStatus.FORBIDDEN
    assert client.get(f"{API}judges/").status_code == HTTPStatus.FORBIDDEN


def test_metrics_against_a_reference_are_offered_where_there_is_one(owner: Client, study: Study) -> None:
    page = shown(owner, PAGE)
    assert '<option value="chrf">' not in page
    assert (
        "Not offered, since no prompt of this study has a reference: chrF against the reference, BLEU" in page
    )
    prompt = Prompt.objects.filter(page__subtask__study=study).first()
    assert prompt is not None
    Prompt.objects.filter(pk=prompt.pk).update(parts=[{"name": "reference", "text": "山中"}])
    page = shown(owner, PAGE)
    assert '<option value="chrf">' in page and "Not offered" not in page


def test_versions_of_metrics_are_in_the_readers_language(owner: Client, study: Study) -> None:
    compute_metric(study, "length", by=None)
    assert "words, or characters where no space parts words" in shown(owner, PAGE)
    assert "不以空格分词" in shown(owner, PAGE, language="zh-hans")


def test_the_page_says_how_prompts_were_drawn(owner: Client) -> None:
    assert "Which prompts people rate" not in shown(owner, PAGE)
    drawn, olga = build_study(slug="drawn", prompts=5), User.objects.get(username="olga")
    give_role(drawn, olga, StudyRole.Role.OWNER, by=None)
    Study.objects.filter(pk=drawn.pk).update(state="draft")
    draw_prompts(drawn, by="uniform", count=3, seed=7, staff=olga)
    page = shown(owner, PAGE.replace("poems", "drawn"))
    assert "3 of 5 prompts, drawn on " in page
    assert "by olga: every prompt with the same chance, seed 7." in page


@pytest.mark.parametrize("hidden", ["\u202e", "\x07", "\u200b"])
def test_a_label_with_a_character_that_nobody_sees_is_refused(
    owner: Client, study: Study, tmp_path: Path, hidden: str
) -> None:
    response = owner.post(PAGE, said(scores=scores(study, tmp_path), label=f"com{hidden}et"))
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert f"a character that cannot be seen: U+{ord(hidden):04X}." in response.content.decode()
    assert not Judge.objects.exists()
