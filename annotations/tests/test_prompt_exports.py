"""Id and tags of a prompt are in every export, and all that a prompt says where a model is to learn from it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path

import openpyxl
import pyarrow.parquet
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import translation

from annotations.models import Enrolment, Rating, Study
from annotations.results.answer_rows import rating_chunks
from annotations.results.preferences.files import wanted_file
from annotations.results.preferences.wanted import Wanted
from annotations.results.report import study_report
from annotations.results.report_formats import export
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import answer_everything
from generation.models import Prompt
from generation.prompts import PromptContent

ODD = "  if a:\r\n\treturn b -- 1\n「可」👩‍🚀"
WHOLE = PromptContent(
    "poems 古题 1",
    "",
    "007",
    (("source", ODD),),
    (("user", ODD),),
    (("domain", "=news; 1/2"), ("length", "3")),
)


@pytest.fixture
def closed(study: Study, enrolment: Enrolment) -> Study:
    stored = Prompt.of("poem", WHOLE)
    Prompt.objects.filter(text="poems 古题 1").update(
        external_id=stored.external_id, parts=stored.parts, turns=stored.turns, tags=stored.tags
    )
    answer_everything(enrolment)
    close_study(study)
    return study


def written(chunks: Iterable[bytes]) -> bytes:
    return b"".join(chunks)


def test_answers_have_id_and_tags_of_their_prompts(closed: Study) -> None:
    lines = [json.loads(line) for line in written(rating_chunks(closed, "jsonl")).splitlines()]
    assert {(line["prompt_id"], json.dumps(line["tags"])) for line in lines} == {
        ("007", json.dumps(dict(WHOLE.tags))),
        (None, "null"),
    }
    table = list(csv.DictReader(io.StringIO(written(rating_chunks(closed, "csv")).decode("utf-8-sig"))))
    assert {row["prompt_id"] for row in table} == {"'007", ""}, "a spreadsheet would make 7 of it"
    assert {json.loads(row["tags"])["length"] for row in table if row["tags"]} == {"3"}
    parquet = pyarrow.parquet.read_table(io.BytesIO(written(rating_chunks(closed, "parquet"))))
    assert set(parquet.column("prompt_id").to_pylist()) == {"007", None}


def test_api_lists_answers_and_prompts_with_them(closed: Study, client: Client, carol: User) -> None:
    carol.is_superuser = True
    carol.save()
    client.force_login(carol)
    answers = client.get("/api/v1/studies/poems/ratings/").json()["results"]
    assert answers[0]["tags"] == dict(WHOLE.tags)
    prompts = client.get("/api/v1/studies/poems/prompts/").json()["results"]
    assert prompts[0]["prompt_id"] == "007"
    assert prompts[0]["parts"] == [{"name": "source", "text": ODD}]
    assert prompts[0]["turns"] == [{"role": "user", "text": ODD}]
    assert prompts[1]["tags"] == {}


def test_pairs_hold_all_that_the_prompt_says(closed: Study) -> None:
    lines = written(wanted_file(closed, Wanted("picks"))[2]).splitlines()
    pairs = [json.loads(line) for line in lines]
    first = next(pair for pair in pairs if (pair["subtask"], pair["page"]) == (1, 1))
    assert first["prompt"] == f"source:\n{ODD}\n\nuser:\n{ODD}\n\npoems 古题 1"
    assert first["prompt_id"] == "007"
    assert first["parts"] == [{"name": "source", "text": ODD}]
    assert first["turns"] == [{"role": "user", "text": ODD}]
    assert first["tags"] == dict(WHOLE.tags)


def test_report_says_them_of_its_cases(closed: Study) -> None:
    cases = study_report(closed).as_dict()["cases"]
    assert {(case["page"], case["prompt_id"]) for case in cases} <= {("1/1", "007"), ("1/2", "")}
    assert all(case["tags"] == (dict(WHOLE.tags) if case["page"] == "1/1" else {}) for case in cases)


def test_report_has_the_slices_of_a_tag_in_every_format(closed: Study) -> None:
    Prompt.objects.filter(text="poems 古题 1").update(tags={"domain": "news", "id": "1"})
    Prompt.objects.filter(text="poems 古题 2").update(tags={"domain": "law"})
    report = study_report(closed)
    plain = json.loads(export(report, "json"))
    assert [(part["tag"], part["value"], part["prompts"]) for part in plain["slices"]] == [
        ("domain", "law", 1),
        ("domain", "news", 1),
    ]
    answered = Rating.objects.filter(
        candidate__prompt__text="poems 古题 2",
        criterion__is_overall=True,
        candidate__run__method__key="method-2",
    )
    mean = next(
        one
        for one in plain["slices"][0]["means"]
        if (one["method"], one["criterion"]) == ("method-2", "overall")
    )
    assert mean["estimate"] == answered.get().score
    assert len(plain["slices"][0]["comparisons"]) == 6
    html = export(report, "html").decode()
    assert "Exploratory: no plan names these parts of the prompts." in html
    assert "Differences on the primary criterion by domain" in html
    assert '"slice.domain=law.crossed_mean.estimate"' in export(report, "csv").decode()
    sheets = openpyxl.load_workbook(io.BytesIO(export(report, "xlsx"))).worksheets
    cells = {str(cell) for sheet in sheets for row in sheet.iter_rows(values_only=True) for cell in row}
    assert {"domain", "law", "news"} <= cells
    with translation.override("zh-hans"):
        assert "按题目标签分组" in export(report, "html").decode()


def test_sealed_report_has_no_slices(study: Study, enrolment: Enrolment) -> None:
    Prompt.objects.filter(text="poems 古题 1").update(tags={"domain": "news"})
    Prompt.objects.filter(text="poems 古题 2").update(tags={"domain": "law"})
    answer_everything(enrolment)
    assert json.loads(export(study_report(study), "json"))["slices"] == []


def test_candidates_come_back_byte_for_byte(closed: Study, tmp_path: Path) -> None:
    path = tmp_path / "candidates.jsonl"
    call_command("export_candidates", closed.slug, output=path)
    first = json.loads(path.read_bytes().splitlines()[0])
    assert (first["id"], first["parts"], first["turns"], first["tags"]) == (
        "007",
        [{"name": "source", "text": ODD}],
        [{"role": "user", "text": ODD}],
        dict(WHOLE.tags),
    )
