"""Preferences by page, API, command and job: the same file for whatever is asked, and the same refusals."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from annotations.jobs.running import run_next
from annotations.models import Job, StaffAct, Study
from annotations.plan.simulation import simulate_ratings
from annotations.recruiting.enrolment import enrol
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import build_study

API = "/api/v1/studies/poems/preferences/"
PAGE = "/studies/poems/preferences/"


@pytest.fixture
def rated(db: None, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setattr("evalsite.celery.app.send_task", lambda *_arguments, **_options: None)
    study = build_study(prompts=2, methods=3)
    simulate_ratings(study, evaluators=3, seed=1)
    close_study(study)
    return study


@pytest.fixture
def as_carol(client: Client, carol: User) -> Client:
    client.force_login(carol)
    return client


def body(response: Any) -> bytes:
    assert response.status_code == 200, response.content
    return b"".join(response)


# Each a file of its own.
CHOICES: list[dict[str, Any]] = [
    *(
        {"layout": layout, "conversational": conversational, "by_evaluator": by_evaluator}
        for layout, conversational, by_evaluator in itertools.product(
            ("pairs", "unpaired", "ranked"), (False, True), (False, True)
        )
    ),
    {"source": "ratings", "min_margin": 0.4},
    {"source": "picks", "include_inconsistent": True},
]


def test_api_and_page_give_what_the_command_gives(rated: Study, as_carol: Client, tmp_path: Path) -> None:
    path = tmp_path / "preferences.jsonl"
    files = set()
    for chosen in CHOICES:
        call_command("export_preferences", "poems", output=path, **chosen)
        by_command = path.read_bytes()
        assert by_command
        assert body(as_carol.get(f"{API}?{urlencode(chosen)}")) == by_command, chosen
        on_page = {
            name: value for name, value in chosen.items() if name not in ("layout", "source") and value
        }
        on_page |= {"kind": chosen.get("layout") or chosen["source"], "format": "jsonl"}
        assert body(as_carol.get(f"{PAGE}?{urlencode(on_page)}")) == by_command, chosen
        files.add(by_command)
    assert len(files) == len(CHOICES)


def test_a_job_makes_what_the_api_gives(rated: Study, as_carol: Client) -> None:
    for chosen in (*CHOICES[1:4], *CHOICES[8:12:3], {"source": "picks"}, {}):
        sent = json.dumps({"kind": "pairs", "format": "jsonl", **chosen})
        job = as_carol.post("/api/v1/studies/poems/jobs/", sent, content_type="application/json")
        assert job.status_code == 202
        assert run_next()
        done = as_carol.get(f"/api/v1/jobs/{job.json()['uuid']}/").json()
        assert body(as_carol.get(done["file"])) == body(as_carol.get(f"{API}?{urlencode(chosen)}")), chosen
    assert "poems-preferences-ranked.jsonl" in Job.objects.values_list("file_name", flat=True)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"conversational": True}, "conversational, by evaluator: these are of a layout; say which"),
        ({"by_evaluator": True}, "conversational, by evaluator: these are of a layout; say which"),
        ({"layout": "pairs", "min_margin": 1.0}, "least margin, inconsistent pages: these are of pairs by"),
        ({"layout": "pairs", "include_inconsistent": True}, "least margin, inconsistent pages: these are of"),
        ({"layout": "ranked", "format": "parquet"}, "format parquet: lists come as jsonl alone"),
    ],
)
def test_what_does_not_go_together_is_refused_alike(
    rated: Study, as_carol: Client, tmp_path: Path, chosen: dict[str, Any], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("export_preferences", "poems", output=tmp_path / "none", **chosen)
    sent = {"as_file" if name == "format" else name: value for name, value in chosen.items()}
    refused = as_carol.get(f"{API}?{urlencode(sent)}")
    assert (refused.status_code, message in refused.content.decode()) == (409, True)
    if not {"min_margin", "include_inconsistent"} & chosen.keys():
        asked = json.dumps({"kind": "pairs", "format": "jsonl", **chosen})
        job = as_carol.post("/api/v1/studies/poems/jobs/", asked, content_type="application/json")
        assert (job.status_code, message in job.content.decode()) == (409, True)
    assert not Job.objects.exists()
    assert not StaffAct.objects.filter(act="export.answers").exists()


@pytest.mark.parametrize("margin", ["-1", "nan", "inf"])
def test_a_least_margin_is_a_number_from_0(
    rated: Study, as_carol: Client, tmp_path: Path, margin: str
) -> None:
    with pytest.raises(CommandError, match="least margin: a number, at least 0"):
        call_command("export_preferences", "poems", min_margin=float(margin), output=tmp_path / "none")
    assert as_carol.get(f"{API}?min_margin={margin}").status_code == 400
    page = as_carol.get(f"{PAGE}?kind=ratings&format=jsonl&min_margin={margin}", follow=True)
    assert page.redirect_chain == [("/studies/poems/results/", 302)]


def test_the_page_says_what_does_not_go_together_and_offers_picks_where_there_are_any(
    rated: Study, as_carol: Client
) -> None:
    page = as_carol.get(f"{PAGE}?kind=ranked&format=parquet", follow=True).content.decode()
    assert "format parquet: lists come as jsonl alone" in page
    assert '<option value="picks">' in page
    assert as_carol.get(f"{PAGE}?kind=votes&format=jsonl").headers["Location"] == "/studies/poems/results/"
    Study.objects.update(has_best_picks=False)
    assert '<option value="picks">' not in as_carol.get("/studies/poems/results/").content.decode()


def test_sealed_preferences_stay_sealed_by_api_and_page(alice: User, as_carol: Client) -> None:
    study = build_study(prompts=2, methods=3)
    simulate_ratings(study, evaluators=2, seed=1)
    enrol(study, alice)
    assert as_carol.get(API).status_code == 403
    assert as_carol.get(f"{API}?layout=pairs").status_code == 403
    assert as_carol.get(f"{PAGE}?kind=pairs&format=jsonl").headers["Location"] == "/studies/poems/results/"
