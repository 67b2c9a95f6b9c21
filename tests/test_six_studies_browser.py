"""Texts of today's models from the file to the export in a real Chromium: set up, rated, and the same bytes again."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client
from django.utils import translation
from playwright.sync_api import Page, ViewportSize, expect

from annotations.models import Rating, Study
from annotations.recruiting.enrolment import enrol
from annotations.results.archive import study_archive
from annotations.setup.lifecycle import close_study
from annotations.tests.cast import build_user
from generation.models import Candidate
from tests.browsing import DESKTOP, PHONE, needs_browser
from tests.six_studies import STUDIES, Material

pytestmark = needs_browser

# Where the pages are photographed, to be looked at; nothing is by default.
PHOTOGRAPHS = os.environ.get("PHOTOGRAPHS", "")


def photograph(page: Page, name: str) -> None:
    if PHOTOGRAPHS:
        page.screenshot(path=Path(PHOTOGRAPHS) / f"{name}.png", full_page=True)


@pytest.fixture
def olga(transactional_db: None) -> User:
    olga = build_user("olga")
    olga.user_permissions.add(Permission.objects.get(codename="add_study"))
    return olga


def set_up(page: Page, material: Material) -> None:
    """Begin a study, bring its texts, sign them off and launch it, all by its pages."""
    page.get_by_label("Title in English").fill(f"The {material.key} study")
    page.get_by_label("Name in addresses").fill(material.key)
    page.locator(f'input[name="rubric"][value="{material.rubric}"]').check(force=True)
    page.get_by_role("button", name="Begin the study").click()
    if material.rendering != "plain":
        page.goto(f"/manage/studies/{material.key}/settings/")
        page.locator(f'input[name="rendering"][value="{material.rendering}"]').check(force=True)
        page.get_by_role("button", name="Save").click()
    page.goto(f"/manage/studies/{material.key}/material/")
    page.get_by_label("File with candidates").set_input_files(
        {"name": material.file_name, "mimeType": "application/octet-stream", "buffer": material.content()}
    )
    page.get_by_role("button", name="Upload the candidates").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Columns of the file")
    photograph(page, f"{material.key}-columns")
    page.get_by_role("button", name="Store the candidates").click()
    expect(page.get_by_text("Every prompt has a text by every method.")).to_be_visible()
    photograph(page, f"{material.key}-material")
    page.goto(f"/manage/studies/{material.key}/")
    page.get_by_role("button", name="Sign the material off").click()
    page.get_by_role("link", name="Launch the study").click()
    page.get_by_role("button", name="Launch without a plan").click()
    expect(page.get_by_text("The study is launched.")).to_be_visible()


def rate(page: Page, material: Material, name: str) -> None:
    """Answer everything on a page, on which nothing hangs over the edge and each text runs its way."""
    expect(page.locator(".card")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
    for card in page.locator(".card > [translate=no]").all():
        assert card.get_attribute("lang") == material.language
        assert card.evaluate("one => getComputedStyle(one).direction") == material.direction
    photograph(page, f"{material.key}-{name}")
    for row in page.locator("fieldset.question:not(.best)").all():
        row.locator("label.point").nth(2).click()
    best = page.locator("fieldset.best label").first
    if best.count():
        best.click()
    expect(page.locator("#state")).to_contain_text(("saved", "已保存")[name == "phone-chinese"])
    expect(page.locator("#none-missing")).to_be_visible()


def given(material: Material) -> list[dict[str, Any]]:
    """Return the rows of a file as an export has them."""
    rows = []
    for row in material.rows:
        part = {"source": row["source"]} if "source" in row else {}
        rows.append(
            {
                **{name: value for name, value in row.items() if name != "source"},
                "description": "",
                **({"parts": [{"name": name, "text": text} for name, text in part.items()]} if part else {}),
            }
        )
    return in_order(rows)


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


@pytest.mark.parametrize("material", STUDIES, ids=[one.key for one in STUDIES])
def test_texts_come_out_as_they_went_in(
    visit: Callable[..., Any], olga: User, material: Material, tmp_path: Path
) -> None:
    set_up(visit("/manage/studies/new/", olga), material)
    study = Study.objects.get(slug=material.key)
    assert study.text_language == material.language
    alice = build_user("alice")
    enrol(study, alice)
    sizes: list[tuple[str, str, ViewportSize]] = [
        ("desktop", "en-GB", DESKTOP),
        ("phone-chinese", "zh-CN", PHONE),
    ]
    for number, (name, locale, size) in enumerate(sizes, start=1):
        page: Page = visit(f"/studies/{study.slug}/subtasks/1/pages/{number}/", alice, size, locale=locale)
        rate(page, material, name)
        for selector in material.shows if number == 1 else ():
            assert page.locator(".card").locator(selector).count(), selector
        assert not page.locator(".card script, .card img, .card a").count()
        page.context.close()
    criteria = study.criteria.count()
    assert Rating.objects.filter(score__isnull=False).count() == 2 * 2 * criteria
    assert close_study(study, staff=olga)

    written = tmp_path / "out.jsonl"
    with translation.override("en"):
        call_command("export_candidates", study.slug, output=written)
    lines = written.read_text(encoding="utf-8").split("\n")[:-1]
    assert in_order([json.loads(line) for line in lines]) == given(material)
    texts = sorted(row["text"].encode() for row in material.rows)
    assert sorted(one.text.encode() for one in Candidate.objects.all()) == texts
    client = Client()
    client.force_login(olga)
    found = client.get(f"/api/v1/studies/{study.slug}/candidates/").json()["results"]
    assert sorted(row["text"].encode() for row in found) == texts
    with zipfile.ZipFile(io.BytesIO(study_archive(study))) as archive:
        rows = [json.loads(line) for line in archive.read("material.jsonl").decode().split("\n")[:-1]]
    assert sorted(row["text"].encode() for row in rows) == texts
