"""The demonstration has a finished study with a report to look at, and one half done; both are marked as simulated."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from annotations.imports.demo import load_demo
from annotations.models import Enrolment, ReportLink, Study
from annotations.questionnaire.progress import progress_of
from annotations.tests.cast import shown
from evalsite.demo.results import HALF_DONE, PAGES_ANSWERED, load_results

RECORDS = settings.BASE_DIR.parent / "shared" / "reference" / "published_records"


def rita() -> Client:
    client = Client()
    client.force_login(User.objects.get(username="rita"))
    return client


def test_the_demo_shows_a_finished_report_and_a_study_half_done(db: None) -> None:
    load_demo()
    assert Client().get("/example/").headers["Location"] == "/docs/analysts/"
    load_results()
    load_results()
    assert ReportLink.objects.count() == 1
    path = Client().get("/example/").headers["Location"]
    for language, simulated, planned in (
        (
            "en",
            "12 evaluators are simulated",
            "The analysis was planned before the first answer, and done so.",
        ),
        ("zh-hans", "12 名评阅人是模拟的", "分析方案在第一个回答之前锁定，并照此执行。"),
    ):
        report = shown(Client(), path, language)
        assert simulated in report
        assert planned in report
        for section in ("primary", "agreement", "cases", "ranking", "plan"):
            assert f'id="{section}"' in report
    payments = shown(rita(), "/manage/studies/finished-study/payments/")
    assert payments.count("simulated-") >= 12
    half = Study.objects.get(slug=HALF_DONE)
    done = progress_of(half.enrolments.all()).values()
    pages = half.subtasks.get(number=1).pages.count() * half.subtasks.count()
    assert sorted(round(pages * one.answered / one.total) for one in done) == sorted(PAGES_ANSWERED)
    assert "simulated" in shown(rita(), f"/manage/studies/{HALF_DONE}/progress/")
    assert set(Enrolment.objects.filter(study=half).values_list("source", flat=True)) == {"simulated"}


@pytest.mark.skipif(not RECORDS.is_dir(), reason="the published records are not at hand")
def test_the_published_study_is_shown_first_where_its_records_are_at_hand(db: None) -> None:
    load_demo()
    load_results([RECORDS / "poem-records.jsonl", RECORDS / "user-records.jsonl"])
    report = shown(Client(), Client().get("/example/").headers["Location"])
    assert "10 of 11 evaluators count, who rated 4 methods on 100 prompts." in report
    assert "simulated" not in report


def test_records_that_are_none_are_refused_by_name(db: None, tmp_path: Path) -> None:
    from generation.files.problems import FileRefused

    load_demo()
    (tmp_path / "a.jsonl").write_text("no records", encoding="utf-8")
    with pytest.raises(FileRefused, match=r"a\.jsonl"):
        load_results([tmp_path / "a.jsonl", tmp_path / "a.jsonl"])
