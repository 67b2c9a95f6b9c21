"""Marked errors that come back: one's own export in every format, files of MQM, twice, taken back, and wrong."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from annotations.models import Marking, RatingImport, Span, Study
from annotations.plan.simulation import Effects, simulate_ratings
from annotations.results.report import study_report
from annotations.results.spans.rows import span_chunks
from annotations.setup.lifecycle import close_study
from annotations.tests.marking_cast import build_marked_study
from generation.models import Candidate

TEXTS = [
    "=The cafe\u0301 was bad: it had no chairs and no tea at all.",
    "'Tis a text of many words, none of them <v>tagged</v> by anybody.",
]


@pytest.fixture
def marked(db: None) -> Study:
    """A closed study in whose texts eight simulated evaluators marked errors."""
    study = build_marked_study(*TEXTS, prompts=6, methods=2, is_rated=False)
    simulate_ratings(study, evaluators=8, seed=4, effects=Effects(step=2))
    close_study(study)
    study.refresh_from_db()
    return study


def stored(slug: str) -> list[tuple[Any, ...]]:
    """Return every mark of a study by who, where and what."""
    rows = Span.objects.filter(enrolment__study__slug=slug).order_by(
        "enrolment__pseudonym", "candidate__text", "number"
    )
    return list(
        rows.values_list(
            "enrolment__pseudonym", "candidate__text", "number", "start", "end", "category__key", "severity__key",
            "note",
        )
    )  # fmt: skip


@pytest.mark.parametrize("file_format", ["csv", "jsonl", "xlsx", "parquet"])
def test_an_export_comes_back_mark_by_mark_with_the_same_report(
    marked: Study, tmp_path: Path, file_format: str
) -> None:
    path = tmp_path / f"spans.{file_format}"
    path.write_bytes(b"".join(span_chunks(marked, file_format)))
    call_command("import_spans", path, slug="again")
    again = Study.objects.get(slug="again")
    assert (again.state, again.protocol) == (Study.State.CLOSED, "spans")
    assert stored("again") == stored("marked")
    assert Marking.objects.filter(enrolment__study=again).count() == 8 * 12
    first, second = study_report(marked), study_report(again)
    assert first.analysis is not None
    assert second.analysis is not None
    means = [
        {one.method: one.crossed.as_dict() for one in report.means if one.criterion == "penalty"}
        for report in (first.analysis, second.analysis)
    ]
    assert means[0] == means[1]
    assert first.spans is not None
    assert second.spans is not None
    assert first.spans.agreement == second.spans.agreement
    assert second.collected_elsewhere is not None
    assert second.collected_elsewhere.kind == "spans"


def test_the_same_file_again_changes_nothing_and_another_is_refused(
    marked: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "spans.jsonl"
    path.write_bytes(b"".join(span_chunks(marked, "jsonl")))
    for _ in range(2):
        call_command("import_spans", path, slug="again")
    assert "nothing has changed" in capsys.readouterr().out
    assert len(stored("again")) == len(stored("marked"))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(CommandError, match="made of something else"):
        call_command("import_spans", path, slug="again")
    with pytest.raises(CommandError, match="made of something else"):
        call_command("import_spans", path, slug="marked")


def test_what_was_imported_is_taken_back_whole(marked: Study, tmp_path: Path) -> None:
    path = tmp_path / "spans.jsonl"
    path.write_bytes(b"".join(span_chunks(marked, "jsonl")))
    before = Candidate.objects.count(), User.objects.count(), Span.objects.count()
    call_command("import_spans", path, slug="again")
    call_command("import_ratings", slug="again", take_back=True, yes=True)
    assert (Candidate.objects.count(), User.objects.count(), Span.objects.count()) == before
    assert not RatingImport.objects.exists()


MQM = [
    ["system", "doc", "seg_id", "rater", "source", "target", "category", "severity"],
    ["one", "d", "1", "r1", "Der Hund bellt.", "The <v>cat</v> barks.", "Accuracy/Mistranslation", "Major"],
    ["one", "d", "1", "r1", "Der Hund bellt.", "The cat <v>barks</v>.", "Fluency/Grammar", "Minor"],
    ["two", "d", "1", "r1", "Der Hund bellt.", "The dog barks.", "No-error", "No-error"],
]


def test_a_file_of_mqm_is_read_by_its_tags_and_a_rubric(db: None, tmp_path: Path) -> None:
    path = tmp_path / "mqm.tsv"
    path.write_text("\n".join("\t".join(row) for row in MQM), encoding="utf-8")
    call_command("import_spans", path, slug="wmt", rubric="mqm")
    assert stored("wmt") == [
        ("r1", "The cat barks.", 0, 4, 7, "accuracy", "major", ""),
        ("r1", "The cat barks.", 1, 8, 13, "fluency", "minor", ""),
    ]
    assert Marking.objects.filter(candidate__text="The dog barks.", is_done=True).exists()


GOOD = {
    "evaluator": "E1", "prompt": "Say.", "method": "one", "tagged": "a <v>bad</v> word", "start": "2", "end": "5",
    "category": "style", "severity": "minor", "penalty": "1",
}  # fmt: skip
OTHER = GOOD | {"method": "two"}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"evaluator": ""}, "line 3, evaluator: is empty"),
        ({"method": " "}, "line 3, method: is empty"),
        ({"prompt": ""}, "line 3, prompt: is empty"),
        ({"tagged": ""}, "line 3, tagged: is empty"),
        ({"start": "2.5"}, "line 3, start: must be a whole number"),
        ({"start": "3"}, "line 3, tagged: has no <v> and </v> around"),
        ({"end": "1"}, "line 3, tagged: has no <v> and </v> around"),
        ({"tagged": "a <v>bad word"}, "line 3, tagged: has no <v>"),
        (
            {
                "method": "one",
                "tagged": "another <v>word",
                "start": "",
                "end": "",
                "category": "",
                "severity": "",
            },
            "line 3, tagged: is another",
        ),
        (
            {"tagged": "e<v>\u0301t</v>", "start": "1", "end": "3", "method": "three"},
            "line 3, start: cuts a character",
        ),
        ({"category": "!"}, "line 3, category: must hold English letters"),
        ({"severity": ""}, "line 3, severity: must hold English letters"),
        ({"penalty": "-1"}, "line 3, penalty: must be a number from 0 to 1000"),
        ({"penalty": ""}, "line 3, penalty: is empty; give it, or a rubric"),
        ({"penalty": "2"}, "line 3, penalty: is 2, and 1 on another line"),
        ({"method": "one"}, "line 3, start: marks the same words in this category a second time"),
        ({"is_done": "perhaps"}, "line 3, is_done: must be true or false"),
        ({"position": "first"}, "line 3, position: must be a whole number"),
        ({"note": "x" * 301}, "line 3, note: is longer than 300 characters"),
        (
            {"start": "2", "end": "2", "tagged": "a <v></v>bad word"},
            "category: 'style' marks words in some rows",
        ),
    ],
)
def test_what_is_wrong_is_said_by_line_and_field_and_nothing_is_stored(
    db: None, tmp_path: Path, row: dict[str, str], said: str
) -> None:
    path = tmp_path / "marks.csv"
    columns = dict.fromkeys([*OTHER, *row])
    output = io.StringIO()
    writer = csv.DictWriter(output, columns, restval="")
    writer.writeheader()
    writer.writerows([GOOD, OTHER | row])
    path.write_text(output.getvalue(), encoding="utf-8")
    with pytest.raises(CommandError) as refused:
        call_command("import_spans", path, slug="bad")
    assert said in str(refused.value)
    assert not Study.objects.exists()


def test_columns_that_lack_are_named_and_a_kind_that_a_rubric_lacks(db: None, tmp_path: Path) -> None:
    path = tmp_path / "marks.jsonl"
    path.write_text(json.dumps({"evaluator": "E1", "category": "a", "severity": "b"}), encoding="utf-8")
    with pytest.raises(CommandError, match=r"lacks the columns method, prompt / prompt_id, tagged / text"):
        call_command("import_spans", path, slug="bad")
    path.write_text("\n".join(map(json.dumps, (GOOD, OTHER | {"category": "spelling?"}))), encoding="utf-8")
    with pytest.raises(CommandError, match=r"line 2, category: 'spelling\?' is none of accuracy"):
        call_command("import_spans", path, slug="bad", rubric="mqm")
    path.write_text(json.dumps(GOOD), encoding="utf-8")
    with pytest.raises(CommandError, match="All texts are by one method, 'one'"):
        call_command("import_spans", path, slug="bad")


def test_the_api_imports_marks_and_says_what_there_is(client: Client, carol: User, alice: User) -> None:
    url = "/api/v1/studies/marks/spans/?name=marks.jsonl"
    body = "\n".join(
        map(
            json.dumps,
            (GOOD, OTHER | {"start": None, "end": None, "tagged": "a word", "category": "", "severity": ""}),
        )
    )
    client.force_login(alice)
    assert client.put(url, body, content_type="application/jsonl").status_code == 403
    client.force_login(carol)
    look = client.put(f"{url}&dry_run=true", body, content_type="application/jsonl")
    assert (look.status_code, Study.objects.count()) == (200, 0)
    done = client.put(url, body, content_type="application/jsonl")
    assert done.status_code == 201
    assert done.json()["summary"].items() >= {"marks": 1, "readings": 2, "methods": 2}.items()
    assert client.put(url, body, content_type="application/jsonl").status_code == 200
    rows = client.get("/api/v1/studies/marks/spans/").json()["results"]
    assert [(one["start"], one["end"], one["tagged"]) for one in rows] == [
        (2, 5, "a <v>bad</v> word"),
        (None, None, "a word"),
    ]
    bad = client.put(url, body.replace('"2"', '"x"'), content_type="application/jsonl")
    assert "line 1, start" in bad.content.decode()
