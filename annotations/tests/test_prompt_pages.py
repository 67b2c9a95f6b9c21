"""What a prompt gives to read stands on the pages of rating, preview and case, as the rule of the study shows it."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotations.models import Page, Study
from annotations.recruiting.enrolment import enrol
from annotations.setup.material import store_material
from annotations.setup.rubrics import load_rubric
from annotations.setup.study import change_study, create_study
from generation.files.candidates import read_candidates

PREVIEW = "/manage/studies/sums/preview/subtasks/1/pages/1/"
SOURCE = "It rained.\n\n    Then it poured -- all day.\n"
LONG = "It rained and poured. " * 800


@pytest.fixture
def draft(alice: User) -> Study:
    return create_study(slug="sums", rubric=load_rubric("summary"), by=alice)


def store(study: Study, tmp_path: Path, **prompt: Any) -> None:
    rows = [{**prompt, "method": method, "text": f"text by {method}"} for method in ("first", "second")]
    path = tmp_path / "sums.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    store_material(study, read_candidates(path, study.genre), by=None)


def read_page(client: Client, address: str = PREVIEW) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def passages(page: str) -> list[tuple[str, list[str]]]:
    """Return the label and the texts of each passage of a page."""
    found = re.findall(r'<details class="passage" open>(.*?)</details>', page, re.DOTALL)
    return [
        (
            re.findall(r"<summary>(.*?)</summary>", one)[0],
            [unescape(text) for text in re.findall(r'<div class="written">(.*?)</div>', one, re.DOTALL)],
        )
        for one in found
    ]


def test_parts_stand_under_their_names_as_they_were_written(
    draft: Study, client: Client, alice: User, tmp_path: Path
) -> None:
    client.force_login(alice)
    parts = {"Style guide": "<b>Short.</b>", "context": "A newspaper."}
    store(draft, tmp_path, prompt="Summarise.", source=SOURCE, parts=parts)
    page = read_page(client)
    assert passages(page) == [
        ("Source", [SOURCE]),
        ("Style guide", ["<b>Short.</b>"]),
        ("Context", ["A newspaper."]),
    ]
    assert "<h1 lang" in page and "Summarise.</h1>" in page
    assert page.count('<div class="passage-text" lang="en" dir="auto">') == 3


def test_turns_of_a_dialogue_stand_by_their_roles(
    draft: Study, client: Client, alice: User, tmp_path: Path
) -> None:
    client.force_login(alice)
    turns = [("user", "Hello\nyou"), ("assistant", "Yes?"), ("Nurse", "Where does it hurt?")]
    store(draft, tmp_path, turns=[{"role": role, "text": text} for role, text in turns])
    page = read_page(client)
    assert passages(page) == [("Dialogue", ["Hello\nyou", "Yes?", "Where does it hurt?"])]
    assert re.findall(r'<p class="role">(.*?)</p>', page) == ["User", "Assistant", "Nurse"]
    assert "<h1>Prompt 1 of 1</h1>" in page
    client.cookies["django_language"] = "zh-hans"
    page = read_page(client)
    assert [label for label, _ in passages(page)] == ["对话"]
    assert re.findall(r'<p class="role">(.*?)</p>', page) == ["用户", "助手", "Nurse"]


def test_long_source_is_read_beside_the_candidates_and_a_short_one_above(
    draft: Study, client: Client, alice: User, tmp_path: Path
) -> None:
    client.force_login(alice)
    store(draft, tmp_path, prompt="Summarise.", source="It rained.")
    assert '<div class="workspace">' in read_page(client)
    store(draft, tmp_path, prompt="Summarise.", source=LONG)
    page = read_page(client)
    assert '<div class="workspace workspace-beside">' in page
    assert '<section class="given" id="given" tabindex="0" aria-label="What was given">' in page
    assert '<a class="to-given" href="#given">' in page


def test_instruction_too_long_for_a_heading_is_read_as_a_passage(
    draft: Study, client: Client, alice: User, tmp_path: Path
) -> None:
    client.force_login(alice)
    store(draft, tmp_path, prompt=LONG)
    page = read_page(client)
    assert passages(page) == [("Prompt", [LONG])]
    assert "<h1>Prompt 1 of 1</h1>" in page


def test_prompt_of_one_line_gives_nothing_more_to_read(
    draft: Study, client: Client, alice: User, tmp_path: Path
) -> None:
    client.force_login(alice)
    store(draft, tmp_path, prompt="Summarise.")
    page = read_page(client)
    assert passages(page) == []
    assert 'class="workspace' not in page


@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        ("none", "It rained.\r\n\r\n    Then -- it poured.\n"),
        ("prose", "It rained.\n\n    Then -- it poured.\n"),
        ("verse", "It rained.\nThen—it poured."),
    ],
)
def test_rule_of_the_study_shows_a_part_and_keeps_its_lines(
    draft: Study, client: Client, alice: User, tmp_path: Path, rule: str, shown: str
) -> None:
    client.force_login(alice)
    written = "It rained.\r\n\r\n    Then -- it poured.\n"
    store(draft, tmp_path, prompt="Summarise.", source=written)
    change_study(draft, by=None, normalisation=rule)
    assert passages(read_page(client)) == [("Source", [shown])]
    assert Page.objects.get().prompt.parts == [{"name": "source", "text": written}]


def test_evaluator_reads_parts_but_never_id_and_tags(
    draft: Study, client: Client, alice: User, bob: User, tmp_path: Path
) -> None:
    store(draft, tmp_path, prompt="Sum up.", source=LONG, id="wmt-007", tags={"domain": "weather"})
    Study.objects.filter(slug="sums").update(state="open")
    enrol(Study.objects.get(slug="sums"), bob)
    client.force_login(bob)
    page = read_page(client, "/studies/sums/subtasks/1/pages/1/")
    assert passages(page) == [("Source", [LONG])]
    assert "wmt-007" not in page
    assert "weather" not in page


def test_case_page_shows_what_was_given_with_id_and_tags(
    draft: Study, client: Client, alice: User, tmp_path: Path
) -> None:
    store(draft, tmp_path, turns=[{"role": "user", "text": SOURCE}], id="007", tags={"domain": "weather"})
    Study.objects.filter(slug="sums").update(state="closed")
    client.force_login(alice)
    page = read_page(client, "/studies/sums/results/prompts/1/1/")
    assert passages(page) == [("Dialogue", [SOURCE])]
    assert "<span>007</span>" in page
    assert "<span>domain: weather</span>" in page
    table = read_page(client, "/studies/sums/results/prompts/")
    assert "It rained." in table


def test_a_source_of_another_script_than_the_texts_says_its_language(
    draft: Study, client: Client, alice: User, tmp_path: Path
) -> None:
    client.force_login(alice)
    store(draft, tmp_path, prompt="Summarise.", source="春天来了。", parts={"context": "A newspaper."})
    page = read_page(client)
    assert re.findall(r'<div class="passage-text" lang="([^"]*)" dir="auto">', page) == ["zh", "en"]
