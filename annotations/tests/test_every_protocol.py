"""Every protocol has what every other one has: pages, answers by the API, rehearsal, report, files and preferences.

A protocol that is added joins `STUDIES` with a small study of its own; the first test fails until it has.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import override

from annotations.models import AnswerChange, PageCandidate, Study
from annotations.protocols.table import PROTOCOLS
from annotations.recruiting.enrolment import enrol
from annotations.results.archive import study_archive
from annotations.results.report import study_report
from annotations.results.report_formats import FORMATS, export
from annotations.tests.cast import build_checklist_study, build_study
from annotations.tests.marking_cast import build_marked_study
from generation.models import Candidate
from stats.reports.archive import differing, numbers_of
from stats.reports.write_rows import FORMATS as ROW_FORMATS

PROMPTS, METHODS, EVALUATORS = 4, 3, 3
PAGE = "subtasks/1/pages/1/"
DIALOGUE = [{"role": "user", "text": "Hello?"}, {"role": "assistant", "text": "Yes."}]


def judged(protocol: str, size: int | None) -> Study:
    study = build_study(prompts=PROMPTS, methods=METHODS)
    Study.objects.filter(pk=study.pk).update(
        protocol=protocol, candidates_per_page=size, has_best_picks=False
    )
    return study


def dialogues() -> Study:
    study = build_study(prompts=PROMPTS, methods=METHODS)
    Candidate.objects.update(text=json.dumps(DIALOGUE))
    study.criteria.filter(is_overall=True).update(rates_turns=True)
    PageCandidate.objects.update(turns=1)
    return study


# By the protocol: a study, its rows as an export, an address of the API and a file, and where own answers are sent to.
STUDIES: dict[str, tuple[Callable[[], Study], str, str, str]] = {
    "ratings": (lambda: build_study(prompts=PROMPTS, methods=METHODS), "ratings", "ratings", "ratings"),
    "pairwise": (lambda: judged("pairwise", 2), "judgements", "judgements", "judgements"),
    "ranking": (lambda: judged("ranking", None), "judgements", "judgements", "judgements"),
    "best_worst": (lambda: judged("best_worst", None), "judgements", "judgements", "judgements"),
    "checklist": (
        lambda: build_checklist_study(prompts=PROMPTS, methods=METHODS), "checklist", "checklist-answers", "checklist",
    ),
    "spans": (lambda: build_marked_study(prompts=PROMPTS, methods=METHODS), "spans", "spans", "markings"),
    # Beside ratings of the whole, those of turns.
    "turns": (dialogues, "turns", "turn-ratings", "ratings"),
}  # fmt: skip


def own_answers(page: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a first answer to a page as the API gives it, by whatever it asks."""
    text = page["candidates"][0]
    if page["judged"]:
        question = page["judged"][0]
        said: dict[str, Any] = {"token": text["token"], "criterion": question["criterion"]}
        if question["options"]:
            yield said | {"number": question["options"][0]["number"]}
        else:
            tokens = [one["token"] for one in page["candidates"]]
            yield said | {"places": tokens[: question["places"]]}
    elif page["checklist"]:
        item = page["checklist"][0]
        yield {"token": text["token"], "item": item["key"], "answer": item["options"][0]["number"]}
    elif page["error_categories"]:
        mark = {
            "category": page["error_categories"][0]["key"],
            "severity": page["severities"][0]["key"],
            "start": 0,
            "end": 1,
        }
        yield {"token": text["token"], "marks": [mark], "is_done": True}
    else:
        for key in text["scores"]:
            criterion, _colon, turn = key.partition(":")
            answer = {"token": text["token"], "criterion": criterion, "score": 3}
            yield answer | {"turn": int(turn)} if turn else answer


def test_every_protocol_is_tried_here() -> None:
    assert set(STUDIES) == {*PROTOCOLS, "turns"}


@pytest.mark.parametrize("protocol", STUDIES)
def test_a_page_is_read_and_answered_by_page_and_api_in_few_queries(
    db: None, protocol: str, alice: User, django_assert_max_num_queries: Any
) -> None:
    study = STUDIES[protocol][0]()
    enrol(study, alice)
    client = Client()
    client.force_login(alice)
    path = f"/studies/{study.slug}/{PAGE}"
    client.get(path)
    with django_assert_max_num_queries(8):
        html = client.get(path).content.decode()
    # The keys of a protocol are listed on its page, in the reader's language.
    study.refresh_from_db()
    with override("en"):
        assert all(escape(str(act)) in html for _keys, act in study.asks.keys)
    with django_assert_max_num_queries(8):
        page = client.get(f"/api/v1/my{path}").json()
    assert page["protocol"] == study.protocol
    # A criterion that a text is reckoned by is not asked.
    sent = list(own_answers(page))
    assert sent
    for number, answer in enumerate(sent, start=1):
        with django_assert_max_num_queries(4):
            reply = client.post(
                f"/api/v1/my{path}{STUDIES[protocol][3]}/",
                json.dumps(answer | {"order": number}),
                content_type="application/json",
            )
        assert reply.status_code == 200, reply.content
    assert AnswerChange.objects.count() == len(sent)
    again = client.get(f"/api/v1/my{path}").json()
    assert (again["answered"], again["saved_at"] is None) == (page["answered"] + len(sent), False)


@pytest.fixture(params=STUDIES)
def rehearsed(request: pytest.FixtureRequest, db: None) -> tuple[str, Study]:
    """A study of each protocol that simulated evaluators answered as a browser would."""
    protocol: str = request.param
    study = STUDIES[protocol][0]()
    call_command("rehearse", study.slug, evaluators=EVALUATORS, effect=1.5, seed=1)
    return protocol, Study.objects.get(slug=f"{study.slug}-rehearsal-1")


def test_a_rehearsal_has_a_report_in_every_format_files_archive_and_preferences(
    rehearsed: tuple[str, Study], client: Client, carol: User, tmp_path: Path
) -> None:
    protocol, study = rehearsed
    _build, rows, address, _own = STUDIES[protocol]
    client.force_login(carol)
    # The report.
    report = study_report(study)
    assert (report.participants.finished, report.participants.valid > 0) == (EVALUATORS, True)
    assert report.analysis is not None
    for language in ("en", "zh-hans"):
        with override(language):
            for file_format in FORMATS if language == "en" else ("html",):
                assert export(report, file_format)
    # The answers, as files of the command and of the page, and by the API.
    counts = set()
    for file_format in ROW_FORMATS:
        path = tmp_path / f"rows.{file_format}"
        call_command(f"export_{rows}", study.slug, format=file_format, output=path)
        assert path.stat().st_size
        if file_format == "jsonl":
            counts.add(len(path.read_text(encoding="utf-8").splitlines()))
    results = client.get(f"/studies/{study.slug}/results/").content.decode()
    assert f"/studies/{study.slug}/{rows}.csv" in results
    assert b"".join(client.get(f"/studies/{study.slug}/{rows}.jsonl")).count(b"\n") in counts
    listed = client.get(f"/api/v1/studies/{study.slug}/{address}/?page_size=500").json()
    assert len(listed["results"]) in counts
    # The archive.
    with zipfile.ZipFile(io.BytesIO(study_archive(study))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert list(differing(numbers_of(files), json.loads(files["results.json"]))) == []
    name = {"ratings": "answers"}.get(rows, rows)
    assert files[f"{name}.jsonl"].count(b"\n") in counts
    # Preference data.
    for layout in ("pairs", "unpaired", "ranked"):
        path = tmp_path / f"{layout}.jsonl"
        call_command("export_preferences", study.slug, layout=layout, format="jsonl", output=path)
        assert path.exists()


@pytest.mark.parametrize("protocol", STUDIES)
def test_a_rehearsal_is_asked_for_by_a_button(db: None, client: Client, carol: User, protocol: str) -> None:
    study = STUDIES[protocol][0]()
    client.force_login(carol)
    page = client.get(f"/studies/{study.slug}/plan/").content.decode()
    assert reverse("annotations:rehearse", args=[study.slug]) in page
