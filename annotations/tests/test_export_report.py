from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotations.models import Enrolment, Study
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import answer_everything
from generation.models import Method


@pytest.fixture
def rated(study: Study, enrolment: Enrolment) -> Study:
    """The study of two pages, answered in full by alice and closed."""
    answer_everything(enrolment)
    close_study(study)
    return study


def exported(*arguments: str) -> str:
    output = io.StringIO()
    call_command("export_report", *arguments, stdout=output)
    return output.getvalue()


def test_json_goes_to_standard_output_by_default(rated: Study) -> None:
    report = json.loads(exported("poems"))
    assert set(report) >= {
        "study", "participants", "scores_collected", "off_scale", "published", "best_choices",
        "comparisons", "agreement", "ranking", "evaluators", "sealed", "plan",
    }  # fmt: skip
    assert report["study"]["criteria"][1] == {
        "key": "overall", "label": "Overall", "minimum": 1, "maximum": 10, "is_overall": True,
        "lower_is_better": False,
    }  # fmt: skip
    assert len(report["published"]["p_values"]) == 4 * 3 * 2
    assert set(report["published"]["p_values"][0]) == {"null", "a", "b", "criterion", "p"}


def test_csv_has_one_number_a_row(rated: Study) -> None:
    rows = list(csv.reader(io.StringIO(exported("poems", "--format", "csv").removeprefix("\ufeff"))))
    assert rows[0] == ["table", "criterion", "method", "other_method", "value"]
    assert ["mean", "overall", "method-3", "", "4.0"] in rows
    assert ["best_choices", "", "method-3", "", "2"] in rows


def test_latex_is_escaped(rated: Study) -> None:
    Method.objects.filter(key="method-0").update(label=r"50% & rising_\fast")
    text = exported("poems", "--format", "tex")
    assert r"50\% \& rising\_\textbackslash{}fast" in text
    assert text.count(r"\toprule") == text.count(r"\bottomrule") > 5


def test_html_is_one_file_that_loads_nothing(rated: Study) -> None:
    Method.objects.filter(key="method-0").update(label="<b>bold</b>")
    text = exported("poems", "--format", "html")
    assert "&lt;b&gt;bold&lt;/b&gt;" in text
    assert "<link" not in text
    assert "<script" not in text
    assert set(re.findall('src="([^"]{5})', text)) == {"data:"}
    assert "--paper" in text


def test_html_in_chinese_is_marked_as_chinese(rated: Study) -> None:
    text = exported("poems", "--format", "html", "--language", "zh-hans")
    assert '<html lang="zh-hans">' in text
    assert "总体" in text


def test_a_file_is_written_whole(rated: Study, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    assert exported("poems", "--output", str(path)) == ""
    assert json.loads(path.read_text())["study"]["slug"] == "poems"
    assert list(tmp_path.iterdir()) == [path]


def test_a_path_that_cannot_be_written_gives_one_line(rated: Study, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nowhere/report\.json: No such file or directory"):
        exported("poems", "--output", str(tmp_path / "nowhere" / "report.json"))


def test_an_unknown_study_gives_one_line(db: None) -> None:
    with pytest.raises(CommandError, match="lost: no such study"):
        exported("lost")


@pytest.mark.parametrize("file_format", ["json", "html", "csv", "tex"])
def test_staff_download_what_the_command_writes(
    rated: Study, client: Client, carol: User, file_format: str
) -> None:
    client.force_login(carol)
    response = client.get(reverse("annotations:results_file", args=["poems", file_format]))
    assert response.content.decode() == exported("poems", "--format", file_format)
    assert response["Content-Disposition"] == f'attachment; filename="poems.{file_format}"'


def test_staff_see_the_funnel_and_the_tables(rated: Study, client: Client, carol: User) -> None:
    client.force_login(carol)
    page = client.get(reverse("annotations:results", args=["poems"])).content.decode()
    for words in ("Recruited", "Finished", "Valid", "Method 3", "4.00", "(0.00)"):
        assert words in page


@pytest.mark.parametrize("name", ["results", "results_file"])
def test_nobody_else_finds_the_results(rated: Study, client: Client, alice: User, name: str) -> None:
    url = reverse(f"annotations:{name}", args=["poems"] if name == "results" else ["poems", "json"])
    assert client.get(url).status_code == 302
    client.force_login(alice)
    assert client.get(url).status_code == 404


@pytest.mark.parametrize(
    ("name", "arguments", "content"),
    [
        ("ratings_file", ["csv"], b"method-3"),
        ("ratings_file", ["jsonl"], b"method-3"),
        ("ratings_file", ["parquet"], b"PAR1"),
        ("preferences_file", ["ratings", "jsonl"], b'"chosen"'),
        ("preferences_file", ["picks", "parquet"], b"PAR1"),
    ],
)
def test_staff_download_answers_and_preference_pairs_once_the_study_is_closed(
    study: Study,
    enrolment: Enrolment,
    client: Client,
    carol: User,
    name: str,
    arguments: list[str],
    content: bytes,
) -> None:
    answer_everything(enrolment)
    client.force_login(carol)
    url = reverse(f"annotations:{name}", args=["poems", *arguments])
    assert client.get(url)["Location"] == reverse("annotations:results", args=["poems"])
    close_study(study)
    response = client.get(url)
    assert content in b"".join(response.streaming_content)  # type: ignore[attr-defined]
    assert "attachment" in response["Content-Disposition"]


@pytest.mark.parametrize(
    "path", ["ratings.exe", "preferences-votes.jsonl", "preferences-picks.csv", "results.exe"]
)
def test_a_file_that_is_not_offered_is_not_found(
    rated: Study, client: Client, carol: User, path: str
) -> None:
    client.force_login(carol)
    assert client.get(f"/studies/poems/{path}").status_code == 404
